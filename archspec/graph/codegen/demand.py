"""Demand: the conditions under which each node of a block is computed.

In training a join drops inputs. Nodes that only a dropped input needs are not computed. The masks
of all joins of a block are drawn first; from them each node gets a condition, a disjunction of
conjunctions of flags. Two facts simplify them: at least one input of a join survives, and at least
one output of a block is needed, otherwise it is not called.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

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
from archspec.graph.model import Graph, Node, Port
from archspec.graph.units import Unit
from archspec.ops.dropping import KeptMean

LONGEST = 6
"""Conditions with more flags get a name of their own."""

_FLAG = re.compile(r"(live|wanted)(_[0-9]+)?|kept_(branch|[0-9]+)")


def is_flag(name: str) -> bool:
    """Whether a name may be that of flags: of joins, of gates or of long conditions."""
    return _FLAG.fullmatch(name) is not None


def dropping(node: Node) -> KeptMean | None:
    """The join of a node, if it drops inputs in training."""
    join = node.op.kept_mean() if node.op is not None and len(node.inputs) > 1 else None
    return join if join is not None and join.drops else None


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
    which a caller says which outputs it needs.
    """

    masks: dict[int, str] = field(default_factory=dict)  # by node
    gates: dict[int, Gate] = field(default_factory=dict)  # by node
    nodes: dict[int, Condition] = field(default_factory=dict)
    ports: dict[Port, Condition] = field(default_factory=dict)
    named: list[tuple[str, Condition]] = field(default_factory=list)  # in order of definition
    sizes: dict[str, int] = field(default_factory=dict)  # number of flags with a name

    @property
    def flags(self) -> set[str]:
        """Names of all variables that hold flags."""
        named = {name for name, _ in self.named}
        return {*self.sizes, *named, *(gate.flag for gate in self.gates.values())}


def demand(graph: Graph, needs: bool) -> Demand:
    """Conditions of all nodes; `needs` means that callers say which outputs they need."""
    result = Demand(gates=gates(graph))
    joins = (node for node in graph.nodes if node.id in graph.computed and dropping(node))
    for number, node in enumerate(joins):
        name = f"live_{number}" if number else "live"
        result.masks[node.id] = name
        result.sizes[name] = len(node.inputs)
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
    ports = ports_of(node)
    for port in ports:
        result.ports[port] = either(collected.get(port, ()), result.sizes)
    condition = either((result.ports[port] for port in ports), result.sizes)
    if sum(len(part) for part in condition) > LONGEST:
        name = f"wanted_{len(result.named)}" if result.named else "wanted"
        result.named.append((name, condition))
        condition = single((name, -1))
    result.nodes[node.id] = condition
    mask = result.masks.get(node.id)
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
    """Demand in units, which are sorted callees first, with the needs that callers pass on."""
    result = Demands()
    for unit in reversed(units):
        for use in unit.uses:
            for graph in use.graphs:
                _graph(use, graph, result)
    return result


def _graph(use: Unit, graph: Graph, result: Demands) -> None:
    asked = use.owner in result.asked
    found = result.parts[use, graph] = demand(graph, asked)
    if not found.masks and not asked:
        return  # a call needs all of its outputs or none
    for node in graph.nodes:
        if node.callee is None or node.instance is None:
            continue
        wanted = {found.ports[port] for port in ports_of(node)} - {NEVER}
        if len(wanted) > 1:
            result.asked.add(use.callee(node.instance).owner)
