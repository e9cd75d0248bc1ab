"""The edges of a drawing: the data between boxes, and the frames on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeAlias

from archspec.diagram.shape_readers import ShapeReaders
from archspec.frozen import frozen
from archspec.passes.flat import Flat, FlatNode, FlatPort

Reach: TypeAlias = Mapping[int, int]
"""The bars below, each with the leftmost cell that is reached."""


@frozen
class Wiring:
    """Boxes in order with their frames, frames with their parents, and the cells of boxes.

    `bars` are those as wide as their inputs, `merging` these and the small ones.
    """

    frame_of: Mapping[int, int | None]
    parents: Mapping[int, int | None]
    cells: Mapping[int, int]
    bars: frozenset[int]
    merging: frozenset[int]


@frozen
class Edge:
    """All data from one box to another, or to one cell of it.

    `target` is the first input that it enters; of `shape_only` data no values are used. It is the
    data of so many pieces as `times` says.
    """

    start: int
    end: int
    ports: tuple[FlatPort, ...]
    source: int  # the box that computes the data; `start` may be a point where it branches
    target: int
    shape_only: bool = False
    times: int = 1


def edges_between(flat: Flat, owner: Mapping[int, int], cells: Mapping[int, int]) -> list[Edge]:
    """The edges between boxes: one for all data between two boxes, unless they have cells.

    There is none for a shape that is clear from what follows.
    """
    found: dict[tuple[int, int, int], list[FlatPort]] = {}
    first: dict[tuple[int, int, int], int] = {}
    read: set[tuple[int, int, int]] = set()
    times: dict[tuple[int, int, int], int] = {}
    readers = ShapeReaders()
    implied = _implied(flat)
    for item in flat.nodes:
        shapes = readers.of(item)
        end = owner.get(item.index, item.index)
        for target, port in (*item.also, *enumerate(item.inputs)):
            start = owner.get(port[0], port[0])
            if start != end and not (target in shapes and implied(item, port)):
                way = start, end, target if end in cells else 0
                first.setdefault(way, target)
                number = item.times[target] if item.times else item.inputs.count(port)
                if item.times or (port in flat.collected and number in _counts(flat, port[0])):
                    times[way] = max(times.get(way, 1), number)
                if target not in shapes:
                    read.add(way)
                ports = found.setdefault(way, [])
                ports += [port] * (port not in ports)
    return [
        Edge(way[0], way[1], tuple(ports), way[0], first[way], way not in read, times.get(way, 1))
        for way, ports in found.items()
    ]


def _implied(flat: Flat) -> Callable[[FlatNode, FlatPort], bool]:
    """Whether an op takes the shape of data with which its result is merged.

    After `resize_like(x, skip)`, which a sum or `concat` merges with `skip`, the shape is clear.
    """
    after: dict[int, list[FlatNode]] = {}
    for item in flat.nodes:
        for start in {start for start, _ in item.sources}:
            after.setdefault(start, []).append(item)

    def found(item: FlatNode, port: FlatPort) -> bool:
        merging = [other for other in after.get(item.index, ()) if _merges(other)]
        last = bool(merging) and len(merging) == len(after[item.index])
        return last and len(item.inputs) > 1 and all(port in one.inputs for one in merging)

    return found


def _merges(item: FlatNode) -> bool:
    op = item.node.op if item.node is not None else None
    return op is not None and (op.category == "merge" or bool(op.arithmetic))


def _counts(flat: Flat, index: int) -> Iterator[int]:
    """The numbers of equal pieces that a node represents: its own, and those of its groups."""
    item = flat.nodes[index]
    yield item.count
    groups = {group.index: group for group in flat.groups}
    at = item.group
    while at is not None:
        yield groups[at].count
        at = groups[at].parent


def around(frame: int | None, parents: Mapping[int, int | None]) -> Iterator[int]:
    """The frames around an item in a frame, innermost first."""
    while frame is not None:
        yield frame
        frame = parents[frame]


def enters(
    edge: Edge,
    frame: int,
    frames: Mapping[int, int | None],
    parents: Mapping[int, int | None],
) -> bool:
    """Whether an edge begins outside a frame and ends inside."""
    into = frame in around(frames[edge.end], parents)
    return into and frame not in around(frames[edge.start], parents)


def below(edge: Edge, cells: Mapping[int, int], reach: Mapping[int, Reach]) -> Reach:
    """The bars to which an edge leads."""
    found = dict(reach[edge.end])
    if edge.end in cells:
        found[edge.end] = edge.target
    return found


def merged(reaches: Iterable[Reach]) -> Reach:
    """The bars to which any of several edges leads."""
    found: dict[int, int] = {}
    for reach in reaches:
        for bar, cell in reach.items():
            found[bar] = min(cell, found.get(bar, cell))
    return found
