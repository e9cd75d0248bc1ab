"""Where boxes stand from top to bottom.

Graphviz puts what could stand at several heights at one end; here it stands in the middle, as in
the figure of the FractalNet paper: the short columns beside the middle of the long ones. Sources
stand right above what reads them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence


def levels(
    boxes: Iterable[int],
    arrows: Sequence[tuple[int, int]],
    constraints: Iterable[tuple[int, int]] = (),
) -> Mapping[int, int]:
    """A level for each box such that every arrow goes down; boxes are in topological order.

    Constraints are pairs that must go down as well, though no arrow is drawn.
    """
    order = list(boxes)
    sources = set(order) - {end for _, end in arrows}
    before: dict[int, list[int]] = {box: [] for box in order}
    after: dict[int, list[int]] = {box: [] for box in order}
    for start, end in (*arrows, *constraints):
        before[end].append(start)
        after[start].append(end)
    earliest: dict[int, int] = {}
    for box in order:
        earliest[box] = max((earliest[b] + 1 for b in before[box]), default=0)
    height = max(earliest.values(), default=0)
    latest: dict[int, int] = {}
    for box in reversed(order):
        latest[box] = min((latest[a] - 1 for a in after[box]), default=height)
    found: dict[int, int] = {}
    for box in order:
        least = max((found[b] + 1 for b in before[box]), default=0)
        middle = (earliest[box] + latest[box]) // 2
        found[box] = max(least, latest[box] if box in sources else middle)
    return found
