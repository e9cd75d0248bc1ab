"""Boxes that are aligned vertically.

If data branches and is merged again, Graphviz may place the merging box anywhere below. In a long
sequence of blocks each one would then be shifted to the side, and the drawing would become a
staircase. A plumb line between the two boxes keeps such blocks below each other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import accumulate, pairwise
from typing import TypeAlias

Pair: TypeAlias = "tuple[int, int]"


def plumb_lines(
    order: Sequence[int],
    arrows: Iterable[Pair],
    starts: Collection[int],
    ends: Collection[int],
) -> Iterator[Pair]:
    """Boxes on all paths from `starts` to `ends`, each with the next, if several paths lead there.

    `order` has the boxes from top to bottom; arrows go down.
    """
    place = {box: index for index, box in enumerate(order)}
    inside = [arrow for arrow in arrows if arrow[0] in place and arrow[1] in place]
    below, above = set(starts), set(ends)
    for start, end in sorted(inside, key=lambda arrow: place[arrow[0]]):
        if start in below:
            below.add(end)
    for start, end in sorted(inside, key=lambda arrow: -place[arrow[1]]):
        if end in above:
            above.add(start)
    ways = [arrow for arrow in inside if arrow[0] in below and arrow[1] in above]
    spans = [(place[start] + 1, place[end]) for start, end in ways]
    spans += [(0, place[box]) for box in starts]
    spans += [(place[box] + 1, len(order)) for box in ends]
    change = [0] * (len(order) + 1)
    for first, last in spans:
        change[first] += 1
        change[last] -= 1
    leaving: dict[int, int] = {}
    for start, _ in ways:
        leaving[start] = leaving.get(start, 0) + 1
    waists = [
        box
        for box, passing in zip(order, accumulate(change), strict=False)
        if not passing and box in below and box in above
    ]
    yield from (pair for pair in pairwise(waists) if leaving[pair[0]] > 1)
