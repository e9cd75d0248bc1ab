"""Facts about each unit on which its callers and its own code must agree.

The arguments of its `forward` besides tensors, its results, the lowerings of its ops.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from archspec.frozen import frozen
from archspec.graph.codegen.demand import Demands, demands
from archspec.graph.codegen.draws import Draws, draws
from archspec.graph.codegen.interface import Input, inputs_of
from archspec.graph.codegen.sizes import Locals, localise
from archspec.graph.expression import names_in
from archspec.graph.model import Graph, Node, Port
from archspec.graph.units import Owned, Unit
from archspec.types.dim import Dim
from archspec_torch.code.expressions import is_scriptable
from archspec_torch.code.names import attribute, identifier
from archspec_torch.code.sizes import size_variable
from archspec_torch.lowering import lower
from archspec_torch.lowering.base import Lowered, site
from archspec_torch.planning.insertions import Insertions, insertions
from archspec_torch.planning.origins import with_origins
from archspec_torch.planning.overwriting import Place, written_over
from archspec_torch.planning.tree import Branch, Facts, Kind, build_tree, is_sequence


@frozen
class UseArgument:
    """The identification of a use of a shared block: an argument of `forward`, and its value."""

    name: str
    value: Any


@dataclass
class Layout:
    """Facts about a unit before its code is written; each use of a shared block has its own.

    `needs`, `draws`, `tree` and `lowered` are those of all of its uses.
    """

    unit: Unit
    inputs: tuple[Input, ...] = ()
    needs: bool = False  # takes `need: List[bool]`, returns List[Optional[Tensor]]
    draws: tuple[str, ...] = ()  # takes these as int arguments
    locals: tuple[Locals, Locals] = field(default_factory=lambda: (Locals(), Locals()))
    """Sizes in inference and in training."""
    extra: tuple[str, ...] = ()  # symbols that no input determines: callers pass them
    lowered: dict[Place, Lowered] = field(default_factory=dict)
    tree: Branch = field(default_factory=lambda: Branch("", ""))
    extended: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Paths below which callers add further children, with their names."""
    root: bool = False
    records: tuple[str, str] = ("", "")  # names of the classes of several results, by mode
    is_function: bool = False  # a plain function: the expression of a buffer
    use_arguments: tuple[UseArgument, ...] = ()  # arguments of a shared block that identify the use
    names: dict[bool, Mapping[Port, str]] = field(default_factory=dict)
    """By mode, the variables that hold the values of its graph, once its code is written."""
    preferred: dict[bool, Mapping[Port, str]] = field(default_factory=dict)
    """By mode, the variables that are to hold values, where these are free."""
    optional: tuple[str, ...] = ()
    """The inputs that some specialisations of its class do not have; None stands for them there."""
    apart: frozenset[str] = frozenset()
    """The paths of layers that are called one by one, because other specialisations do."""

    def at(self, graph: Graph, node: Node) -> Lowered:
        """The lowering of the op of a node; one instance may be used by several nodes."""
        return self.lowered[graph, node.id]

    @property
    def absent(self) -> tuple[str, ...]:
        """The inputs that only other specialisations of its class have."""
        own = {item.name for item in self.inputs}
        return tuple(name for name in self.optional if name not in own)

    @property
    def plain(self) -> bool:
        """Whether it maps one tensor to one tensor."""
        one = len(self.inputs) == 1 and self.unit.yields_one
        extra = self.needs or self.draws or self.extra or self.use_arguments
        required = one and not self.inputs[0].optional and self.inputs[0].name not in self.optional
        return required and not extra


@dataclass
class Plan:
    """Facts about all units: their layouts, the demand, and the draws."""

    units: tuple[Unit, ...]
    layouts: dict[Unit, Layout]
    demands: Demands
    draws: Draws
    extended: Insertions

    @property
    def root(self) -> Layout:
        """The layout of the network itself."""
        return self.layouts[self.units[-1]]

    @property
    def symbols(self) -> frozenset[str]:
        """Free dims of the network, all of which are in its inputs."""
        inputs = self.root.inputs
        types = [item.type_in(training) for item in inputs for training in (False, True)]
        return frozenset(name for kind in types for size in kind.shape for name in size.symbols)

    def start(self) -> None:
        """Forget what was found while code was written, before it is written again."""
        for layout in self.layouts.values():
            layout.extra, layout.use_arguments = (), ()
            layout.names, layout.preferred = {}, {}
            layout.optional, layout.apart = (), frozenset()

    def treats_alike(self, other: Plan) -> bool:
        """Whether callers ask the same of each unit that is in both plans."""
        shared = [unit for unit in self.units if unit in other.layouts]
        if self.draws.declared != other.draws.declared or self.draws.columns != other.draws.columns:
            return False
        return all(
            (unit in self.demands.asked) == (unit in other.demands.asked)
            and self.extended.get(unit.either.name) == other.extended.get(unit.either.name)
            for unit in shared
        )

    def of(self, unit: Unit) -> Layout:
        """The layout of a unit."""
        return self.layouts[unit]

    def lowering(self, unit: Unit, graph: Graph, node: Node) -> Lowered:
        """How the op of a node of a unit is lowered."""
        return self.layouts[unit].at(graph, node)

    def yields_list(self, layout: Layout, node: Node) -> bool:
        """Whether the result of a node is one list: a call with flags for the wanted outputs."""
        if node.callee is None or node.instance is None:
            return False
        return self.of(layout.unit.callee(node.instance)).needs

    def uses(self, unit: Unit) -> list[Layout]:
        """The layouts of all uses of its block."""
        return [self.layouts[use] for use in unit.uses]


def lay_out(units: Sequence[Unit], others: Sequence[Plan] = ()) -> Plan:
    """Layouts of all units, which are sorted callees first; those in other plans are shared."""
    layouts = {use: Layout(use) for unit in units for use in unit.uses}
    for other in others:
        layouts |= {use: other.layouts[use] for use in layouts if use in other.layouts}
    laid_out = {use for other in others for use in other.layouts}
    result = Plan(tuple(units), layouts, demands(units), draws(units), insertions(units))
    result.root.root = True
    for unit in units:
        if unit in laid_out:
            continue
        family = result.uses(unit)
        lowered = {
            (g, n.id): with_origins(lower(site(g, n)), g, n)
            for g in unit.all_graphs
            for n in _ops(g)
        }
        for layout in family:
            layout.extended = result.extended.get(unit.either.name, {})
            layout.inputs = tuple(_named_inputs(layout.unit))
            layout.needs = unit in result.demands.asked
            layout.draws, layout.lowered = result.draws.read[unit], lowered
        lowered |= written_over(unit, lowered, result.demands, result.lowering)
        _localise(family)
        for graph in unit.all_graphs:
            for node in _ops(graph):
                if node.instance is not None and lowered[graph, node.id].raw:
                    for region in node.instance.regions:
                        layouts[unit.callee(node.instance, region)].is_function = True
    return result


def localise_like(layout: Layout, other: Layout) -> bool:
    """Give the sizes of the inputs the names that they have in another specialisation.

    The result is whether any changes; those of a block with several uses do not.
    """
    index = {item.name: at for at, item in enumerate(layout.inputs)}
    wanted = {}
    for name, axis in other.locals[0].where.items():
        at = index.get(other.inputs[axis.input].name)
        if at is not None:
            wanted[at, axis.axis] = name
    own = {(axis.input, axis.axis): name for name, axis in layout.locals[0].where.items()}
    if len(layout.unit.uses) > 1 or all(wanted.get(at, name) == name for at, name in own.items()):
        return False
    _localise([layout], wanted)
    return True


def _localise(
    family: Sequence[Layout], wanted: Mapping[tuple[int, int], str] = MappingProxyType({})
) -> None:
    """Sizes of each use in each mode, all over the same symbols.

    `wanted` has names for axes of inputs, which they get if these are free.
    """
    places = [(layout, training) for layout in family for training in (False, True)]
    types = [[item.type_in(training) for item in layout.inputs] for layout, training in places]
    graphs = [layout.unit.graph(training) for layout, training in places]
    names = [
        {name: size for name, size in graph.names.items() if name not in graph.definitions}
        for graph in graphs
    ]
    found = localise(types, size_variable, names, wanted)
    for graph, one in zip(graphs, found, strict=True):
        _define(graph, one)
    for number, layout in enumerate(family):
        layout.locals = found[2 * number], found[2 * number + 1]


def _define(graph: Graph, own: Locals) -> None:
    """Give sizes that the body defines the names of its variables, if these can be determined."""
    for name, written in graph.definitions.items():
        size, variable = graph.names.get(name), size_variable(name)
        if not isinstance(size, Dim) or variable in own.known or size in own.known.values():
            continue
        parts = [graph.names.get(part) for part in names_in(written)]
        derivable = all(not isinstance(part, Dim) or own.find(part) is not None for part in parts)
        if derivable and is_scriptable(written):
            own.define(variable, name, size)


def _ops(graph: Graph) -> list[Node]:
    return [node for node in graph.nodes if node.op is not None]


def _named_inputs(unit: Unit) -> Iterator[Input]:
    """The inputs of a unit, with valid names for arguments."""
    for number, item in enumerate(inputs_of(unit)):
        yield replace(item, name=identifier(item.name, f"x{number}" if number else "x"))


# ---------------------------------------------------------------------- trees


def plan_modules(unit: Unit, known: Plan) -> None:
    """Build the tree of a unit; the code of its callees has been written."""
    facts = _facts(unit, known)
    if unit is known.root.unit and is_sequence(unit, facts):
        facts = replace(facts, stateless=frozenset())
        for place, lowered in known.of(unit).lowered.items():
            known.of(unit).lowered[place] = replace(lowered, apply=None)
    tree = build_tree(unit, facts)
    for layout in known.uses(unit):
        layout.tree = tree


def _facts(unit: Unit, known: Plan) -> Facts:
    chainable, stateless, parameters = set(), set(), set()
    for owned in unit.owned:
        if owned.either.op is None:
            if all(known.of(unit.callee(one)).plain for one in owned.instances):
                chainable.add(owned.key)
            continue
        lowered = [known.of(unit).at(*found) for found in owned.places]
        regions = any(one.regions for one in owned.instances)
        owns = any(site(*found).parameters for found in owned.places)
        if any(item.raw for item in lowered):
            parameters.add(owned.key)
        elif not regions and not owns:
            stateless.add(owned.key)
        if not regions and _is_one_module(owned, lowered, owns, unit, known):
            chainable.add(owned.key)
    return Facts(
        frozenset(chainable),
        frozenset(stateless),
        frozenset(parameters),
        lambda owned: _inside(owned, unit, known),
        frozenset(known.of(unit).extended),
        known.of(unit).apart,
    )


def _inside(owned: Owned, unit: Unit, known: Plan) -> Branch | None:
    """The tree of names in a module: of the callee, of the regions of an op, of its parameters."""
    instance = owned.either
    if instance.op is None:
        return known.of(unit.callee(instance)).tree
    whole = Branch("", "")
    for region in instance.regions:
        tree = known.of(unit.callee(instance, region)).tree
        if not region.key:
            return tree
        access = attribute("self", region.key)
        whole.children[region.key] = Branch(
            region.key, region.key, kind=Kind.MODULE, access=access, inside=tree
        )
    for parameter in site(*owned.places[0]).parameters:
        part = whole
        for name in parameter.name.split(".")[:-1]:
            access = attribute(part.access, name)
            part = part.children.setdefault(name, Branch(name, name, access=access))
    return whole


def _is_one_module(
    owned: Owned, lowered: Sequence[Lowered], owns: bool, unit: Unit, known: Plan
) -> bool:
    """Whether each node is a call of one module with its input."""
    demand = {graph: known.demands.of(use, graph) for use in unit.uses for graph in use.graphs}
    if any(item.module is None or item.module != lowered[0].module for item in lowered):
        return False
    # with weights in a module and also an expression, the expression calls the module in another
    # way, as for a norm over another axis
    if owns and any(item.apply is not None for item in lowered):
        return False
    return not any(node.id in demand[graph].gates for graph, node in owned.places)
