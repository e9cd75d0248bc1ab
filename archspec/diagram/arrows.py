"""The arrows of a drawing: in which order they leave a box, where they enter a bar.

What enters a frame and is read there more than once enters it once, and parts inside: graphviz
keeps the order of branches within a frame only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cmp_to_key
from itertools import groupby
from typing import TypeAlias

from archspec.diagram.ranks import levels
from archspec.diagram.spine import plumb_lines
from archspec.frozen import frozen
from archspec.passes.expand import Flat, FlatPort

Reach: TypeAlias = Mapping[int, int]
"""Bars that lie below, each with the leftmost cell that is reached."""


@frozen
class Arrow:
    """Data from a box to a box. `out` and `into` are cells of bars; `length` is in ranks.

    One that is hidden only says that a box stands straight below another.
    """

    start: int
    end: int
    label: str
    tooltip: str
    out: int | None
    into: int | None
    length: int
    hidden: bool = False


@frozen
class Wiring:
    """Boxes in order with their frames, frames with their parents, and the cells of bars."""

    frame_of: Mapping[int, int | None]
    parents: Mapping[int, int | None]
    cells: Mapping[int, int]


@frozen
class Drawn:
    """Arrows, and the points where data parts, each with its frame."""

    arrows: tuple[Arrow, ...]
    splits: Mapping[int, int]


@frozen
class _Edge:
    start: int
    end: int
    port: FlatPort
    source: int  # the box that yields the data; `start` may be a point where it parts
    target: int


def arrows(flat: Flat, owner: Mapping[int, int], wiring: Wiring) -> Drawn:
    """Arrows between boxes; `owner` gives the box of a node that is not one by itself."""
    edges, splits = _parted(_edges(flat, owner), wiring)
    order = _order(edges, splits, wiring)
    edges, reach = _sorted(edges, order, wiring.cells)
    downward = [(edge.start, edge.end) for edge in edges]
    rank = levels(order, downward, _above_frames(edges, splits, order, wiring))
    leaving: dict[int, int] = {}
    for edge in edges:
        leaving[edge.start] = leaving.get(edge.start, 0) + 1
    place: dict[int, int] = {}
    labelled: set[tuple[int, str]] = set()
    found: list[Arrow] = []
    for edge in edges:
        at = place[edge.start] = place.get(edge.start, -1) + 1
        kind = flat.type_of(edge.port)
        shape = kind.shape_text
        said = {(edge.source, shape)} | ({(edge.end, shape)} if edge.end in wiring.cells else set())
        new = _is_new(flat, edge) and not said & labelled
        if new:
            labelled |= said
        spread = leaving[edge.start] == wiring.cells.get(edge.start)
        found.append(
            Arrow(
                edge.start,
                edge.end,
                shape if new else "",
                str(kind),
                at if spread else None,
                edge.target if edge.end in wiring.cells else None,
                max(1, rank[edge.end] - rank[edge.start]),
            )
        )
    lines = _plumb_lines(edges, order, reach, wiring, splits)
    return Drawn(tuple(_with_lines(found, lines, rank)), splits)


def _edges(flat: Flat, owner: Mapping[int, int]) -> list[_Edge]:
    found: list[_Edge] = []
    for item in flat.nodes:
        end = owner.get(item.index, item.index)
        for target, port in enumerate(item.inputs):
            start = owner.get(port[0], port[0])
            if start != end:
                found.append(_Edge(start, end, port, start, target))
    return found


def _is_new(flat: Flat, edge: _Edge) -> bool:
    """Whether a shape is not that of any input of the box that yields it.

    An input of the network says its shape itself. A box begins with its first op.
    """
    first = flat.nodes[edge.source]
    kind = flat.type_of(edge.port)
    return first.kind != "input" and all(flat.type_of(given) != kind for given in first.inputs)


# ---------------------------------------------------------------------- points where data parts


def _parted(edges: Sequence[_Edge], wiring: Wiring) -> tuple[list[_Edge], Mapping[int, int]]:
    """Edges with those that enter a frame together led through a point inside it."""
    frames = dict(wiring.frame_of)
    splits: dict[int, int] = {}
    fresh = max(frames, default=0) + 1
    work = list(edges)
    # Frames stand outermost first, so a point may be parted again further inside.
    for frame in wiring.parents:
        entering: dict[tuple[int, FlatPort], list[_Edge]] = {}
        for edge in work:
            if _enters(edge, frame, frames, wiring.parents):
                entering.setdefault((edge.start, edge.port), []).append(edge)
        for (start, port), together in entering.items():
            if len(together) < 2:
                continue
            frames[fresh] = splits[fresh] = frame
            moved = set(together)
            work = [replace(edge, start=fresh) if edge in moved else edge for edge in work]
            work.append(_Edge(start, fresh, port, together[0].source, 0))
            fresh += 1
    return work, splits


def _enters(
    edge: _Edge,
    frame: int,
    frames: Mapping[int, int | None],
    parents: Mapping[int, int | None],
) -> bool:
    return _inside(frames[edge.end], frame, parents) and not _inside(
        frames[edge.start], frame, parents
    )


def _inside(at: int | None, frame: int, parents: Mapping[int, int | None]) -> bool:
    while at is not None and at != frame:
        at = parents[at]
    return at == frame


def _order(edges: Sequence[_Edge], splits: Mapping[int, int], wiring: Wiring) -> list[int]:
    """Boxes and points in topological order: a point stands before the first that it leads to."""
    before: dict[int, list[int]] = {}
    first: dict[int, int] = {}
    place = {box: index for index, box in enumerate(wiring.frame_of)}
    for point in reversed(splits):
        ends = [edge.end for edge in edges if edge.start == point]
        first[point] = min(first.get(end, place.get(end, 0)) for end in ends)
    for point in splits:
        before.setdefault(first[point], []).append(point)
    found: list[int] = []
    for index, box in enumerate(wiring.frame_of):
        found += [*before.get(index, ()), box]
    return found


def _above_frames(
    edges: Sequence[_Edge], splits: Mapping[int, int], order: Sequence[int], wiring: Wiring
) -> Iterator[tuple[int, int]]:
    """Pairs of a box that feeds a frame and a source inside: the frame begins below the box."""
    frames = {**wiring.frame_of, **splits}
    place = {box: index for index, box in enumerate(order)}
    fed = {edge.end for edge in edges}
    sources = [box for box in order if box not in fed]
    for frame in wiring.parents:
        inside = [box for box in sources if _inside(frames[box], frame, wiring.parents)]
        if not inside:
            continue
        for edge in edges:
            if _enters(edge, frame, frames, wiring.parents):
                yield from ((edge.start, box) for box in inside if place[edge.start] < place[box])


# ---------------------------------------------------------------------- order of branches


def _sorted(
    edges: Sequence[_Edge], order: Sequence[int], cells: Mapping[int, int]
) -> tuple[list[_Edge], Mapping[int, Reach]]:
    """Edges box by box, those of one box from left to right as the bars below want them.

    Also gives what lies below each box.
    """
    leaving: dict[int, list[_Edge]] = {box: [] for box in order}
    for edge in edges:
        leaving[edge.start].append(edge)
    reach: dict[int, Reach] = {}
    for box in reversed(order):
        reach[box] = _merged(_below(edge, cells, reach) for edge in leaving[box])
    place = {box: index for index, box in enumerate(order)}

    def compare(left: _Edge, right: _Edge) -> int:
        mine, theirs = _below(left, cells, reach), _below(right, cells, reach)
        shared = [bar for bar in mine if bar in theirs and mine[bar] != theirs[bar]]
        if not shared:
            return 0
        bar = min(shared, key=place.__getitem__)
        return mine[bar] - theirs[bar]

    return [e for box in order for e in sorted(leaving[box], key=cmp_to_key(compare))], reach


def _below(edge: _Edge, cells: Mapping[int, int], reach: Mapping[int, Reach]) -> Reach:
    below = dict(reach[edge.end])
    if edge.end in cells:
        below[edge.end] = edge.target
    return below


def _merged(reaches: Iterable[Reach]) -> Reach:
    found: dict[int, int] = {}
    for reach in reaches:
        for bar, cell in reach.items():
            found[bar] = min(cell, found.get(bar, cell))
    return found


# ---------------------------------------------------------------------- plumb lines


def _plumb_lines(
    edges: Sequence[_Edge],
    order: Sequence[int],
    reach: Mapping[int, Reach],
    wiring: Wiring,
    splits: Mapping[int, int],
) -> Mapping[int, int]:
    """By box, the one that is to stand straight below it.

    The line runs down the middle of what leaves the box, so it is drawn only where there is a
    middle, and where no bar on the way lies across it.
    """
    pairs = [(edge.start, edge.end) for edge in edges]
    frames = {**wiring.frame_of, **splits}
    place = {box: index for index, box in enumerate(order)}
    leaving: dict[int, list[_Edge]] = {}
    for edge in edges:
        leaving.setdefault(edge.start, []).append(edge)
    found: dict[int, int] = {}
    for frame in (None, *wiring.parents):
        inside = [b for b in order if frame is None or _inside(frames[b], frame, wiring.parents)]
        known = set(inside)
        starts = {end for start, end in pairs if end in known and start not in known}
        ends = {start for start, end in pairs if start in known and end not in known}
        for start, end in plumb_lines(inside, pairs, starts or inside[:1], ends or inside[-1:]):
            ways = leaving[start]
            half = len(ways) // 2
            left = _merged(_below(way, wiring.cells, reach) for way in ways[:half])
            right = _merged(_below(way, wiring.cells, reach) for way in ways[half:])
            across = any(place[bar] < place[end] for bar in left if bar in right)
            if not across and len(ways) % 2 == 0:
                found[start] = end
    return found


def _with_lines(
    found: Sequence[Arrow], lines: Mapping[int, int], rank: Mapping[int, int]
) -> Iterator[Arrow]:
    """The arrows with a hidden one in the middle of those of a box that has a plumb line."""
    for box, group in groupby(found, key=lambda arrow: arrow.start):
        ways = list(group)
        if box in lines:
            end = lines[box]
            length = max(1, rank[end] - rank[box])
            ways.insert(len(ways) // 2, Arrow(box, end, "", "", None, None, length, hidden=True))
        yield from ways
