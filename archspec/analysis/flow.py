"""What happens on the way from each input of a block to each of its outputs.

Depth, number of paths and receptive field are all of this kind: something composes along a path,
and paths that meet are merged. A block is summed up by a matrix with an entry per input and
output that are connected, so each block is walked once however often it is used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from heapq import heapify, heappop, heappush
from typing import Generic, TypeAlias, TypeVar

from archspec.analysis.fold import Below, fold
from archspec.frozen import frozen
from archspec.graph.model import Graph, Node, Region

T = TypeVar("T")

Matrix: TypeAlias = Mapping[tuple[int, int], T]
"""By index of input and index of output (flattened), for those that are connected."""

Reached: TypeAlias = "list[list[T | None] | None]"
"""By node and output what arrives there from one input; None where nothing does."""


@frozen
class Algebra(Generic[T]):
    """How something composes.

    `start` is the value at an input. `series` continues a path by a step, `merge` joins two paths
    that end at the same place; `series` distributes over `merge`. `op` is the step through an op
    node, from any input to any output; it is given the matrices of the op's regions.
    """

    start: T
    series: Callable[[T, T], T]
    merge: Callable[[T, T], T]
    op: Callable[[Graph, Node, Sequence[tuple[Region, Matrix[T]]]], T]


def flow(graph: Graph, algebra: Algebra[T]) -> Matrix[T]:
    """The matrix of a graph."""

    def step(item: Graph, below: Below[Matrix[T]]) -> Matrix[T]:
        steps = {
            node.id: algebra.op(
                item, node, [(region, below(region.graph)) for region in node.instance.regions]
            )
            for node in item.nodes
            if node.instance is not None and node.callee is None
        }
        readers: dict[int, list[int]] = {}
        for node in item.nodes:
            for port in node.inputs:
                readers.setdefault(port.node, []).append(node.id)
        found: dict[tuple[int, int], T] = {}
        for index, start in enumerate(item.inputs):
            reached = _reach(item, start, readers, steps, algebra, below)
            for output, port in enumerate(item.output_ports):
                row = reached[port.node]
                value = row[port.index] if row is not None else None
                if value is not None:
                    found[index, output] = value
        return found

    return fold(graph, step)


def _reach(
    graph: Graph,
    start: Node,
    readers: Mapping[int, Sequence[int]],
    steps: Mapping[int, T],
    algebra: Algebra[T],
    below: Below[Matrix[T]],
) -> Reached[T]:
    reached: Reached[T] = [None] * len(graph.nodes)
    reached[start.id] = [algebra.start]
    ahead = list(readers.get(start.id, ()))  # a heap: ids go up along every edge
    heapify(ahead)
    while ahead:
        node = graph.nodes[heappop(ahead)]
        if reached[node.id] is not None:
            continue
        before: list[T | None] = []
        for port in node.inputs:
            row = reached[port.node]
            before.append(None if row is None else row[port.index])
        if all(value is None for value in before):
            continue
        for reader in readers.get(node.id, ()):
            heappush(ahead, reader)
        if node.callee is None:
            after = _through_op(before, steps[node.id], algebra)
            reached[node.id] = [after] * len(node.types)
        else:
            reached[node.id] = _through_call(node, before, below(node.callee), algebra)
    return reached


def _through_op(before: Sequence[T | None], step: T, algebra: Algebra[T]) -> T | None:
    merged: T | None = None
    for value in before:
        if value is not None:
            merged = value if merged is None else algebra.merge(merged, value)
    return None if merged is None else algebra.series(merged, step)


def _through_call(
    node: Node, before: Sequence[T | None], matrix: Matrix[T], algebra: Algebra[T]
) -> list[T | None]:
    found: list[T | None] = [None] * len(node.types)
    for (target, source), step in matrix.items():
        value = before[target]
        if value is None:
            continue
        after = algebra.series(value, step)
        known = found[source]
        found[source] = after if known is None else algebra.merge(known, after)
    return found
