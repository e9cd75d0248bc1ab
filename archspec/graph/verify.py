"""Invariants of every graph: wiring, types, names, and needs on sizes.

A pass that violates one of these would give wrong results silently, or fail far from the cause. So
tests verify the result of each pass.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import get_args

from archspec.frozen import frozen
from archspec.graph.compiled import Compiled, Mode
from archspec.graph.inference import Types, inferred, own_inputs
from archspec.graph.model import Graph, Instance, Node, Port, Region, leaves, subgraphs
from archspec.graph.text import listed_graphs, listed_nodes
from archspec.graph.walk import walk
from archspec.ops.base import Need, Op, OpError
from archspec.types.condition import TRUE, Condition
from archspec.types.solver import VerdictKind, condition_text, decide

MODES: tuple[Mode, ...] = get_args(Mode)


@frozen
class Fault:
    """An error in a graph.

    `node` is the number of the node; None for the graph itself. `graph` and `title` are their names
    in listings (`archspec.graph.text`). `mode` is the mode of the error, None if it is in both or
    if there is only one graph.
    """

    graph: str
    node: int | None
    title: str
    message: str
    mode: Mode | None = None

    def __str__(self) -> str:
        mode = f"in {self.mode}, " if self.mode is not None else ""
        place = f"{self.graph}: node {self.node} ({self.title})" if self.title else self.graph
        return f"{mode}{place}: {self.message}"


class NotVerified(Exception):
    """A graph violates the invariants; `faults` lists the errors.

    It is a bug of a pass, never of a spec.
    """

    def __init__(self, faults: tuple[Fault, ...], after: str = "") -> None:
        self.faults = faults
        lines = "\n".join(f"  {fault}" for fault in faults)
        super().__init__(f"{after or 'this graph'} does not verify:\n{lines}")


def verify(graph: Graph, given: Condition = TRUE) -> tuple[Fault, ...]:
    """All errors in a graph and in the graphs below it.

    `given` is the condition that the network promises about its sizes: a need that follows from it
    need not be stored at its node.
    """
    names = listed_graphs(graph)
    return tuple(dict.fromkeys(fault for _, fault in _faults(walk(graph), names, given)))


def verify_network(compiled: Compiled) -> tuple[Fault, ...]:
    """All errors in the graphs of a network, in both modes, without duplicates."""
    graphs = {mode: set(walk(compiled.in_mode(mode))) for mode in MODES}
    names = {**listed_graphs(compiled.training), **listed_graphs(compiled.inference)}
    found: dict[Fault, set[Mode]] = {}
    for graph, fault in _faults(compiled.graphs, names, compiled.where):
        found.setdefault(fault, set()).update(mode for mode in MODES if graph in graphs[mode])
    return tuple(
        replace(fault, mode=next(iter(modes))) if len(modes) == 1 else fault
        for fault, modes in found.items()
    )


def require_verified(compiled: Compiled, after: str = "") -> None:
    """Raise NotVerified if there is an error in a network; `after` describes the last change."""
    faults = verify_network(compiled)
    if faults:
        raise NotVerified(faults, after)


def _faults(
    graphs: Iterable[Graph], names: Mapping[Graph, str], given: Condition
) -> Iterator[tuple[Graph, Fault]]:
    """The errors in graphs, callees first; `names` are their names in messages.

    If a port of a graph does not exist, nothing else is checked in it, nor in its callers.
    """
    memo = _Memo(given)
    broken: set[Graph] = set()
    for graph in graphs:
        verifier = _Verifier(graph, names[graph], memo)
        found = [*verifier.wiring()]
        yield from ((graph, fault) for fault in found)
        if found or not broken.isdisjoint(graph.callees):
            broken.add(graph)
        else:
            yield from ((graph, fault) for fault in verifier.meaning())


@dataclass
class _Memo:
    """The inferred types and the needs that always hold, memoised."""

    given: Condition
    inferred: dict[Hashable, tuple[Types, tuple[Need, ...]] | str] = field(default_factory=dict)
    holds: dict[Condition, bool] = field(default_factory=dict)
    owning: set[Graph] = field(default_factory=set)

    def infer(
        self, op: Op, regions: tuple[Region, ...], inputs: Types
    ) -> tuple[Types, tuple[Need, ...]] | str:
        """The result types of an op and its needs, or why it does not accept the inputs."""
        key = (op, regions, inputs)
        if key not in self.inferred:
            try:
                self.inferred[key] = inferred(op, regions, inputs)
            except OpError as error:
                self.inferred[key] = error.message
        return self.inferred[key]

    def always(self, condition: Condition) -> bool:
        """Whether a condition holds for all sizes that the network accepts."""
        if condition not in self.holds:
            verdict = decide(condition, self.given)
            self.holds[condition] = verdict.kind is VerdictKind.ALWAYS
        return self.holds[condition]

    def owns(self, graph: Graph, node: Node) -> bool:
        """Whether a node, or its callees and regions, has weights or buffers.

        Called for callees before callers.
        """
        instance = node.instance
        if instance is None:
            return False
        found = bool(graph.parameters_of(node)) or not self.owning.isdisjoint(subgraphs(instance))
        if found:
            self.owning.add(graph)
        return found


class _Verifier:
    def __init__(self, graph: Graph, name: str, memo: _Memo) -> None:
        self._graph, self._name, self._memo = graph, name, memo
        self._called = listed_nodes(graph)

    def wiring(self) -> Iterator[Fault]:
        """Ports that do not exist, nodes out of order, outputs unlike their declaration."""
        for node in self._graph.nodes:
            for message in self._wiring(node):
                yield self._fault(node, message)
        for message in self._ends():
            yield Fault(self._name, None, "", message)

    def meaning(self) -> Iterator[Fault]:
        """Types that differ from those of ops, missing requirements, duplicate keys."""
        taking: list[Node] = []  # weights are known only for nodes that accept their inputs
        for node in self._graph.nodes:
            found = [*self._meaning(node)]
            yield from (self._fault(node, message) for message in found)
            if not found:
                taking.append(node)
        for node, message in self._keys(taking):
            yield self._fault(node, message)

    def _fault(self, node: Node, message: str) -> Fault:
        return Fault(self._name, node.id, self._called[node], message)

    def _numbered(self, number: int) -> str:
        """A node by its number, with its name if it exists."""
        if number not in self._graph.place:
            return f"node {number}"
        return f"node {number} ({self._called[self._graph.node(number)]})"

    def _port(self, port: Port) -> str:
        return f"output {port.index} of {self._numbered(port.node)}"

    def _wiring(self, node: Node) -> Iterator[str]:
        """Numbers and edges: no node depends on itself, and all inputs exist."""
        if self._graph.node(node.id) is not node:
            yield f"the number {node.id} is also that of another node"
        for at, port in enumerate(node.inputs):
            if not self._exists(port):
                yield f"input {at} reads {self._port(port)}, which has none"
            elif self._graph.place[port.node] >= self._graph.place[node.id]:
                yield f"input {at} reads {self._numbered(port.node)}, which depends on it"
        if node.instance is None:
            if node.inputs or len(node.types) != 1:
                yield "an input has one type and reads nothing"
        elif (node.op is None) == (node.callee is None):
            yield "an instance is an op or a use of a graph"

    def _exists(self, port: Port) -> bool:
        if port.node not in self._graph.place:
            return False
        return 0 <= port.index < len(self._graph.node(port.node).types)

    def _ends(self) -> Iterator[str]:
        names = [output.name for output in self._graph.outputs]
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield f"two outputs are called `{name}`"
        for output in self._graph.outputs:
            if leaves(output.structure) != len(output.ports):
                counted = f"{len(output.ports)} tensors, not as many as declared"
                yield f"output `{output.name}` has {counted}"
            for port in output.ports:
                if not self._exists(port):
                    yield f"output `{output.name}` is {self._port(port)}, which has none"

    def _meaning(self, node: Node) -> Iterator[str]:
        """Types are those of ops and callees; the needs of an op on sizes are stored."""
        if node.instance is None:
            return
        inputs = self._graph.types_read(node)
        if node.callee is not None:
            yield from _differences("takes", inputs, node.callee.input_types)
            yield from _differences("yields", node.types, node.callee.output_types)
        elif node.op is not None:
            yield from self._op(node, node.op, node.instance, inputs)

    def _op(self, node: Node, op: Op, instance: Instance, inputs: Types) -> Iterator[str]:
        held = tuple(region.name for region in instance.regions)
        if held != op.regions:
            yield f"it holds {_layers(held)}, but `{op.name}` holds {_layers(op.regions)}"
            return
        own = own_inputs(instance.regions, inputs)
        faults = [*_regions(op, instance, own, inputs[len(own) :])]
        if faults:
            yield from faults
            return
        found = self._memo.infer(op, instance.regions, own)
        if isinstance(found, str):
            yield f"it does not accept its inputs: {found}"
            return
        types, needs = found
        yield from _differences("yields", node.types, types)
        kept = {item.condition for item in (*node.requirements, *self._graph.requirements)}
        for need in needs:
            if need.training_only and instance.frozen:
                continue  # frozen instances stay in inference mode
            if need.condition not in kept and not self._memo.always(need.condition):
                yield f"a requirement is missing: {need.reason} ({condition_text(need.condition)})"

    def _keys(self, nodes: Sequence[Node]) -> Iterator[tuple[Node, str]]:
        """Instances with weights have a key, and the same key means the same weights.

        A call that is the only node with weights needs no key, as in a network: the names are then
        those below it.
        """
        owning = [node for node in nodes if self._memo.owns(self._graph, node)]
        for node in owning:
            alone = node.callee is not None and len(owning) == 1
            if node.instance is not None and not node.instance.key and not alone:
                yield node, "it has weights or buffers, but its key is empty"
        first: dict[str, Node] = {}
        for node in nodes:
            instance = node.instance
            if instance is None or not instance.key:
                continue
            other = first.setdefault(instance.key, node)
            if other.instance is not instance and not _are_one(self._graph, other, node):
                yield node, f"the key `{instance.key}` is also that of {self._numbered(other.id)}"


def _layers(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "no layers"


def _differences(does: str, found: Types, wanted: Types) -> Iterator[str]:
    if found != wanted:
        shown = [", ".join(map(str, types)) or "nothing" for types in (wanted, found)]
        yield f"it {does} {shown[0]}, but the graph says {shown[1]}"


def _regions(op: Op, instance: Instance, inputs: Types, captures: Types) -> Iterator[str]:
    """The layers of an op accept the inputs that the op passes, and then their captures."""
    at = 0
    for region in instance.regions:
        try:
            given = op.region_inputs(region.name, inputs)
        except OpError as error:
            yield f"its layer `{region.name}` cannot be applied: {error.message}"
            return
        given += captures[at : at + region.captured]
        at += region.captured
        for message in _differences("gives", region.graph.input_types, given):
            yield f"{message}, in its layer `{region.name}`"


def _are_one(graph: Graph, left: Node, right: Node) -> bool:
    """Whether two instances with one key are one layer that is used in several ways."""
    one, two = left.instance, right.instance
    assert one is not None
    assert two is not None
    if one.op is None or two.op is None:
        pairs = zip(subgraphs(one), subgraphs(two), strict=False)
        return one.op is two.op and all(a.name == b.name for a, b in pairs)
    if type(one.op) is not type(two.op):
        return False
    shapes = [[item.shape for item in graph.parameters_of(node)] for node in (left, right)]
    return shapes[0] == shapes[1]
