"""What stands at the ends of blocks, so that it can be folded with what stands beside them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Literal

from archspec.frozen import frozen
from archspec.graph.model import Graph, Node, Port, consumers
from archspec.passes.folding.patterns import Affine, affine_of, linearity_of, order_of
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


class Look:
    """What stands beside what in a block; `known` has the ends of all that it calls."""

    def __init__(self, graph: Graph, known: Mapping[Graph, Ends]) -> None:
        self._graph, self._known = graph, known
        self._reads = Counter(graph.output_ports)
        self._reads.update(port for node in graph.nodes for port in node.inputs)
        self._readers = consumers(graph)
        self._uses = uses_of(graph)

    def ends(self) -> Ends:
        """The ends of the block."""
        heads = tuple(self._head(Port(node.id)) for node in self._graph.inputs)
        return Ends(heads, tuple(self._behind(port)[0] for port in self._graph.output_ports))

    def to_open(self) -> set[int]:
        """The calls, by node, whose ends can be folded with what is beside them."""
        found: set[int] = set()
        for node in self._graph.nodes:
            for port, head in self._heads_at(node):
                tail, maker = self._behind(port)
                if tail is None or head is None or not tail.meets(head):
                    continue
                calls = [one for one in (node, maker) if one is not None and one.callee is not None]
                if all(map(self._owns, calls)):
                    found |= {call.id for call in calls}
        return found

    def _owns(self, node: Node) -> bool:
        return self._uses[id(node.instance)] == 1

    def _heads_at(self, node: Node) -> Iterator[tuple[Port, End | None]]:
        """For each input of a node that could be folded with what yields it, as what."""
        if node.callee is not None:
            yield from zip(node.inputs, self._known[node.callee].heads, strict=True)
            return
        layer, change = linearity_of(self._graph, node), affine_of(self._graph, node)
        if layer is not None:
            yield node.inputs[0], End("layer", layer.inputs, layer.padded)
        elif change is not None:
            yield node.inputs[change.at], _end_of(change)

    def _behind(self, port: Port) -> tuple[End | None, Node | None]:
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

    def _head(self, port: Port) -> End | None:
        """The end at an input."""
        orders: list[tuple[int, ...]] = []
        while self._reads[port] == 1 and port in self._readers:
            (node,) = self._readers[port]
            order = order_of(self._graph, node)
            if order is not None:
                orders.append(order)
                port = Port(node.id)
                continue
            found = dict(self._heads_at(node)).get(port)
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
        return _end_of(change) if change is not None else None

    def _usable(self, node: Node) -> bool:
        return node.instance is not None and (not node.instance.key or self._owns(node))


def _end_of(change: Affine) -> End:
    return End("factor" if change.is_factor else "change", change.axis)
