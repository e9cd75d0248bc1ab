"""Demand: the conditions under which each node of a block is computed.

In training a join drops inputs. Nodes that only a dropped input needs are not computed. The masks
of all joins of a block are drawn first; from them each node gets a condition, a disjunction of
conjunctions of flags. Two facts simplify them: at least one input of a join survives, and at least
one output of a block is needed, otherwise it is not called.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from archspec.frozen import frozen
from archspec.graph.codegen.conditions import (
    ALWAYS,
    NEVER,
    Condition,
    both,
    either,
    single,
)
from archspec.graph.codegen.interface import ports_of
from archspec.graph.codegen.joins import Place, dropping, has_joins, lone_branches
from archspec.graph.codegen.recursion import recursive_families
from archspec.graph.model import Graph, Node, Port
from archspec.graph.units import Unit

LONGEST = 6
"""Conditions with more flags get a name of their own."""

NOTHING: Mapping[int, Place] = MappingProxyType({})

_FLAG = re.compile(r"(live|wanted)(_[0-9]+)?|kept_(branch|[0-9]+)")


def is_flag(name: str) -> bool:
    """Whether a name may be that of flags: of joins, of gates or of long conditions."""
    return _FLAG.fullmatch(name) is not None


@frozen
class Gate:
    """A `drop_path` for whole batches whose result is added: its input may not be computed.

    `p` is the probability of dropping, `in_training` whether training scales the kept values, `add`
    the node that adds it, `index` its position among the two inputs of that node.
    """

    flag: str
    p: float
    in_training: bool
    add: int
    index: int


def gates(graph: Graph) -> dict[int, Gate]:
    """Gates of a graph, by node."""
    readers = graph.consumers
    outputs = set(graph.output_ports)
    found: dict[int, Gate] = {}
    taken: set[int] = set()
    for node in graph.nodes:
        port = Port(node.id)
        skipped = node.op.skipped() if node.op is not None else None
        if skipped is None or port in outputs:
            continue
        adds = readers.get(port, ())
        if len(adds) == 1 and adds[0].id not in taken and _keeps_shape(graph, adds[0]):
            taken.add(adds[0].id)
            flag = f"kept_{len(found)}" if found else "kept_branch"
            index = adds[0].inputs.index(port)
            found[node.id] = Gate(flag, skipped.p, skipped.in_training, adds[0].id, index)
    return found


def _keeps_shape(graph: Graph, node: Node) -> bool:
    """Whether it adds two tensors of one shape, which may have two different expressions."""
    if node.op is None or node.op.arithmetic != "sum" or len(node.inputs) != 2:
        return False
    one, other = graph.types_read(node)
    if one.dtype is not other.dtype or one.rank != other.rank:
        return False
    sizes = zip(one.shape, other.shape, strict=True)
    return all((a == 1) == (b == 1) for a, b in sizes)  # only a literal 1 broadcasts


@dataclass
class Demand:
    """Conditions of one graph.

    `masks` names the flags of each join that drops inputs. The flags called `need` are those by
    which a caller says which outputs it needs. `lone` are calls with one result, with the join that
    follows them at other depths of a recursion; `masks` has the names of their flags, too.
    """

    masks: dict[int, str] = field(default_factory=dict)  # by node
    lone: dict[int, Place] = field(default_factory=dict)  # by node
    gates: dict[int, Gate] = field(default_factory=dict)  # by node
    nodes: dict[int, Condition] = field(default_factory=dict)
    ports: dict[Port, Condition] = field(default_factory=dict)
    named: list[tuple[str, Condition]] = field(default_factory=list)  # in order of definition
    sizes: dict[str, int] = field(default_factory=dict)  # number of flags with a name
    others: int | None = None
    """In a block that calls itself, the number of its outputs beyond the number of inputs of its
    joins, which depends on the depth; None if there is no such number for all depths."""

    @property
    def least(self) -> int:
        """The length of the shortest end of a list of flags that is treated as a whole."""
        return 2 if self.others is None else 1

    @property
    def flags(self) -> set[str]:
        """Names of all variables that hold flags."""
        named = {name for name, _ in self.named}
        return {*self.sizes, *named, *(gate.flag for gate in self.gates.values())}


def demand(graph: Graph, needs: bool, lone: Mapping[int, Place] = NOTHING) -> Demand:
    """Conditions of all nodes; `needs` means that callers say which outputs they need.

    `lone` are calls with one result, which a join follows at other depths of a recursion.
    """
    result = Demand(gates=gates(graph), lone=dict(lone))
    computed = (node for node in graph.nodes if node.id in graph.computed)
    joins = (node for node in computed if node.id in lone or dropping(node))
    for number, node in enumerate(joins):
        name = f"live_{number}" if number else "live"
        result.masks[node.id] = name
        result.sizes[name] = 1 if node.id in lone else len(node.inputs)
    collected: dict[Port, list[Condition]] = {}
    if needs:
        result.sizes["need"] = len(graph.output_ports)
    for index, port in enumerate(graph.output_ports):
        wanted = single(("need", index)) if needs else ALWAYS
        collected.setdefault(port, []).append(wanted)
    for node in reversed(graph.nodes):
        if node.id in graph.computed:
            _node(node, collected, result)
        else:
            result.nodes[node.id] = NEVER
            result.ports.update(dict.fromkeys(ports_of(node), NEVER))
    return result


def _node(node: Node, collected: dict[Port, list[Condition]], result: Demand) -> None:
    ports, sizes = ports_of(node), result.sizes
    if sizes.get("need") == 1:  # the only flag is true, but at other depths it is one of several
        sizes = {name: count for name, count in sizes.items() if name != "need"}
    for port in ports:
        result.ports[port] = either(collected.get(port, ()), sizes)
    condition = either((result.ports[port] for port in ports), sizes)
    if sum(len(part) for part in condition) > LONGEST:
        name = f"wanted_{len(result.named)}" if result.named else "wanted"
        result.named.append((name, condition))
        condition = single((name, -1))
    result.nodes[node.id] = condition
    mask = result.masks.get(node.id) if node.id not in result.lone else None
    gate = result.gates.get(node.id)
    for index, port in enumerate(node.inputs):
        needed = condition if mask is None else both(condition, (mask, index))
        if gate is not None:
            needed = both(condition, (gate.flag, -1))
        collected.setdefault(port, []).append(needed)


# ---------------------------------------------------------------------- across blocks


@dataclass
class Demands:
    """Demand in all units of a network.

    `asked` are the blocks whose callers say which outputs they need: units that represent all uses.
    """

    asked: set[Unit] = field(default_factory=set)
    parts: dict[tuple[Unit, Graph], Demand] = field(default_factory=dict)

    def of(self, unit: Unit, graph: Graph) -> Demand:
        """Demand in a graph of a unit; in another unit its flags `need` may differ."""
        return self.parts[unit, graph]


def demands(units: Sequence[Unit]) -> Demands:
    """Demand in units, which are sorted callees first, with the needs that callers pass on.

    If callers say which outputs they need of one specialisation of a block that calls itself, they
    say so of all, because a call of any depth should be the same code.
    """
    families = [family for family in recursive_families(units) if has_joins(family)]
    lone: dict[Graph, dict[int, Place]] = {}
    for (graph, number), join in lone_branches(families).items():
        lone.setdefault(graph, {})[number] = join
    asked: set[Unit] = set()
    while True:
        result = Demands({*asked})
        for unit in reversed(units):
            for use in unit.uses:
                for graph in use.graphs:
                    _graph(use, graph, lone.get(graph, NOTHING), result)
        found = [family for family in families if not result.asked.isdisjoint(family)]
        asked = {unit for family in found for unit in family}
        if asked <= result.asked:
            break
    for family in found:
        _compare_depths(family, result)
    return result


def _compare_depths(family: Sequence[Unit], result: Demands) -> None:
    """Set `others` of the graphs of all depths of a recursion."""
    places = [(use, graph) for unit in family for use in unit.uses for graph in use.graphs]
    joins = [
        (len(graph.output_ports), result.of(use, graph).sizes[mask])
        for use, graph in places
        for mask in result.of(use, graph).masks.values()
    ]
    others = {outputs - inputs for outputs, inputs in joins}
    if len({*joins}) > 1 and len(others) == 1 and min(others) >= 0:
        for use, graph in places:
            result.of(use, graph).others = min(others)


def _graph(use: Unit, graph: Graph, lone: Mapping[int, Place], result: Demands) -> None:
    asked = use.owner in result.asked
    lone = {
        number: join
        for number, join in lone.items()
        if _callee(use, graph.node(number)) in result.asked
    }
    found = result.parts[use, graph] = demand(graph, asked, lone)
    if not found.masks and not asked:
        return  # a call needs all of its outputs or none
    for node in graph.nodes:
        wanted = {found.ports[port] for port in ports_of(node)} - {NEVER}
        callee = _callee(use, node)
        if len(wanted) > 1 and callee is not None:
            result.asked.add(callee)


def _callee(use: Unit, node: Node) -> Unit | None:
    """The unit that represents the block that a node calls."""
    if node.callee is None or node.instance is None:
        return None
    return use.callee(node.instance).owner
