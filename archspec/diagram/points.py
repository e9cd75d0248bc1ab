"""Points at which edges enter frames.

Data that is read more than once in a frame enters it once and branches inside; an edge to a box
further down in a frame goes through a point at its upper edge. Otherwise Graphviz would route them
around the frame.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from archspec.diagram.edges import Edge, Wiring, around, enters
from archspec.passes.flat import FlatPort


def parted(edges: Sequence[Edge], wiring: Wiring) -> tuple[list[Edge], dict[int, int]]:
    """Edges in which those that enter a frame together go through a point inside it."""
    frames = dict(wiring.frame_of)
    splits: dict[int, int] = {}
    fresh = max(frames, default=0) + 1
    work = list(edges)
    # Frames are sorted outermost first, so a point may branch again further inside.
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
            unread = all(edge.shape_only for edge in together)
            work.append(Edge(start, fresh, ports, together[0].source, 0, unread))
            fresh += 1
    return work, splits


def jointed(
    edges: Sequence[Edge], splits: dict[int, int], rank: dict[int, int], wiring: Wiring
) -> list[Edge]:
    """Edges that enter a frame below its upper edge, routed through a point on that edge.

    Edges that leave a frame above its lower edge are routed through a point there. Graphviz would
    route both past the frame and through its side. Points and their ranks are added.
    """
    inside: dict[int, set[int]] = {frame: set() for frame in wiring.parents}
    for box, inner in {**wiring.frame_of, **splits}.items():
        for frame in around(inner, wiring.parents):
            inside[frame].add(box)
    work, fresh = list(edges), max([*wiring.frame_of, *splits], default=0) + 1
    for frame in wiring.parents:
        boxes = set(inside[frame])
        top = min((rank[box] for box in boxes), default=0)
        bottom = max((rank[box] for box in boxes), default=0)
        done: list[Edge] = []
        for edge in work:
            enters = edge.start not in boxes and rank[edge.start] < top < rank[edge.end]
            leaves = edge.end not in boxes and rank[edge.start] < bottom < rank[edge.end]
            if not ((enters and edge.end in boxes) or (leaves and edge.start in boxes)):
                done.append(edge)
                continue
            splits[fresh], rank[fresh] = frame, top if enters else bottom
            for other in around(frame, wiring.parents):
                inside[other].add(fresh)
            done += [replace(edge, end=fresh, target=0), replace(edge, start=fresh)]
            fresh += 1
        work = done
    return work


def in_order(edges: Sequence[Edge], splits: Mapping[int, int], wiring: Wiring) -> list[int]:
    """Boxes and points in topological order: a point comes before its first target."""
    before: dict[int, list[int]] = {}
    place = {box: index for index, box in enumerate(wiring.frame_of)}
    ends: dict[int, list[int]] = {}
    for edge in edges:
        ends.setdefault(edge.start, []).append(edge.end)

    def first(point: int) -> int:
        return min(first(end) if end in splits else place[end] for end in ends[point])

    def hops(point: int) -> int:
        return max((1 + hops(end) for end in ends[point] if end in splits), default=0)

    for point in sorted(splits, key=lambda at: (-hops(at), -at)):
        before.setdefault(first(point), []).append(point)
    found: list[int] = []
    for index, box in enumerate(wiring.frame_of):
        found += [*before.get(index, ()), box]
    return found


def apart(
    edges: Sequence[Edge], splits: Mapping[int, int], order: Sequence[int], wiring: Wiring
) -> Iterator[tuple[int, int]]:
    """Pairs of boxes that keep frames below their sources and above their readers.

    These are a box that feeds a frame and a source inside it, and a box without readers inside it
    and a reader outside.
    """
    frames = {**wiring.frame_of, **splits}
    place = {box: index for index, box in enumerate(order)}
    inside: dict[int, list[int]] = {frame: [] for frame in wiring.parents}
    for box in order:
        for frame in around(frames[box], wiring.parents):
            inside[frame].append(box)
    into: dict[int, set[int]] = {frame: set() for frame in wiring.parents}
    out: dict[int, set[int]] = {frame: set() for frame in wiring.parents}
    fed: dict[int, set[int]] = {frame: set() for frame in wiring.parents}
    feeding: dict[int, set[int]] = {frame: set() for frame in wiring.parents}
    for edge in edges:
        left = set(around(frames[edge.start], wiring.parents))
        entered = set(around(frames[edge.end], wiring.parents))
        for frame in left & entered:
            fed[frame].add(edge.end)
            feeding[frame].add(edge.start)
        for frame in entered - left:
            into[frame].add(edge.start)
        for frame in left - entered:
            out[frame].add(edge.end)
    for frame, boxes in inside.items():
        first = [box for box in boxes if box not in fed[frame]]
        last = [box for box in boxes if box not in feeding[frame]]
        yield from ((a, b) for a in into[frame] for b in first if place[a] < place[b])
        yield from ((a, b) for a in last for b in out[frame] if place[a] < place[b])
