"""Points at which edges enter frames.

What enters a frame and is read there more than once enters it once, and parts inside; what is read
further down in it goes through a point at its upper end. Graphviz would lead both past the frame.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from archspec.diagram.edges import Edge, Wiring, around, enters
from archspec.passes.expand import FlatPort


def parted(edges: Sequence[Edge], wiring: Wiring) -> tuple[list[Edge], dict[int, int]]:
    """Edges with those that enter a frame together led through a point inside it."""
    frames = dict(wiring.frame_of)
    splits: dict[int, int] = {}
    fresh = max(frames, default=0) + 1
    work = list(edges)
    # Frames stand outermost first, so a point may be parted again further inside.
    for frame in wiring.parents:
        entering: dict[tuple[int, tuple[FlatPort, ...]], list[Edge]] = {}
        for edge in work:
            if enters(edge, frame, frames, wiring.parents):
                entering.setdefault((edge.start, edge.ports), []).append(edge)
        for (start, ports), together in entering.items():
            if len(together) < 2:
                continue
            frames[fresh] = splits[fresh] = frame
            moved = set(together)
            work = [replace(edge, start=fresh) if edge in moved else edge for edge in work]
            work.append(Edge(start, fresh, ports, together[0].source, 0))
            fresh += 1
    return work, splits


def jointed(
    edges: Sequence[Edge], splits: dict[int, int], rank: dict[int, int], wiring: Wiring
) -> list[Edge]:
    """Edges that enter a frame below its upper end, led through a point at that end.

    Graphviz would lead them past the frame and in from its side. Points and their ranks are added.
    """
    inside: dict[int, set[int]] = {frame: set() for frame in wiring.parents}
    for box, inner in {**wiring.frame_of, **splits}.items():
        for frame in around(inner, wiring.parents):
            inside[frame].add(box)
    work, fresh = list(edges), max([*wiring.frame_of, *splits], default=0) + 1
    for frame in wiring.parents:
        boxes = inside[frame]
        top = min((rank[box] for box in boxes), default=0)
        done: list[Edge] = []
        for edge in work:
            outside = edge.start not in boxes and edge.end in boxes
            if not outside or rank[edge.end] == top or rank[edge.start] >= top:
                done.append(edge)
                continue
            splits[fresh], rank[fresh] = frame, top
            for other in around(frame, wiring.parents):
                inside[other].add(fresh)
            done += [replace(edge, end=fresh, target=0), replace(edge, start=fresh)]
            fresh += 1
        work = done
    return work


def in_order(edges: Sequence[Edge], splits: Mapping[int, int], wiring: Wiring) -> list[int]:
    """Boxes and points in topological order: a point stands before the first that it leads to."""
    before: dict[int, list[int]] = {}
    place = {box: index for index, box in enumerate(wiring.frame_of)}
    ends: dict[int, list[int]] = {}
    for edge in edges:
        ends.setdefault(edge.start, []).append(edge.end)

    def first(point: int) -> int:
        return min(first(end) if end in splits else place[end] for end in ends[point])

    # An outer point leads to an inner one, and in one frame a later one to an earlier one.
    depth = {at: len(tuple(around(frame, wiring.parents))) for at, frame in splits.items()}
    for point in sorted(splits, key=lambda at: (depth[at], -at)):
        before.setdefault(first(point), []).append(point)
    found: list[int] = []
    for index, box in enumerate(wiring.frame_of):
        found += [*before.get(index, ()), box]
    return found


def above_frames(
    edges: Sequence[Edge], splits: Mapping[int, int], order: Sequence[int], wiring: Wiring
) -> Iterator[tuple[int, int]]:
    """Pairs of a box that feeds a frame and a source inside: the frame begins below the box."""
    frames = {**wiring.frame_of, **splits}
    place = {box: index for index, box in enumerate(order)}
    fed = {edge.end for edge in edges}
    sources = [box for box in order if box not in fed]
    for frame in wiring.parents:
        inside = [box for box in sources if frame in around(frames[box], wiring.parents)]
        if not inside:
            continue
        for edge in edges:
            if enters(edge, frame, frames, wiring.parents):
                yield from ((edge.start, box) for box in inside if place[edge.start] < place[box])
