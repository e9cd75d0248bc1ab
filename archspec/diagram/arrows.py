"""The arrows of a drawing: their order at a box, and the cells of boxes that they enter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cmp_to_key
from itertools import groupby

from archspec.diagram.cells import entering, leaving
from archspec.diagram.edges import Edge, Reach, Wiring, below, edges_between, merged
from archspec.diagram.labels import counted_text
from archspec.diagram.points import apart, in_order, jointed, parted
from archspec.diagram.ranks import levels, stretched
from archspec.diagram.straight import (
    BRANCH,
    MAIN,
    beside_frames,
    central_of,
    fans_of,
    plumb,
    rigidity,
    upright,
)
from archspec.diagram.wording import Wording
from archspec.frozen import frozen
from archspec.passes.flat import Flat

MANY = 3
"""Adjacent arrows at a box that need room to bend."""


@frozen
class Arrow:
    """An arrow from a box to a box.

    `out` and `into` are cells of these; `length` is in ranks. `tooltip` has a line for each tensor.
    `rigid` is the weight with which the arrow is kept straight; `ordered` keeps the arrows of its
    box in order from left to right. A hidden arrow only places a box straight below another. Of
    `shape_only` data no values are used, and no output needs those of an `idle` arrow. The data of
    several pieces of a repetition, if it is `collected`, is one arrow.
    """

    start: int
    end: int
    tooltip: tuple[str, ...]
    out: int | None
    into: int | None
    length: int
    rigid: int = BRANCH
    ordered: bool = False
    hidden: bool = False
    shape_only: bool = False
    idle: bool = False
    collected: int = 1


@frozen
class Drawn:
    """Arrows, and the points where they branch, each with its frame.

    `heads` and `tails` have the numbers of cells of boxes that several arrows enter and leave.
    `needed` has the boxes that outputs need. `rows` has the outputs that are drawn side by side.
    """

    arrows: tuple[Arrow, ...]
    splits: Mapping[int, int]
    heads: Mapping[int, int]
    tails: Mapping[int, int]
    needed: frozenset[int]
    rows: tuple[tuple[int, ...], ...]


def arrows(flat: Flat, owner: Mapping[int, int], wiring: Wiring, wording: Wording) -> Drawn:
    """Arrows between boxes; `owner` gives the box of a node that does not have its own."""
    edges, splits = parted(edges_between(flat, owner, wiring.cells), wiring)
    order = in_order(edges, splits, wiring)
    downward = [(edge.start, edge.end) for edge in edges]
    outputs = [item.index for item in flat.nodes if item.kind == "output"]
    rank = dict(levels(order, downward, apart(edges, splits, order, wiring), outputs))
    edges = jointed(edges, splits, rank, wiring)
    order = in_order(edges, splits, wiring)
    orders = {**dict.fromkeys(_with_order(edges, splits, wiring), 0), **wiring.cells}
    edges = _sorted(edges, order, orders)
    reach = _reach(edges, order, wiring.cells)
    fans = fans_of(edges, order, wiring.cells, reach)
    frames = {**wiring.frame_of, **splits}
    straight = upright(edges, rank, frames, wiring.parents)
    central = central_of(edges, wiring.cells, reach, fans)
    inputs = {item.index for item in flat.nodes if item.kind == "input"}
    inner = {edge for edge in edges if frames[edge.source] == frames[edge.end]}
    rigid = rigidity(edges, order, straight, fans, wiring.bars, central, inputs, inner)
    rigid = beside_frames(rigid, splits, frames, wiring.parents)
    heads = entering(edges, rigid, wiring.merging | splits.keys())
    tails = leaving(edges, rigid, wiring.bars | splits.keys())
    together = Counter((edge.start, tail) for edge, tail in tails.of.items())
    tails_of_bars = _tails_of_bars(edges, wiring)
    cells = Counter(edge.end for edge in edges if edge.end not in wiring.merging | splits.keys())
    cells |= Counter({**heads.counts, **wiring.cells})
    crowded = {rank[box] - 1 for box in cells if cells[box] >= MANY and box not in wiring.bars}
    crowded |= {rank[box] for box, count in tails.counts.items() if count >= MANY}
    rank = stretched(rank, crowded)
    needed = _needed(edges, outputs)
    found = [
        Arrow(
            edge.start,
            edge.end,
            tuple(
                counted_text("", wording.exact_type(flat.type_of(port)), edge.times)
                for port in edge.ports
            ),
            tails_of_bars.get(edge, tails.of.get(edge)),
            edge.target if edge.end in wiring.cells else heads.of.get(edge),
            max(1, rank[edge.end] - rank[edge.start]),
            min(rigid[edge], BRANCH if together[edge.start, tails.of.get(edge, -1)] > 1 else MAIN),
            edge.start in fans,
            shape_only=edge.shape_only,
            idle=edge.end not in needed,
            collected=edge.times,
        )
        for edge in edges
    ]
    lines = plumb(edges, order, reach, wiring, splits)
    drawn = tuple(_with_lines(found, lines, rank))
    rows = tuple(_side_by_side(flat, rank))
    return Drawn(drawn, splits, heads.counts, tails.counts, needed, rows)


def _side_by_side(flat: Flat, rank: Mapping[int, int]) -> Iterator[tuple[int, ...]]:
    """The tensors of each output that has several, if they are about equally far down."""
    outputs = (item for item in flat.nodes if item.kind == "output")
    for _, group in groupby(outputs, key=lambda item: item.name.partition("[")[0]):
        row = tuple(item.index for item in group)
        levels_of = [rank[index] for index in row]
        if len(row) > 1 and max(levels_of) - min(levels_of) <= 1:
            yield row


def _needed(edges: Sequence[Edge], outputs: Iterable[int]) -> frozenset[int]:
    """The boxes and points that outputs need; edges are in the order of their starts."""
    found = set(outputs)
    for edge in reversed(edges):
        if edge.end in found:
            found.add(edge.start)
    return frozenset(found)


def _tails_of_bars(edges: Sequence[Edge], wiring: Wiring) -> Mapping[Edge, int]:
    """The cells at which edges leave a bar that as many leave as enter: straight on."""
    leaving_bar: dict[int, list[Edge]] = {}
    for edge in edges:
        if edge.start in wiring.bars:
            leaving_bar.setdefault(edge.start, []).append(edge)
    spread = (ways for bar, ways in leaving_bar.items() if len(ways) == wiring.cells[bar])
    return {edge: at for ways in spread for at, edge in enumerate(ways)}


def _with_order(edges: Sequence[Edge], splits: Mapping[int, int], wiring: Wiring) -> Iterator[int]:
    """Boxes in which the order of the arrows that enter is to be seen, besides bars."""
    targets = {(edge.end, edge.target) for edge in edges if not edge.shape_only}
    for box, count in Counter(box for box, _ in targets).items():
        if count > 1 and box not in wiring.merging and box not in splits:
            yield box


def _reach(
    edges: Sequence[Edge], order: Sequence[int], cells: Mapping[int, int]
) -> Mapping[int, Reach]:
    """For each box the bars below it, with the leftmost cell that is reached."""
    leaving_box: dict[int, list[Edge]] = {box: [] for box in order}
    for edge in edges:
        leaving_box[edge.start].append(edge)
    reach: dict[int, Reach] = {}
    for box in reversed(order):
        reach[box] = merged(below(edge, cells, reach) for edge in leaving_box[box])
    return reach


def _sorted(edges: Sequence[Edge], order: Sequence[int], cells: Mapping[int, int]) -> list[Edge]:
    """Edges box by box, those of one box from left to right as the boxes below want them."""
    reach = _reach(edges, order, cells)
    place = {box: index for index, box in enumerate(order)}

    def compare(left: Edge, right: Edge) -> int:
        mine, theirs = below(left, cells, reach), below(right, cells, reach)
        shared = [bar for bar in mine if bar in theirs and mine[bar] != theirs[bar]]
        if not shared:
            return 0
        bar = min(shared, key=place.__getitem__)
        return mine[bar] - theirs[bar]

    alike = cmp_to_key(compare)
    boxes = sorted(edges, key=lambda edge: place[edge.start])
    ways = (list(group) for _, group in groupby(boxes, key=lambda edge: edge.start))
    return [edge for together in ways for edge in sorted(together, key=alike)]


def _with_lines(
    found: Sequence[Arrow], lines: Mapping[int, int], rank: Mapping[int, int]
) -> Iterator[Arrow]:
    """The arrows, with a hidden one in the middle of those of a box that has a plumb line."""
    for box, group in groupby(found, key=lambda arrow: arrow.start):
        ways = list(group)
        if box in lines:
            end = lines[box]
            length = max(1, rank[end] - rank[box])
            ways.insert(len(ways) // 2, Arrow(box, end, (), None, None, length, hidden=True))
        yield from ways
