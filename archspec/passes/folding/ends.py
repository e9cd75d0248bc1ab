"""What stands at the ends of blocks, so that it can be folded with what stands beside them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Literal

from archspec.frozen import frozen
from archspec.graph.model import Graph, Node, Port, consumers
from archspec.passes.folding.patterns import affine_of, linearity_of, order_of
from archspec.passes.folding.steps import Factor
from archspec.passes.folding.sweep import uses_of


@frozen
class End:
    """A layer or a change of channels that nothing but reorderings parts from the end of a block.

    `axis` is that of the channels in the input or output of the block. `padded` as in Linearity.
    """

    kind: Literal["layer", "factor", "change"]
    axis: int
    padded: bool = False

    def meets(self, after: End) -> bool:
        """Whether this one and what comes after it can be folded."""
        if self.axis != after.axis:
            return False
        if self.kind == "layer":
            return after.kind != "layer"
        return after.kind == "layer" and (self.kind == "factor" or not after.padded)


@frozen
class Ends:
    """The ends of a block, per input and output; None where nothing can be folded."""

    heads: tuple[End | None, ...]
    tails: tuple[End | None, ...]


def ends(graph: Graph, known: Mapping[Graph, Ends]) -> Ends:
    """The ends of a block; `known` has those of all that it calls."""
    look = _Look(graph, known)
    heads = tuple(look.head(Port(node.id)) for node in graph.inputs)
    return Ends(heads, tuple(map(look.tail, graph.output_ports)))


def to_open(graph: Graph, known: Mapping[Graph, Ends]) -> tuple[Node, ...]:
    """The calls whose ends can be folded with what is beside them in this block."""
    look = _Look(graph, known)
    found: dict[int, Node] = {}
    for node in graph.nodes:
        for port, head in look.heads_at(node):
            tail, maker = look.behind(port)
            if tail is None or head is None or not tail.meets(head):
                continue
            calls = [one for one in (node, maker) if one is not None and one.callee is not None]
            if all(map(look.owns, calls)):
                found |= {call.id: call for call in calls}
    return tuple(found.values())


class _Look:
    def __init__(self, graph: Graph, known: Mapping[Graph, Ends]) -> None:
        self._graph, self._known = graph, known
        self._reads = Counter(graph.output_ports)
        self._reads.update(port for node in graph.nodes for port in node.inputs)
        self._readers = consumers(graph)
        self._uses = uses_of(graph)

    def owns(self, node: Node) -> bool:
        """Whether a call, layer or norm is the only one with its weights."""
        return self._uses[id(node.instance)] == 1

    def heads_at(self, node: Node) -> Iterator[tuple[Port, End | None]]:
        """For each input of a node that could be folded with what yields it, as what."""
        if node.callee is not None:
            yield from zip(node.inputs, self._known[node.callee].heads, strict=True)
            return
        layer, change = linearity_of(self._graph, node), affine_of(self._graph, node)
        if layer is not None:
            yield node.inputs[0], End("layer", layer.inputs, layer.padded)
        elif change is not None:
            yield node.inputs[change.at], End(_kind(self._graph, node), change.axis)

    def behind(self, port: Port) -> tuple[End | None, Node | None]:
        """What yields a port that is read once, its axis as the reader sees it, and the node."""
        orders: list[tuple[int, ...]] = []
        while self._reads[port] == 1:
            node = self._graph.nodes[port.node]
            order = order_of(self._graph, node)
            if order is not None:
                orders.append(order)
                port = node.inputs[0]
                continue
            found = self._made(node, port.index)
            if found is None:
                return None, None
            axis = found.axis
            for step in reversed(orders):
                axis = step.index(axis)
            return End(found.kind, axis, found.padded), node
        return None, None

    def tail(self, port: Port) -> End | None:
        """The end at an output."""
        return self.behind(port)[0]

    def head(self, port: Port) -> End | None:
        """The end at an input."""
        orders: list[tuple[int, ...]] = []
        while self._reads[port] == 1 and port in self._readers:
            (node,) = self._readers[port]
            order = order_of(self._graph, node)
            if order is not None:
                orders.append(order)
                port = Port(node.id)
                continue
            found = dict(self.heads_at(node)).get(port)
            if found is None or not self._usable(node):
                return None
            axis = found.axis
            for step in reversed(orders):
                axis = step[axis]
            return End(found.kind, axis, found.padded)
        return None

    def _made(self, node: Node, index: int) -> End | None:
        if not self._usable(node):
            return None
        if node.callee is not None:
            return self._known[node.callee].tails[index]
        layer, change = linearity_of(self._graph, node), affine_of(self._graph, node)
        if layer is not None:
            return End("layer", layer.outputs, layer.padded)
        return End(_kind(self._graph, node), change.axis) if change is not None else None

    def _usable(self, node: Node) -> bool:
        return node.instance is not None and (not node.instance.key or self.owns(node))


def _kind(graph: Graph, node: Node) -> Literal["factor", "change"]:
    found = affine_of(graph, node)
    return "factor" if found is not None and isinstance(found.change, Factor) else "change"
