"""Which values are needed: the conditions under which each node of a block is computed.

In training a join drops inputs. What only a dropped input needs is not computed. The masks of
all joins of a block are drawn first; from them each node gets a condition, a disjunction of
conjunctions over names of flags. Two facts simplify: of the inputs of a join at least one
survives, and of the outputs of a block at least one is needed, or it would not be called.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from archspec.frozen import frozen
from archspec.graph.model import Graph, Node, Port
from archspec.ops.arithmetic import Add
from archspec.ops.random import DropPath, Join

Flag: TypeAlias = tuple[str, int]
"""`live[2]` is ("live", 2)."""

Condition: TypeAlias = frozenset[frozenset[Flag]]
"""Any of these conjunctions holds."""

ALWAYS: Condition = frozenset({frozenset()})
NEVER: Condition = frozenset()

LONGEST = 6
"""Conditions with more flags get a name of their own."""


def dropping(node: Node) -> Join | None:
    """The join that the node is, if it drops inputs in training."""
    op = node.op
    if not isinstance(op, Join) or len(node.inputs) < 2:
        return None
    return op if op.drop or op.draw else None


@frozen
class Gate:
    """A `drop_path` for whole batches, added to something: then its input is not computed.

    `p` is the probability to be dropped, `in_training` whether training scales what is kept, `add`
    the node that adds it, `index` its place among the two inputs there.
    """

    flag: str
    p: float
    in_training: bool
    add: int
    index: int


def gates(graph: Graph) -> dict[int, Gate]:
    """Gates of a graph by their nodes."""
    readers = graph.consumers
    outputs = set(graph.output_ports)
    found: dict[int, Gate] = {}
    taken: set[int] = set()
    for node in graph.nodes:
        op, port = node.op, Port(node.id)
        if not isinstance(op, DropPath) or port in outputs:
            continue
        if op.mode != "batch" or not 0.0 < op.p < 1.0:
            continue
        adds = readers.get(port, ())
        if len(adds) == 1 and adds[0].id not in taken and _keeps_shape(graph, adds[0]):
            taken.add(adds[0].id)
            flag = f"kept_{len(found)}" if found else "kept_branch"
            index = adds[0].inputs.index(port)
            found[node.id] = Gate(flag, op.p, op.scale == "training", adds[0].id, index)
    return found


def _keeps_shape(graph: Graph, node: Node) -> bool:
    """Whether it adds two tensors of one shape, which the compiler may know in two forms."""
    if not isinstance(node.op, Add) or len(node.inputs) != 2:
        return False
    one, other = graph.types_read(node)
    if one.dtype is not other.dtype or one.rank != other.rank:
        return False
    sizes = zip(one.shape, other.shape, strict=True)
    return all((a == 1) == (b == 1) for a, b in sizes)  # only a literal 1 broadcasts


@dataclass
class Demand:
    """Conditions of one graph. `masks` names the flags of each join that drops inputs."""

    masks: dict[int, str] = field(default_factory=dict)  # by node
    gates: dict[int, Gate] = field(default_factory=dict)  # by node
    nodes: dict[int, Condition] = field(default_factory=dict)
    ports: dict[Port, Condition] = field(default_factory=dict)
    named: list[tuple[str, Condition]] = field(default_factory=list)  # in order of definition
    sizes: dict[str, int] = field(default_factory=dict)  # number of flags under a name

    @property
    def flags(self) -> set[str]:
        """Names of all variables that hold flags."""
        named = {name for name, _ in self.named}
        return {*self.sizes, *named, *(gate.flag for gate in self.gates.values())}


def demand(graph: Graph, needs: bool) -> Demand:
    """Conditions of all nodes; `needs` says that the caller tells which outputs it wants."""
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
        wanted = frozenset({frozenset({("need", index)})}) if needs else ALWAYS
        collected.setdefault(port, []).append(wanted)
    for node in reversed(graph.nodes):
        if node.id in graph.computed:
            _node(node, collected, result)
        else:
            result.nodes[node.id] = NEVER
            result.ports.update({Port(node.id, index): NEVER for index in range(len(node.types))})
    return result


def _node(node: Node, collected: Mapping[Port, list[Condition]], result: Demand) -> None:
    for index in range(len(node.types)):
        port = Port(node.id, index)
        result.ports[port] = either(collected.get(port, ()), result.sizes)
    condition = either(
        (result.ports[Port(node.id, i)] for i in range(len(node.types))), result.sizes
    )
    if sum(len(part) for part in condition) > LONGEST:
        name = f"wanted_{len(result.named)}" if result.named else "wanted"
        result.named.append((name, condition))
        condition = frozenset({frozenset({(name, -1)})})
    result.nodes[node.id] = condition
    mask = result.masks.get(node.id)
    assert isinstance(collected, dict)
    gate = result.gates.get(node.id)
    for index, port in enumerate(node.inputs):
        needed = condition if mask is None else both(condition, (mask, index))
        if gate is not None:
            needed = both(condition, (gate.flag, -1))
        collected.setdefault(port, []).append(needed)


def both(condition: Condition, flag: Flag) -> Condition:
    """The condition and the flag."""
    return frozenset(part | {flag} for part in condition)


def given(condition: Condition, known: Condition) -> Condition:
    """A shorter condition that is the same wherever `known` holds."""
    if known <= condition:
        return ALWAYS
    for flag in sorted({flag for part in condition for flag in part}):
        if condition == both(known, flag):
            return frozenset({frozenset({flag})})
    return condition


def either(conditions: Iterable[Condition], sizes: Mapping[str, int]) -> Condition:
    """Any of the conditions, simplified."""
    parts = set[frozenset[Flag]]().union(*conditions)
    while True:
        parts = _shortest(parts)
        names = sorted({name for part in parts for name, _ in part} & sizes.keys())
        found = (_covered(parts, name, sizes[name]) for name in names)
        covered = next((base for base in found if base is not None), None)
        if covered is None:
            return frozenset(parts)
        parts.add(covered)


def _shortest(parts: set[frozenset[Flag]]) -> set[frozenset[Flag]]:
    """Those that hold where no shorter one does."""
    if len({len(part) for part in parts}) < 2:
        return parts
    if frozenset() in parts:
        return {frozenset()}
    return {part for part in parts if not any(other < part for other in parts)}


def _covered(parts: set[frozenset[Flag]], name: str, count: int) -> frozenset[Flag] | None:
    """A conjunction that stands in `parts` with each flag of `name`, once without all."""
    tried: set[frozenset[Flag]] = set()
    for part in parts:
        base = frozenset(flag for flag in part if flag[0] != name)
        if len(part) != len(base) + 1 or base in parts or base in tried:
            continue
        tried.add(base)
        if all(base | {(name, index)} in parts for index in range(count)):
            return base
    return None


def text(condition: Condition) -> str:
    """The condition as code, flags in a fixed order."""
    conjunctions = sorted(sorted(part) for part in condition)
    if not conjunctions:
        return "False"
    written = [" and ".join(flag_text(flag) for flag in part) or "True" for part in conjunctions]
    if len(written) == 1:
        return written[0]
    return " or ".join(f"({item})" if " and " in item else item for item in written)


def flag_text(flag: Flag) -> str:
    """One flag as code."""
    name, index = flag
    return name if index < 0 else f"{name}[{index}]"
