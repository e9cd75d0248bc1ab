"""Facts about each unit that its callers and its own code must agree on.

Which arguments its `forward` takes beside tensors, what it returns, how its ops are lowered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from archspec.frozen import frozen
from archspec.graph.model import Draw, Graph, Node, Port
from archspec.graph.units import Owned, Unit
from archspec.types.tensor import TensorType
from archspec_torch.demand import NEVER, Demand, demand, dropping
from archspec_torch.localise import Locals, localise
from archspec_torch.lowering import lower
from archspec_torch.lowering.base import Lowered, Site
from archspec_torch.names import identifier
from archspec_torch.tree import Branch, Facts, build_tree


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

    def type_in(self, training: bool) -> TensorType:
        """Its type in one mode (the other's where it exists in one mode only)."""
        node = self.training if training else self.inference
        return (node or self.either).types[0]

    @property
    def either(self) -> Node:
        """The node in inference, else in training."""
        found = self.inference or self.training
        assert found is not None
        return found


def place(graph: Graph, node: Node) -> tuple[int, int]:
    """A node among those of all graphs."""
    return id(graph), node.id


@frozen
class Told:
    """What a use of a shared block says of itself: an argument of its `forward`, and its value."""

    name: str
    value: Any


@dataclass
class Layout:
    """What is known of a unit before its code is written; each use of a shared block has its own.

    `needs`, `draws`, `tree` and `lowered` are those of all of its uses.
    """

    unit: Unit
    inputs: tuple[Input, ...] = ()
    needs: bool = False  # takes `need: List[bool]`, returns List[Optional[Tensor]]
    draws: tuple[str, ...] = ()  # takes these as int arguments
    locals: tuple[Locals, Locals] = field(default_factory=lambda: (Locals(), Locals()))
    """Sizes in inference and in training."""
    extra: tuple[str, ...] = ()  # symbols of the network that no input tells: callers pass them
    demands: dict[int, Demand] = field(default_factory=dict)  # by id of graph
    lowered: dict[tuple[int, int], Lowered] = field(default_factory=dict)  # by `place`
    tree: Branch = field(default_factory=lambda: Branch("", ""))
    root: bool = False
    records: tuple[str, str] = ("", "")  # names of the classes of several results, by mode
    is_function: bool = False  # a plain function: the expression of a buffer
    told: tuple[Told, ...] = ()  # what callers of a shared block say of their use

    def at(self, graph: Graph, node: Node) -> Lowered:
        """How the op of a node is lowered there; one instance may stand at several nodes."""
        return self.lowered[place(graph, node)]

    @property
    def plain(self) -> bool:
        """Whether it is called with one tensor and gives one."""
        one = len(self.inputs) == 1 and self.unit.yields_one
        extra = self.needs or self.draws or self.extra or self.told
        return one and not extra and not self.inputs[0].optional


@dataclass
class Plan:
    """All layouts by id of unit, and the draws of the network."""

    units: tuple[Unit, ...]
    layouts: dict[int, Layout]
    draws: Mapping[str, Draw]
    deepest: Mapping[str, int]

    @property
    def symbols(self) -> frozenset[str]:
        """Free dims of the network, all of which its inputs have."""
        inputs = self.layouts[id(self.units[-1])].inputs
        types = [item.type_in(training) for item in inputs for training in (False, True)]
        return frozenset(name for kind in types for size in kind.shape for name in size.symbols)

    def of(self, unit: Unit) -> Layout:
        """The layout of a unit."""
        return self.layouts[id(unit)]

    def uses(self, unit: Unit) -> list[Layout]:
        """The layouts of all uses of its block."""
        return [self.layouts[id(use)] for use in unit.uses]


def lay_out(units: Sequence[Unit]) -> Plan:
    """Layouts of all units, which come callees first."""
    layouts = {id(use): Layout(use) for unit in units for use in unit.uses}
    result = Plan(tuple(units), layouts, _policies(units), _deepest(units))
    layouts[id(units[-1])].root = True
    for unit in units:
        family = result.uses(unit)
        lowered = {place(g, n): lower(site(g, n)) for g in unit.all_graphs for n in _ops(g)}
        draws = _draws(unit, result)
        for layout in family:
            layout.inputs = inputs_of(layout.unit)
            layout.draws, layout.lowered = draws, lowered
        _localise(family)
        for graph in unit.all_graphs:
            for node in _ops(graph):
                if node.instance is not None and lowered[place(graph, node)].raw:
                    for region in node.instance.regions:
                        layouts[id(unit.callee(region))].is_function = True
    for unit in reversed(units):
        for layout in result.uses(unit):
            _demands(layout, result)
    return result


def _localise(family: Sequence[Layout]) -> None:
    """Sizes of each use in each mode, all over the same symbols."""
    places = [(layout, training) for layout in family for training in (False, True)]
    types = [[item.type_in(training) for item in layout.inputs] for layout, training in places]
    found = localise(types)
    for number, layout in enumerate(family):
        layout.locals = found[2 * number], found[2 * number + 1]


def _computed(graph: Graph) -> Iterator[Node]:
    return iter(graph.in_order(graph.computed))


def _ops(graph: Graph) -> list[Node]:
    return [node for node in graph.nodes if node.op is not None]


def site(graph: Graph, node: Node) -> Site:
    """An op where it stands."""
    assert node.instance is not None
    inputs = graph.types_read(node)
    return Site(node.op, inputs, node.types, node.instance)


def inputs_of(unit: Unit) -> tuple[Input, ...]:
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
        for graph in unit.all_graphs:
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
        for graph in unit.all_graphs:
            for node in _computed(graph):
                if name := draw_name(node):
                    found[name] = max(found.get(name, 0), len(node.inputs))
    return found


def _draws(unit: Unit, known: Plan) -> tuple[str, ...]:
    names: dict[str, None] = {}
    for graph in unit.all_graphs:
        for node in _computed(graph):
            if name := draw_name(node):
                names.setdefault(name)
    for callee in unit.callees.values():
        names.update(dict.fromkeys(known.of(callee).draws))
    return tuple(sorted(names))


def _demands(layout: Layout, known: Plan) -> None:
    """Conditions inside a unit; tells its callees whether their outputs are wanted apart."""
    unit = layout.unit
    for graph in unit.graphs:
        found = demand(graph, layout.needs)
        layout.demands[id(graph)] = found
        for node in graph.nodes:
            if node.callee is None or node.instance is None:
                continue
            wanted = {found.ports[port] for port in ports_of(node)} - {NEVER}
            if (len(wanted) > 1 and found.masks) or (len(wanted) > 1 and layout.needs):
                for use in known.uses(unit.callee(node.instance)):
                    use.needs = True


def ports_of(node: Node) -> list[Port]:
    """The output ports of a node."""
    return [Port(node.id, index) for index in range(len(node.types))]


# ---------------------------------------------------------------------- trees


def plant(unit: Unit, known: Plan) -> None:
    """Build the tree of a unit; the code of its callees has been written."""
    tree = build_tree(unit, _facts(unit, known))
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
    return Facts(frozenset(chainable), frozenset(stateless), frozenset(parameters))


def _is_one_module(
    owned: Owned, lowered: Sequence[Lowered], owns: bool, unit: Unit, known: Plan
) -> bool:
    """Whether one module, called with the input, is what each node does."""
    demands = {key: found for use in known.uses(unit) for key, found in use.demands.items()}
    if any(item.module is None or item.module != lowered[0].module for item in lowered):
        return False
    # where the weights stand in a module and there is an expression too, it calls the module in a
    # way of its own, as a norm over another axis does
    if owns and any(item.apply is not None for item in lowered):
        return False
    return not any(node.id in demands[id(graph)].gates for graph, node in owned.places)
