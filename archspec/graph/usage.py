"""The weights that the outputs of a network need, across blocks, regions and both modes.

A block computes all of its outputs, so weights may be used in computations without affecting an
output of the network: those that only contribute to an output which no caller reads. Needs are
described by views: a graph, and those of its outputs that are needed. An instance has several
views, one for each mode and use; its weights are needed if one of the views needs them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import reduce
from math import prod
from operator import or_
from typing import TypeAlias

from archspec.frozen import frozen
from archspec.graph.compiled import Compiled
from archspec.graph.model import Graph, Node, Region
from archspec.graph.names import join_path
from archspec.graph.walk import postorder, walk

EVERYTHING = -1
"""As a set of outputs: all of them, and also nodes that no output needs."""

MANY = 10_000
"""The number of distinct sets of views; after that, everything counts as needed."""

View: TypeAlias = "tuple[Graph, int]"
"""A graph and the outputs that are needed, as the bits of a number."""

Views: TypeAlias = "frozenset[View]"


@frozen
class Part:
    """A graph of a view, or of a region in one: its needed nodes, with their needed outputs.

    `prefix` is the path of a region below the graph of the view.
    """

    graph: Graph
    prefix: str
    asked: Mapping[int, int]

    def path(self, node: Node) -> str:
        """The path of the instance of a node."""
        return join_path(self.prefix, node.instance.key if node.instance is not None else "")


@dataclass
class Used:
    """The needs on the graphs of some views: parameters by path, calls by path."""

    parts: list[Part] = field(default_factory=list)
    parameters: dict[str, dict[str, int]] = field(default_factory=dict)
    calls: dict[str, Views] = field(default_factory=dict)


class Usage:
    """The needs of the outputs of a network."""

    def __init__(self, compiled: Compiled) -> None:
        graphs = dict.fromkeys((compiled.inference, compiled.training))
        self.root: Views = frozenset((graph, full(graph)) for graph in graphs)
        self._inputs: dict[Graph, tuple[int, ...]] = {}
        for item in (item for graph in graphs for item in walk(graph)):
            if item not in self._inputs:
                self._inputs[item] = self._inputs_of_outputs(item)
        self._used: dict[Views, Used] = {}
        self._counts: dict[Views, int] = {}

    def below(self) -> Iterator[Used]:
        """The needs on each block, once for each set of views."""
        for views in postorder(self.root, self._children):
            yield self.used(views)

    def count(self, views: Views | None = None) -> int:
        """The number of elements of the needed parameters; of the whole network without views."""
        start = self.root if views is None else views
        for item in postorder(start, self._children):
            if item not in self._counts:
                used = self.used(item)
                own = sum(sum(sizes.values()) for sizes in used.parameters.values())
                self._counts[item] = own + sum(self._counts[call] for call in used.calls.values())
        return self._counts[start]

    def needs(self, name: str) -> bool:
        """Whether the weights with this full name are needed."""
        views, rest = self.root, name
        while True:
            used = self.used(views)
            for path, sizes in used.parameters.items():
                if any(join_path(path, own) == rest for own in sizes):
                    return True
            call = next((path for path in used.calls if rest.startswith(f"{path}.")), None)
            if call is None:
                return False
            views, rest = used.calls[call], rest[len(call) + 1 :]

    def lost(self, part: Part, node: Node, unread: Iterable[int], used: Used) -> int:
        """The number of elements of parameters that only these outputs of a node need."""
        outputs = part.asked[node.id] | _either(1 << index for index in unread)
        more = Used()
        self._take(more, Part(part.graph, part.prefix, {node.id: outputs}))
        lost = 0
        for path, sizes in more.parameters.items():
            needed = used.parameters.get(path, {})
            lost += sum(size for name, size in sizes.items() if name not in needed)
        for path, views in more.calls.items():
            needed_views = used.calls.get(path, frozenset())
            lost += self.count(views | needed_views) - self.count(needed_views)
        return lost

    def owned(self, graph: Graph, node: Node) -> int:
        """The number of elements of the parameters of one node, with its callees and regions."""
        found = Used()
        self._take(found, Part(graph, "", {node.id: EVERYTHING}))
        own = sum(sum(sizes.values()) for sizes in found.parameters.values())
        return own + sum(self.count(views) for views in found.calls.values())

    def used(self, views: Views) -> Used:
        """The needs on the graphs of these views."""
        if views not in self._used:
            found = self._used[views] = Used()
            for graph, outputs in views:
                self._take(found, Part(graph, "", self._asked(graph, outputs)))
        return self._used[views]

    # ------------------------------------------------------------------ one graph

    def _children(self, views: Views) -> tuple[Views, ...]:
        return tuple(self.used(views).calls.values())

    def _take(self, found: Used, part: Part) -> None:
        """Add the needs on a graph and on the regions in it."""
        stack = [part]
        while stack:
            part = stack.pop()
            found.parts.append(part)
            for number, outputs in part.asked.items():
                node = part.graph.node(number)
                if node.instance is None:
                    continue
                path = part.path(node)
                if node.callee is not None:
                    many = len(self._used) > MANY and outputs != EVERYTHING
                    view = (node.callee, full(node.callee) if many else outputs)
                    found.calls[path] = found.calls.get(path, frozenset()) | {view}
                    continue
                sizes = _learnable(part.graph, node)
                if sizes:
                    found.parameters.setdefault(path, {}).update(sizes)
                for region in node.instance.regions:
                    asked = self._asked(region.graph, self._wanted(node, region, outputs))
                    stack.append(Part(region.graph, join_path(path, region.key), asked))

    def _asked(self, graph: Graph, outputs: int) -> Mapping[int, int]:
        """The needed outputs of each node, by number, for these outputs of the graph."""
        if outputs == EVERYTHING:
            return {node.id: EVERYTHING for node in graph.nodes}
        asked: dict[int, int] = {}
        for index, port in enumerate(graph.output_ports):
            if outputs >> index & 1:
                asked[port.node] = asked.get(port.node, 0) | 1 << port.index
        for node in reversed(graph.nodes):
            for at in self._read(node, asked.get(node.id, 0)):
                port = node.inputs[at]
                asked[port.node] = asked.get(port.node, 0) | 1 << port.index
        return asked

    def _read(self, node: Node, outputs: int) -> Iterator[int]:
        """The inputs of a node that some of its outputs need."""
        if not outputs:
            return
        if node.callee is None:
            read = self._inputs_of_op(node, outputs)
        else:
            read = _either(_chosen(self._inputs[node.callee], outputs))
        yield from (at for at in range(len(node.inputs)) if read >> at & 1)

    def _wanted(self, node: Node, region: Region, outputs: int) -> int:
        """The outputs of a region that these outputs of its op need, over all steps."""
        graph, op = region.graph, node.op
        if op is None or op.yields_region != region.name or outputs == EVERYTHING:
            return EVERYTHING if outputs == EVERYTHING else full(graph)
        own = len(graph.inputs) - region.captured
        states = op.region_states(region.name, own, len(graph.output_ports))
        wanted, before = outputs, 0
        while wanted != before:
            before = wanted
            read = _either(_chosen(self._inputs[graph], wanted))
            wanted |= _either(1 << output for at, output in states.items() if read >> at & 1)
        return wanted

    def _inputs_of_op(self, node: Node, outputs: int) -> int:
        """The inputs of an op that some of its outputs need, as bits.

        Not the initial state of a region, nor its captures, if only other outputs need them.
        """
        read = (1 << len(node.inputs)) - 1
        if node.instance is None or node.op is None:
            return read
        place = len(node.inputs) - sum(region.captured for region in node.instance.regions)
        for region in node.instance.regions:
            graph, wanted = region.graph, self._wanted(node, region, outputs)
            own = len(graph.inputs) - region.captured
            needed = _either(_chosen(self._inputs[graph], wanted))
            states = node.op.region_states(region.name, own, len(graph.output_ports))
            spared = {at: at for at in states}
            spared |= {own + at: place + at for at in range(region.captured)}
            for inside, outside in spared.items():
                if not needed >> inside & 1:
                    read &= ~(1 << outside)
            place += region.captured
        return read

    def _inputs_of_outputs(self, graph: Graph) -> tuple[int, ...]:
        """The inputs that each output needs, as bits."""
        place = {node.id: index for index, node in enumerate(graph.inputs)}
        masks: dict[int, tuple[int, ...]] = {}
        for node in graph.nodes:
            read = [masks[port.node][port.index] for port in node.inputs]
            if node.is_input:
                masks[node.id] = (1 << place[node.id],)
            elif node.callee is None:
                masks[node.id] = self._through_op(node, read)
            else:
                wanted = self._inputs[node.callee]
                known = {inputs: _either(_chosen(read, inputs)) for inputs in set(wanted)}
                masks[node.id] = tuple(known[inputs] for inputs in wanted)
        return tuple(masks[port.node][port.index] for port in graph.output_ports)

    def _through_op(self, node: Node, read: list[int]) -> tuple[int, ...]:
        """The inputs that each output of an op needs, from what each of its inputs needs."""
        if node.instance is None or not node.instance.regions:
            return (_either(read),) * len(node.types)
        wanted = (self._inputs_of_op(node, 1 << index) for index in range(len(node.types)))
        return tuple(_either(_chosen(read, inputs)) for inputs in wanted)


def _either(masks: Iterable[int]) -> int:
    return reduce(or_, masks, 0)


def _chosen(masks: Iterable[int], bits: int) -> Iterator[int]:
    return (mask for at, mask in enumerate(masks) if bits >> at & 1)


def full(graph: Graph) -> int:
    """All outputs of a graph, as bits."""
    return (1 << len(graph.output_ports)) - 1


def _learnable(graph: Graph, node: Node) -> dict[str, int]:
    """The number of elements of the parameters of an op, by name."""
    parameters = graph.parameters_of(node)
    return {item.name: prod(item.shape) for item in parameters if item.learnable}
