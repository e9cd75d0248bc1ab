"""Properties of the paths from each input of a block to each of its outputs.

Depth, number of paths and receptive field are all of this kind: something composes along a path,
and paths that meet are merged. A block is summed up by a matrix with an entry per input and
output that are connected, so each block is walked once however often it is used.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from heapq import heapify, heappop, heappush
from typing import Generic, TypeAlias, TypeVar

from archspec.analysis.fold import memoised
from archspec.frozen import frozen
from archspec.graph.model import Graph, Node, Region
from archspec.ops.base import Made

T = TypeVar("T")

Matrix: TypeAlias = Mapping[tuple[int, int], T]
"""By index of input and index of output (flattened), for connected pairs."""

Reached: TypeAlias = "dict[int, list[T | None]]"
"""For each node and output the value from one input; None if there is no path."""


@frozen
class Algebra(Generic[T]):
    """How values compose along paths.

    `start` is the value at an input. `series` continues a path by a step, `merge` joins two paths
    that end at the same place; `series` distributes over `merge`. `op` is the step through an op
    node, from any input to any output; it gets what the inputs are made of, and the matrices of
    the op's regions.
    """

    start: T
    series: Callable[[T, T], T]
    merge: Callable[[T, T], T]
    op: Callable[[Graph, Node, tuple[Made, ...], Sequence[tuple[Region, Matrix[T]]]], T]


MANY = 10_000
"""Maximum number of variants of blocks with different inputs; the rest is treated as data."""


@frozen
class Summary(Generic[T]):
    """The summary of a block: its matrix, and the kinds of its outputs."""

    matrix: Matrix[T]
    made: tuple[Made, ...]


Place: TypeAlias = "tuple[Graph, tuple[Made, ...]]"
"""A block, and the kinds of its inputs."""


def flow(graph: Graph, algebra: Algebra[T]) -> Matrix[T]:
    """The matrix of a graph, whose inputs are data."""
    known: dict[Place, Summary[T]] = {}

    def step(place: Place) -> Generator[Place, Summary[T], Summary[T]]:
        item, inputs = place
        made = list(inputs)
        made_of: dict[int, tuple[Made, ...]] = {}
        steps: dict[int, T] = {}
        inside: dict[int, Matrix[T]] = {}
        for node in item.nodes:
            read = tuple([made_of[port.node][port.index] for port in node.inputs])
            if node.callee is not None:
                below = yield _place(node.callee, read, known)
                inside[node.id] = below.matrix
                made_of[node.id] = below.made
            elif node.instance is None:
                made_of[node.id] = (made.pop(0),)
            else:
                regions: list[tuple[Region, Matrix[T]]] = []
                for region, given in _given(node.instance.regions, read):
                    below = yield _place(region.graph, given, known)
                    regions.append((region, below.matrix))
                steps[node.id] = algebra.op(item, node, read, regions)
                made_of[node.id] = (_made_by(item, node, read),) * len(node.types)
        outputs = tuple(made_of[port.node][port.index] for port in item.output_ports)
        return Summary(_matrix(item, steps, inside, algebra), outputs)

    start = (graph, (Made.DATA,) * len(graph.inputs))
    return memoised(start, step, known).matrix


def _place(graph: Graph, made: tuple[Made, ...], known: Mapping[Place, object]) -> Place:
    many = len(known) > MANY and (graph, made) not in known
    return graph, (Made.DATA,) * len(made) if many else made


def _given(
    regions: Sequence[Region], read: tuple[Made, ...]
) -> Iterator[tuple[Region, tuple[Made, ...]]]:
    """The kinds of the inputs of each region: those that its op passes, then its captures."""
    place = len(read) - sum(region.captured for region in regions)
    own = _either(read[:place])
    for region in regions:
        captured = read[place : place + region.captured]
        yield region, (own,) * (len(region.graph.inputs) - region.captured) + captured
        place += region.captured


def _either(read: tuple[Made, ...]) -> Made:
    """The kind of several merged values."""
    for kind in (Made.DATA, Made.WEIGHTS):
        if kind in read:
            return kind
    return Made.CONSTANTS


def _made_by(graph: Graph, node: Node, read: tuple[Made, ...]) -> Made:
    found = _either(read)
    if found is not Made.CONSTANTS:
        return found
    return Made.WEIGHTS if any(item.learnable for item in graph.parameters_of(node)) else found


def _matrix(
    item: Graph, steps: Mapping[int, T], inside: Mapping[int, Matrix[T]], algebra: Algebra[T]
) -> Matrix[T]:
    readers: dict[int, list[int]] = {}  # positions in the order of the graph
    for place, node in enumerate(item.nodes):
        for port in node.inputs:
            readers.setdefault(port.node, []).append(place)
    found: dict[tuple[int, int], T] = {}
    for index, start in enumerate(item.inputs):
        reached = _reach(item, start, readers, steps, inside, algebra)
        for output, port in enumerate(item.output_ports):
            row = reached.get(port.node)
            value = row[port.index] if row is not None else None
            if value is not None:
                found[index, output] = value
    return found


def _reach(
    graph: Graph,
    start: Node,
    readers: Mapping[int, Sequence[int]],
    steps: Mapping[int, T],
    inside: Mapping[int, Matrix[T]],
    algebra: Algebra[T],
) -> Reached[T]:
    reached: Reached[T] = {start.id: [algebra.start]}
    ahead = list(readers.get(start.id, ()))  # a heap: positions increase along every edge
    heapify(ahead)
    while ahead:
        node = graph.nodes[heappop(ahead)]
        if node.id in reached:
            continue
        before: list[T | None] = []
        for port in node.inputs:
            row = reached.get(port.node)
            before.append(None if row is None else row[port.index])
        if all(value is None for value in before):
            continue
        for reader in readers.get(node.id, ()):
            heappush(ahead, reader)
        if node.callee is None:
            after = _through_op(before, steps[node.id], algebra)
            reached[node.id] = [after] * len(node.types)
        else:
            reached[node.id] = _through_call(node, before, inside[node.id], algebra)
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
