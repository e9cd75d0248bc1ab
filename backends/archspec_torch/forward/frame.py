"""The context of the statements of one body: a unit in one mode, and its function."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from archspec.graph.codegen.demand import Demand
from archspec.graph.model import Graph, Node, Port
from archspec.graph.units import Unit
from archspec_torch.code.names import identifier, is_identifier, python_names
from archspec_torch.code.pieces import Call, Code
from archspec_torch.forward.branches import equal_branches
from archspec_torch.forward.function import Function
from archspec_torch.forward.labels import own_name, wanted_names
from archspec_torch.forward.parts import Parts
from archspec_torch.forward.steps import Step, as_early_as_possible, plan_steps
from archspec_torch.forward.values import Values
from archspec_torch.forward.variables import Variables, Wanted
from archspec_torch.lowering.base import site
from archspec_torch.planning.layout import Layout, Plan
from archspec_torch.planning.precision import Precision, precision
from archspec_torch.planning.tree import Kind, sequences
from archspec_torch.prelude import helper_names


@dataclass(frozen=True, eq=False)
class Frame:
    """A body that is being written.

    `draws` are the variables of draws by name, `access` has the code that reads an instance, by
    key, `branches` the equal ops before a join, `added` the gate that a sum adds. Statements go
    into `function`; `helpers` collects the parts of the prelude that they use.
    """

    layout: Layout
    known: Plan
    training: bool
    graph: Graph
    demand: Demand
    function: Function
    values: Values
    draws: Mapping[str, str]
    access: Mapping[str, str]
    branches: Mapping[int, tuple[Node, ...]]
    added: Mapping[int, int]
    helpers: set[str] = field(default_factory=set)

    @property
    def unit(self) -> Unit:
        """The unit, in the use that is written."""
        return self.layout.unit


def open_frame(layout: Layout, known: Plan, training: bool) -> tuple[Frame, list[Step]]:
    """The frame of a body without statements, and the steps to write."""
    graph = layout.unit.graph(training)
    demand = known.demands.of(layout.unit, graph)
    function, draws = _function(layout, known, training, demand)
    function.graph = graph
    access = {leaf.path: leaf.access for leaf in layout.tree.leaves()}
    branches = equal_branches(layout, known, graph, demand, access)
    steps = plan_steps(graph, demand, sequences(layout.tree, graph), branches)
    if training and layout.unit.has_modes:
        moved = _only_in_training(layout.unit)
        steps = as_early_as_possible(steps, moved - _plain_ends(graph, moved))
    wanted = _wanted(layout, graph, steps, training)
    exact = Precision() if layout.needs else precision(graph)
    variables = Variables(graph, steps, wanted, function.names)
    values = Values(variables, function, exact, Parts(graph))
    added = {gate.add: node for node, gate in demand.gates.items()}
    frame = Frame(
        layout, known, training, graph, demand, function, values, draws, access, branches, added
    )
    return frame, steps


def _only_in_training(unit: Unit) -> set[int]:
    """The nodes that nothing needs but outputs which inference does not have.

    Those of instances that inference uses, too, are not among them.
    """
    names = {output.name for output in unit.outputs(training=False)}
    graph, other = unit.graph(training=True), unit.graph(training=False)
    computed = (node for node in other.nodes if node.id in other.computed)
    used = {node.instance.key for node in computed if node.instance is not None}
    needed: tuple[set[int], set[int]] = set(), set()
    for output in graph.outputs:
        needed[output.name in names].update(port.node for port in output.ports)
    for node in reversed(graph.nodes):
        for found in needed:
            if node.id in found:
                found.update(port.node for port in node.inputs)
    kept = {node.id for node in graph.nodes if node.instance and node.instance.key in used}
    return needed[False] - needed[True] - kept


def _plain_ends(graph: Graph, nodes: Collection[int]) -> set[int]:
    """Those of the nodes that stay where they are: ops on values that the spec names.

    Such a value keeps its variable in inference, too, so the statements that follow can be equal in
    both modes. The order of layers, and of random draws, does not depend on this.
    """
    found: set[int] = set()
    for node in graph.nodes:
        if node.id not in nodes or node.op is None or node.op.stochastic:
            continue
        if node.runs_graphs or graph.parameters_of(node):
            continue
        if all(port.node in found or own_name(graph, port) for port in node.inputs):
            found.add(node.id)
    return found


def _results(layout: Layout, graph: Graph) -> dict[Port, str]:
    """The names of the results, if there are several."""
    if not layout.root or max(len(layout.unit.outputs(mode)) for mode in (False, True)) < 2:
        return {}
    outputs = (output for output in graph.outputs if output.structure is None)
    return {output.ports[0]: output.name for output in outputs if is_identifier(output.name)}


def _wanted(layout: Layout, graph: Graph, steps: Sequence[Step], training: bool) -> Wanted:
    """The preferred names of the values of a graph, the best first."""
    names = {**_results(layout, graph), **wanted_names(graph, steps)}
    preferred = layout.preferred.get(training, {})
    both = [(port, table[port]) for table in (preferred, names) for port in table]
    found: dict[Port, list[str]] = {}
    for port, name in both:
        if name:
            found.setdefault(port, []).append(name)
    return found


def _function(
    layout: Layout, known: Plan, training: bool, demand: Demand
) -> tuple[Function, dict[str, str]]:
    """The function with its arguments, and the variables of draws; both are named here."""
    own = layout.locals[training]
    passed = {own.extra_name(symbol) for symbol in known.symbols}  # which a caller may pass
    names = python_names((*own.known, *passed, *demand.flags, *layout.records, *helper_names()))
    draws = {name: names.fresh(identifier(name, "draw")) for name in layout.draws}
    arguments = [(names.fresh(item.name), item.type_in(training)) for item in layout.inputs]
    for name in layout.absent:
        names.fresh(name)
    weight = own_weight(layout)
    like = weight or f"self.{like_name(layout)}"
    function = Function(own, names, arguments, not layout.is_function, like=like)
    function.has_like = bool(weight)
    return function, draws


def own_weight(layout: Layout) -> str:
    """The code of a weight with the device and the floating type of the module; "" without one.

    It is a tensor of the unit itself, or of one of its layers of PyTorch that is no item of a list.
    """
    for leaf in layout.tree.leaves():
        assert leaf.owned is not None
        if "[" in leaf.access or leaf.kind not in (Kind.PARAMETER, Kind.MODULE):
            continue
        node = leaf.owned.places[0]
        if leaf.kind is Kind.PARAMETER:
            (parameter,) = site(*node).parameters
            if parameter.learnable and parameter.dtype.is_float:
                return leaf.access
        elif leaf.owned.either.op is not None and _is_layer_with_weight(layout.at(*node).module):
            return f"{leaf.access}.weight"
    return ""


LAYERS_WITH_WEIGHTS = frozenset({"nn.Embedding", "nn.LayerNorm", "nn.RMSNorm"})
"""Layers whose weights stay tensors if linear layers are quantised."""


def _is_layer_with_weight(module: Code | None) -> bool:
    made = module[0] if module else None
    if not isinstance(made, Call) or made.function not in LAYERS_WITH_WEIGHTS:
        return False
    return all(item.keyword != "elementwise_affine" for item in made.arguments)


def like_name(layout: Layout) -> str:
    """Name of the empty buffer that has the floating type."""
    children = {*layout.tree.children, *layout.extended.get("", ())}
    return python_names(children).fresh("like")
