"""The arrows of a drawing: in which order they leave a box, where they enter a bar."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from functools import cmp_to_key
from itertools import groupby

from archspec.diagram.edges import Edge, Reach, Wiring, below, edges_between, merged
from archspec.diagram.points import above_frames, in_order, jointed, parted
from archspec.diagram.ranks import levels
from archspec.diagram.straight import BRANCH, fans_of, plumb, rigidity, upright
from archspec.diagram.wording import Wording
from archspec.frozen import frozen
from archspec.passes.expand import Flat, FlatPort


@frozen
class Arrow:
    """Data from a box to a box. `out` and `into` are cells of bars; `length` is in ranks.

    `labels` and `tooltip` have a line for each tensor. `rigid` says how much an arrow is to be
    straight, `ordered` that those of its box keep their order from left to right. One that is
    hidden only says that a box stands straight below another.
    """

    start: int
    end: int
    labels: tuple[str, ...]
    tooltip: tuple[str, ...]
    out: int | None
    into: int | None
    length: int
    rigid: int = BRANCH
    ordered: bool = False
    hidden: bool = False


@frozen
class Drawn:
    """Arrows, and the points where data parts, each with its frame."""

    arrows: tuple[Arrow, ...]
    splits: Mapping[int, int]


def arrows(flat: Flat, owner: Mapping[int, int], wiring: Wiring, wording: Wording) -> Drawn:
    """Arrows between boxes; `owner` gives the box of a node that is not one by itself."""
    edges, splits = parted(edges_between(flat, owner, wiring.cells), wiring)
    order = in_order(edges, splits, wiring)
    downward = [(edge.start, edge.end) for edge in edges]
    outputs = [item.index for item in flat.nodes if item.kind == "output"]
    above = above_frames(edges, splits, order, wiring)
    rank = dict(levels(order, downward, above, outputs))
    edges = jointed(edges, splits, rank, wiring)
    order = in_order(edges, splits, wiring)
    edges, reach = _sorted(edges, order, wiring.cells)
    fans = fans_of(edges, wiring.cells, reach)
    straight = upright(edges, rank, {**wiring.frame_of, **splits}, wiring.parents)
    rigid = rigidity(edges, order, straight, fans, wiring.bars)
    leaving: dict[int, int] = {}
    for edge in edges:
        leaving[edge.start] = leaving.get(edge.start, 0) + 1
    place: dict[int, int] = {}
    labelled: set[tuple[int, str]] = set()
    found: list[Arrow] = []
    for edge in edges:
        at = place[edge.start] = place.get(edge.start, -1) + 1
        kinds = [flat.type_of(port) for port in edge.ports]
        spread = edge.start in wiring.bars and leaving[edge.start] == wiring.cells[edge.start]
        found.append(
            Arrow(
                edge.start,
                edge.end,
                tuple(_labels(flat, edge, wording, wiring.merging, labelled)),
                tuple(wording.type(kind) for kind in kinds),
                at if spread else None,
                edge.target if edge.end in wiring.cells else None,
                max(1, rank[edge.end] - rank[edge.start]),
                rigid[edge],
                edge.start in fans,
            )
        )
    lines = plumb(edges, order, reach, wiring, splits)
    return Drawn(tuple(_with_lines(found, lines, rank)), splits)


def _labels(
    flat: Flat,
    edge: Edge,
    wording: Wording,
    merging: Set[int],
    labelled: set[tuple[int, str]],
) -> Iterator[str]:
    """The shapes to write at an edge: those that are new, where they have not been said.

    Where several tensors go to one box, what they are is said of all or of none.
    """
    if edge.end < len(flat.nodes) and flat.nodes[edge.end].kind == "output":
        return
    shapes = [wording.shape(flat.type_of(port)) for port in edge.ports]
    said = {(at, shape) for shape in shapes for at in (edge.source, edge.end)}
    kept = {(at, shape) for at, shape in said if at == edge.source or at in merging}
    if any(_is_new(flat, edge.source, port) for port in edge.ports) and not kept & labelled:
        labelled |= kept
        yield from shapes


def _is_new(flat: Flat, source: int, port: FlatPort) -> bool:
    """Whether a shape is not that of any input of the box that yields it.

    An input of the network says its shape itself, as an output does. A box begins with its first
    op.
    """
    first = flat.nodes[source]
    kind = flat.type_of(port)
    return first.kind != "input" and all(flat.type_of(given) != kind for given in first.inputs)


def _sorted(
    edges: Sequence[Edge], order: Sequence[int], cells: Mapping[int, int]
) -> tuple[list[Edge], Mapping[int, Reach]]:
    """Edges box by box, those of one box from left to right as the bars below want them.

    Also gives what lies below each box.
    """
    leaving: dict[int, list[Edge]] = {box: [] for box in order}
    for edge in edges:
        leaving[edge.start].append(edge)
    reach: dict[int, Reach] = {}
    for box in reversed(order):
        reach[box] = merged(below(edge, cells, reach) for edge in leaving[box])
    place = {box: index for index, box in enumerate(order)}

    def compare(left: Edge, right: Edge) -> int:
        mine, theirs = below(left, cells, reach), below(right, cells, reach)
        shared = [bar for bar in mine if bar in theirs and mine[bar] != theirs[bar]]
        if not shared:
            return 0
        bar = min(shared, key=place.__getitem__)
        return mine[bar] - theirs[bar]

    return [e for box in order for e in sorted(leaving[box], key=cmp_to_key(compare))], reach


def _with_lines(
    found: Sequence[Arrow], lines: Mapping[int, int], rank: Mapping[int, int]
) -> Iterator[Arrow]:
    """The arrows with a hidden one in the middle of those of a box that has a plumb line."""
    for box, group in groupby(found, key=lambda arrow: arrow.start):
        ways = list(group)
        if box in lines:
            end = lines[box]
            length = max(1, rank[end] - rank[box])
            ways.insert(len(ways) // 2, Arrow(box, end, (), (), None, None, length, hidden=True))
        yield from ways
