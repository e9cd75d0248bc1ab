"""Edges that are straight, and boxes that are aligned vertically."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set

from archspec.diagram.edges import Edge, Reach, Wiring, around, below, merged
from archspec.diagram.regions import Regions
from archspec.diagram.spine import plumb_lines

SIDE, BRANCH, INSIDE, COLUMN, MAIN = 1, 4, 16, 64, 1000
"""Weights for straight arrows: around a longer path, a branch of a fan, the part inside a frame of
an arrow that leaves it, one above or below the cell of a bar, the longest path.

Frames are kept narrow with a weight of 128 each.
"""


def rigidity(
    edges: Sequence[Edge],
    order: Sequence[int],
    upright: Set[Edge],
    fans: Set[int],
    bars: Set[int],
    central: Set[Edge] = frozenset(),
    inputs: Set[int] = frozenset(),
    inner: Set[Edge] = frozenset(),
) -> Mapping[Edge, int]:
    """The weight of each edge for being straight.

    Of the paths that leave a box or meet at one, the longest is straight, such as the layers of a
    residual block, and the others go around it. Where paths meet, those from inputs of the network
    come before those from constants and parameters, such as a bias of positions, and those of the
    frame, which are `inner`, before those from outside, such as what a decoder reads of an encoder.
    The branches of a fan are equal, but for those in `central`. Data of which only the shape is
    used go around everything.
    """
    read = [edge for edge in edges if not edge.shape_only]
    above = {box: 2 * len(order) if box in inputs else 0 for box in order}
    below = dict.fromkeys(order, 0)
    place = {box: index for index, box in enumerate(order)}
    for edge in sorted(edges, key=lambda edge: place[edge.start]):
        above[edge.end] = max(above[edge.end], above[edge.start] + 1)
    for edge in sorted(edges, key=lambda edge: -place[edge.end]):
        below[edge.start] = max(below[edge.start], below[edge.end] + 1)
    forked = _forked(read, order)
    onward = _longest(((edge.start, below[edge.end], edge) for edge in read), forked)
    entering = sorted(read, key=lambda edge: edge.target)
    sizes = {edge: above[edge.start] + len(order) * (edge in inner) for edge in entering}
    inward = _longest(((edge.end, size, edge) for edge, size in sizes.items()), set())
    found: dict[Edge, int] = {}
    for edge in edges:
        main = (edge in onward) + (edge in inward)
        branch = edge.start in fans or edge.end in bars
        found[edge] = BRANCH if branch else (SIDE, BRANCH, MAIN)[main]
        found[edge] = COLUMN if edge.end in bars or edge.start in bars & fans else found[edge]
        found[edge] = MAIN if edge in central else found[edge]
        found[edge] = SIDE if edge.shape_only else found[edge]
        if edge not in upright:
            found[edge] = min(found[edge], BRANCH)
    return found


def _forked(edges: Sequence[Edge], order: Sequence[int]) -> Set[int]:
    """Boxes with two edges whose paths do not meet again, as those to two outputs of a head."""
    leaving = _leaving(edges)
    below: dict[int, int] = {}  # for each box a mask of itself and what it leads to
    for number, box in enumerate(reversed(order)):
        below[box] = 1 << number
        for edge in leaving.get(box, ()):
            below[box] |= below[edge.end]
    pairs = {box: ways for box, ways in leaving.items() if len(ways) == 2}
    return {box for box, (one, two) in pairs.items() if not below[one.end] & below[two.end]}


def _leaving(edges: Iterable[Edge]) -> dict[int, list[Edge]]:
    """The edges that leave each box, in their order."""
    found: dict[int, list[Edge]] = {}
    for edge in edges:
        found.setdefault(edge.start, []).append(edge)
    return found


def _longest(listed: Iterable[tuple[int, int, Edge]], forked: Set[int]) -> Set[Edge]:
    """For each box the edge with the longest path; of an odd number of these the one in the middle.

    Of four or another even number of equal paths none is in the middle. Of two it is the first, and
    in a fork the last: Graphviz places what is beside a straight line to its left.
    """
    found: dict[int, list[Edge]] = {}
    length: dict[int, int] = {}
    for box, size, edge in listed:
        if size > length.get(box, -1):
            found[box], length[box] = [], size
        if size == length[box]:
            found[box].append(edge)
    return {
        ways[0 if len(ways) == 2 and box not in forked else len(ways) // 2]
        for box, ways in found.items()
        if len(ways) % 2 or len(ways) == 2
    }


def fans_of(
    edges: Sequence[Edge],
    order: Sequence[int],
    cells: Mapping[int, int],
    reach: Mapping[int, Reach],
) -> frozenset[int]:
    """Boxes whose paths lead to different cells of one bar and get no other data on the way.

    The main path of an encoder and a decoder is no branch of a fan, although a side output of each
    stage ends at a cell of its own: data of other stages are merged into it.
    """
    spread: dict[int, dict[int, None]] = {}  # bars by start
    first: dict[tuple[int, int], int] = {}
    for edge in edges:
        for bar, cell in below(edge, cells, reach).items():
            if first.setdefault((edge.start, bar), cell) != cell:
                spread.setdefault(edge.start, {})[bar] = None
    if not spread:
        return frozenset()
    regions = Regions(edges, order)
    return frozenset(
        start for start, bars in spread.items() if any(regions.closed(start, bar) for bar in bars)
    )


def central_of(
    edges: Sequence[Edge], cells: Mapping[int, int], reach: Mapping[int, Reach], fans: Set[int]
) -> frozenset[Edge]:
    """The edges of the middle branch of a fan, if it leads to the middle cell of a bar."""
    leaving = _leaving(edges)
    found: set[Edge] = set()
    for start in fans:
        ways = leaving[start]
        edge = ways[len(ways) // 2]
        led = below(edge, cells, reach)
        bars = {bar for bar in led if cells[bar] == len(ways) and led[bar] == len(ways) // 2}
        if len(ways) % 2 and bars:
            last = {one for one in edges if one.end in bars and one.target == len(ways) // 2}
            found |= {edge} | last
    return frozenset(found)


def beside_frames(
    rigid: Mapping[Edge, int],
    splits: Mapping[int, int],
    frames: Mapping[int, int | None],
    parents: Mapping[int, int | None],
) -> Mapping[Edge, int]:
    """The weights, for lines that only pass a point of a frame: they bend outside of the frame.

    Lines that are straight stay as they are.
    """
    leaving = Counter(edge.start for edge in rigid)
    found = dict(rigid)
    for edge, weight in rigid.items():
        for point, box in ((edge.end, edge.start), (edge.start, edge.end)):
            if point in splits and leaving[point] == 1 and weight != MAIN:
                inside = splits[point] in around(frames[box], parents)
                found[edge] = INSIDE if inside else SIDE
    return found


def upright(
    edges: Sequence[Edge],
    rank: Mapping[int, int],
    frames: Mapping[int, int | None],
    parents: Mapping[int, int | None],
) -> frozenset[Edge]:
    """Edges that can be straight: they leave frames at the lower edge, enter at the upper."""
    spans: dict[int, tuple[int, int]] = {}
    for box, inner in frames.items():
        frame = inner
        while frame is not None:
            top, bottom = spans.get(frame, (rank[box], rank[box]))
            spans[frame] = min(top, rank[box]), max(bottom, rank[box])
            frame = parents[frame]
    found: set[Edge] = set()
    for edge in edges:
        left, entered = (set(around(frames[at], parents)) for at in (edge.start, edge.end))
        below = all(rank[edge.end] > spans[frame][1] for frame in left - entered)
        above = all(rank[edge.start] < spans[frame][0] for frame in entered - left)
        found |= {edge} if below and above else set()
    return frozenset(found)


def plumb(
    edges: Sequence[Edge],
    order: Sequence[int],
    reach: Mapping[int, Reach],
    wiring: Wiring,
    splits: Mapping[int, int],
) -> Mapping[int, int]:
    """For a box, the one that is straight below it.

    The line goes through the middle of the arrows that leave the box to the middle of a bar, so it
    exists only if both have a middle, and if no bar crosses it.
    """
    pairs = [(edge.start, edge.end) for edge in edges]
    frames = {**wiring.frame_of, **splits}
    place = {box: index for index, box in enumerate(order)}
    leaving = _leaving(edges)
    found: dict[int, int] = {}
    for frame in (None, *wiring.parents):
        inside = [b for b in order if frame is None or frame in around(frames[b], wiring.parents)]
        known = set(inside)
        starts = {end for start, end in pairs if end in known and start not in known}
        ends = {start for start, end in pairs if start in known and end not in known}
        for start, end in plumb_lines(inside, pairs, starts or inside[:1], ends or inside[-1:]):
            ways = leaving[start]
            half = len(ways) // 2
            left = merged(below(way, wiring.cells, reach) for way in ways[:half])
            right = merged(below(way, wiring.cells, reach) for way in ways[half:])
            across = any(place[bar] < place[end] for bar in left if bar in right)
            count = wiring.cells.get(end, 0)
            halved = len(ways) % 2 == 0 and count % 2 == 0 and right.get(end) == count // 2
            if end in wiring.bars and not across and halved:
                found[start] = end
    return found
