"""Folding within one block: one sweep over its nodes, in their order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import replace

from archspec.graph.model import Graph, Instance, Node, Port
from archspec.graph.selection import pruned
from archspec.ops.arithmetic import Add
from archspec.ops.base import Op
from archspec.passes.folding.patterns import (
    Linearity,
    Taps,
    affine_of,
    linearity_of,
    order_of,
    taps_of,
    with_bias,
)
from archspec.passes.folding.steps import After, Before, Merge, Statistics, Step


def sweep(graph: Graph) -> tuple[Graph, tuple[Step, ...]]:
    """The block with everything folded that stands in it, and what that does to its weights.

    Without anything to fold it is the same object.
    """
    work = _Sweep(graph)
    for node in graph.nodes:
        work.visit(node)
    return (work.result(), tuple(work.steps)) if work.steps else (graph, ())


def uses_of(graph: Graph) -> Counter[int]:
    """How often each instance is used, by its identity, in a block and in the regions below it."""
    found: Counter[int] = Counter()
    stack = [graph]
    while stack:
        for node in stack.pop().nodes:
            if node.instance is not None:
                found[id(node.instance)] += 1
                stack += [region.graph for region in node.instance.regions]
    return found


class _Sweep:
    """What has become of the nodes so far; the graph itself stays as it is."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._instances = uses_of(graph)
        self._inputs = [list(node.inputs) for node in graph.nodes]
        self._ops: dict[int, Op] = {}
        self._became: dict[Port, Port] = {}
        self._behind: dict[Port, tuple[Port, tuple[int, ...]]] = {}
        read = [port for ports in self._inputs for port in ports]
        self._reads = Counter([*read, *graph.output_ports])
        self.steps: list[Step] = []

    def visit(self, node: Node) -> None:
        """Fold what this node completes."""
        if node.instance is None or node.op is None:
            return
        if not (self._add_up(node) or self._fold_back(node)):
            self._fold_forward(node)
            self._note_order(node)
            self._cancel(node)

    def result(self) -> Graph:
        """The block as it is now."""
        nodes: list[Node] = []
        for node in self._graph.nodes:
            instance, op = node.instance, self._ops.get(node.id)
            if instance is not None and op is not None:
                instance = Instance(
                    instance.key, op, origin=instance.origin, explicit=instance.explicit
                )
            inputs = tuple(self._now(port) for port in self._inputs[node.id])
            nodes.append(replace(node, instance=instance, inputs=inputs))
        outputs = tuple(
            replace(output, ports=tuple(map(self._now, output.ports)))
            for output in self._graph.outputs
        )
        return pruned(replace(self._graph, nodes=tuple(nodes)), outputs)

    def _now(self, port: Port) -> Port:
        while port in self._became:
            port = self._became[port]
        return port

    def _bypass(self, node: Node, at: int) -> None:
        """Let an input of a node stand for its output."""
        port, out = self._now(self._inputs[node.id][at]), Port(node.id)
        for other, gone in enumerate(self._inputs[node.id]):
            if other != at:
                self._reads[self._now(gone)] -= 1
        self._became[out] = port
        self._reads[port] += self._reads[out] - 1

    def _owns(self, node: Node) -> bool:
        """Whether the weights of a node are its own."""
        return node.instance is not None and self._instances[id(node.instance)] == 1

    def _maker(self, port: Port, axis: int) -> tuple[Node, int] | None:
        """The node behind reorderings that nothing else reads, and there the place of an axis."""
        port = self._now(port)
        while self._reads[port] == 1:
            if port not in self._behind:
                return self._graph.nodes[port.node], axis
            base, order = self._behind[port]
            axis, port = order[axis], self._now(base)
        return None

    def _note_order(self, node: Node) -> None:
        """Remember what is behind a reordering: all before it that nothing else reads at once."""
        order = order_of(self._graph, node)
        if order is None:
            return
        port = self._now(self._inputs[node.id][0])
        if self._reads[port] == 1 and port in self._behind:
            port, earlier = self._behind[port]
            order = tuple(earlier[axis] for axis in order)
        self._behind[Port(node.id)] = port, order

    def _layer(self, node: Node) -> Linearity | None:
        return linearity_of(self._graph, node) if self._owns(node) else None

    def _gain_bias(self, node: Node) -> None:
        op = self._ops.get(node.id, node.op)
        assert op is not None
        self._ops[node.id] = with_bias(op)

    def _fold_back(self, node: Node) -> bool:
        """A change of channels goes into the layer that yields them."""
        found = affine_of(self._graph, node)
        made = self._maker(self._inputs[node.id][found.at], found.axis) if found else None
        layer = self._layer(made[0]) if made is not None else None
        if found is None or made is None or layer is None or layer.outputs != made[1]:
            return False
        if isinstance(found.change, Statistics) and not self._owns(node):
            return False
        self.steps.append(After(layer.layer, found.change))
        if not found.is_factor:
            self._gain_bias(made[0])
        self._bypass(node, found.at)
        return True

    def _fold_forward(self, node: Node) -> None:
        """A change of channels that a layer reads goes into the layer.

        Where its windows reach over the edge, only a factor does: what is there stays zero.
        """
        layer = self._layer(node)
        made = self._maker(self._inputs[node.id][0], layer.inputs) if layer is not None else None
        found = affine_of(self._graph, made[0]) if made is not None else None
        if layer is None or made is None or found is None or found.axis != made[1]:
            return
        if layer.padded and not found.is_factor:
            return
        if isinstance(found.change, Statistics) and not self._owns(made[0]):
            return
        self.steps.append(Before(layer.layer, found.change))
        if not found.is_factor:
            self._gain_bias(node)
        self._bypass(made[0], found.at)

    def _add_up(self, node: Node) -> bool:
        """Convolutions of one input that are added become the largest of them."""
        if not isinstance(node.op, Add) or len(node.inputs) < 2:
            return False
        merged: set[int] = set()
        for alike in self._alike(node):
            rest = sorted(alike, key=lambda item: item[1].span, reverse=True)
            while rest:
                (into, large), *others = rest
                rest = [item for item in others if not large.holds(item[1])]
                for part, small in others:
                    if large.holds(small):
                        self._merge(into, large, part, small)
                        merged.add(part.id)
        self._inputs[node.id] = [
            port for port in self._inputs[node.id] if self._now(port).node not in merged
        ]
        if len(self._inputs[node.id]) == 1:
            self._bypass(node, 0)
        return bool(merged)

    def _alike(self, node: Node) -> Iterable[list[tuple[Node, Taps]]]:
        """Convolutions that only this node reads, those together that differ in taps only."""
        found: dict[Hashable, list[tuple[Node, Taps]]] = {}
        for port in self._inputs[node.id]:
            made = self._graph.nodes[self._now(port).node]
            if self._reads[self._now(port)] != 1 or self._layer(made) is None:
                continue
            taps = taps_of(self._graph, made, self._now(self._inputs[made.id][0]))
            if taps is not None and self._graph.type_of(port) == node.types[0]:
                found.setdefault(taps.frame, []).append((made, taps))
        return found.values()

    def _merge(self, into: Node, large: Taps, part: Node, small: Taps) -> None:
        assert into.instance is not None
        assert part.instance is not None
        start = (its - mine for mine, its in zip(large.first, small.first, strict=True))
        self.steps.append(Merge(into.instance.key, part.instance.key, tuple(start), small.dilation))
        if getattr(self._ops.get(part.id, part.op), "bias", False):
            self._gain_bias(into)
        self._reads[small.source] -= 1

    def _cancel(self, node: Node) -> None:
        """An order of axes that undoes the one before it, once nothing stands between them."""
        order = order_of(self._graph, node)
        port = self._now(self._inputs[node.id][0]) if order is not None else None
        if order is None or port is None or self._reads[port] != 1 or not self.steps:
            return
        other = self._graph.nodes[port.node]
        first = order_of(self._graph, other)
        if first is not None and [first[axis] for axis in order] == [*range(len(order))]:
            source = self._now(self._inputs[other.id][0])
            self._became[Port(node.id)] = source
            self._reads[source] += self._reads[Port(node.id)] - 1
