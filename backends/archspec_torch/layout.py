"""Facts about each unit that its callers and its own code must agree on.

Which arguments its `forward` takes beside tensors, what it returns, how its ops are lowered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from archspec.frozen import frozen
from archspec.graph.model import Draw, Graph, Node, Port
from archspec_torch.demand import Demand, demand, dropping
from archspec_torch.localise import Locals, localise
from archspec_torch.lowering import lower
from archspec_torch.lowering.base import Lowered, Site
from archspec_torch.names import identifier
from archspec_torch.tree import Branch, Facts, build_tree
from archspec_torch.units import Unit


@frozen
class Input:
    """An input of a unit: its name, and the node in each mode (None where it is absent)."""

    name: str
    inference: Node | None
    training: Node | None

    @property
    def optional(self) -> bool:
        """Whether it exists in one mode only."""
        return self.inference is None or self.training is None

    @property
    def either(self) -> Node:
        """The node in inference, else in training."""
        found = self.inference or self.training
        assert found is not None
        return found


@dataclass
class Layout:
    """What is known of a unit before its code is written."""

    unit: Unit
    inputs: tuple[Input, ...] = ()
    needs: bool = False  # takes `need: List[bool]`, returns List[Optional[Tensor]]
    draws: tuple[str, ...] = ()  # takes these as int arguments
    locals: Locals = field(default_factory=Locals)
    demands: dict[int, Demand] = field(default_factory=dict)  # by id of graph
    lowered: dict[int, Lowered] = field(default_factory=dict)  # by id of instance
    tree: Branch = field(default_factory=lambda: Branch("", ""))
    root: bool = False
    records: tuple[str, str] = ("", "")  # names of the classes of several results, by mode
    is_function: bool = False  # a plain function: the expression of a buffer

    @property
    def plain(self) -> bool:
        """Whether it is called with one tensor and gives one."""
        one = len(self.inputs) == 1 and self.unit.yields_one
        extra = self.needs or self.draws or self.locals.extra
        return one and not extra and not self.inputs[0].optional


@dataclass
class Plan:
    """All layouts by id of unit, and the draws of the network."""

    units: tuple[Unit, ...]
    layouts: dict[int, Layout]
    draws: Mapping[str, Draw]
    deepest: Mapping[str, int]

    def of(self, unit: Unit) -> Layout:
        """The layout of a unit."""
        return self.layouts[id(unit)]


def lay_out(units: Sequence[Unit]) -> Plan:
    """Layouts of all units, which come callees first."""
    layouts = {id(unit): Layout(unit) for unit in units}
    result = Plan(tuple(units), layouts, _policies(units), _deepest(units))
    layouts[id(units[-1])].root = True
    for unit in units:
        layout = layouts[id(unit)]
        layout.inputs = _inputs(unit)
        layout.draws = _draws(unit, result)
        layout.locals = localise([item.either.types[0] for item in layout.inputs])
        layout.lowered = {id(n.instance): lower(site(g, n)) for g in unit.graphs for n in _ops(g)}
        for instance in (node.instance for g in unit.graphs for node in _ops(g)):
            if instance is not None and layout.lowered[id(instance)].raw:
                for region in instance.regions:
                    layouts[id(unit.callee(region))].is_function = True
    for unit in reversed(units):
        _demands(unit, result)
    return result


def _ops(graph: Graph) -> list[Node]:
    return [node for node in graph.nodes if node.op is not None]


def site(graph: Graph, node: Node) -> Site:
    """An op where it stands."""
    assert node.instance is not None
    inputs = tuple(graph.type_of(port) for port in node.inputs)
    return Site(node.op, inputs, node.types, node.instance)


def _inputs(unit: Unit) -> tuple[Input, ...]:
    """Inputs of both modes: by place where there are equally many, else by name."""
    one = unit.inference.inputs if unit.inference else ()
    two = unit.training.inputs if unit.training else ()
    if unit.inference is None or unit.training is None or len(one) == len(two):
        pairs: list[tuple[Node | None, Node | None]] = list(
            zip(one or two, two or one, strict=True)
        )
    else:
        first, second = {n.name: n for n in one}, {n.name: n for n in two}
        names = dict.fromkeys((*first, *second) if len(one) > len(two) else (*second, *first))
        pairs = [(first.get(name), second.get(name)) for name in names]
    found = []
    for number, (left, right) in enumerate(pairs):
        either = left or right
        assert either is not None
        found.append(Input(identifier(either.name, f"x{number}" if number else "x"), left, right))
    return tuple(found)


# ---------------------------------------------------------------------- joins


def _policies(units: Sequence[Unit]) -> dict[str, Draw]:
    """Declared draws; the outermost network wins."""
    found: dict[str, Draw] = {}
    for unit in units:
        for graph in unit.graphs:
            found.update({draw.name: draw for draw in graph.draws})
    return found


def draw_name(node: Node) -> str:
    """The draw that a join shares, or ""."""
    join = dropping(node)
    return (join.draw or "") if join is not None else ""


def _deepest(units: Sequence[Unit]) -> dict[str, int]:
    """Number of columns of each draw: the most inputs of a join that names it."""
    found: dict[str, int] = {}
    for unit in units:
        for graph in unit.graphs:
            for node in graph.nodes:
                if name := draw_name(node):
                    found[name] = max(found.get(name, 0), len(node.inputs))
    return found


def _draws(unit: Unit, known: Plan) -> tuple[str, ...]:
    names: dict[str, None] = {}
    for graph in unit.graphs:
        for node in graph.nodes:
            if name := draw_name(node):
                names.setdefault(name)
    for callee in unit.callees.values():
        names.update(dict.fromkeys(known.of(callee).draws))
    return tuple(sorted(names))


def _demands(unit: Unit, known: Plan) -> None:
    """Conditions inside a unit; tells its callees whether their outputs are wanted apart."""
    layout = known.of(unit)
    for graph in unit.graphs:
        found = demand(graph, layout.needs)
        layout.demands[id(graph)] = found
        for node in graph.nodes:
            if node.callee is None or node.instance is None:
                continue
            wanted = {found.ports[port] for port in ports_of(node)}
            if (len(wanted) > 1 and found.masks) or (len(wanted) > 1 and layout.needs):
                known.of(unit.callee(node.instance)).needs = True


def ports_of(node: Node) -> list[Port]:
    """The output ports of a node."""
    return [Port(node.id, index) for index in range(len(node.types))]


# ---------------------------------------------------------------------- trees


def plant(unit: Unit, known: Plan) -> None:
    """Build the tree of a unit; the code of its callees has been written."""
    known.of(unit).tree = build_tree(unit, _facts(unit, known))


def _facts(unit: Unit, known: Plan) -> Facts:
    layout = known.of(unit)
    chainable, stateless, parameters = set(), set(), set()
    differing = {id(one) for owned in unit.owned if owned.differs for one in owned.instances}
    for graph in unit.graphs:
        for node in graph.nodes:
            instance = node.instance
            if instance is None:
                continue
            if instance.op is None:
                if known.of(unit.callee(instance)).plain:
                    chainable.add(id(instance))
                continue
            lowered = layout.lowered[id(instance)]
            if lowered.raw:
                parameters.add(id(instance))
            owns = bool(site(graph, node).parameters)
            # where the weights stand in a module and there is an expression too, it calls the
            # module in a way of its own, as a norm over another axis does
            as_it_is = lowered.apply is None or not owns
            gated = node.id in layout.demands[id(graph)].gates
            alike = not gated and id(instance) not in differing
            if lowered.module is not None and as_it_is and not instance.regions and alike:
                chainable.add(id(instance))
            if not instance.regions and not lowered.raw and not owns:
                stateless.add(id(instance))
    return Facts(frozenset(chainable), frozenset(stateless), frozenset(parameters))
