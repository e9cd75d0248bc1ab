"""The vertical positions of boxes.

If a box can have several, Graphviz chooses one end of the range; here it is the middle, as in the
figure of the FractalNet paper: the short columns are next to the middle of the long ones. Sources
are right above their readers, and a branch that leads to an output of its own right below its
source. If a box has more incoming than outgoing arrows, or fewer, its position keeps most of them
short.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

import networkx


def levels(
    boxes: Iterable[int],
    arrows: Sequence[tuple[int, int]],
    constraints: Iterable[tuple[int, int]] = (),
    outputs: Collection[int] = (),
) -> Mapping[int, int]:
    """A level for each box such that every arrow goes down; boxes are in topological order.

    Constraints are further pairs that must go down, without an arrow. A branch that leads only to
    `outputs`, and is not the longest, is directly below its source.
    """
    order = list(boxes)
    entering, leaving = Counter(end for _, end in arrows), Counter(start for start, _ in arrows)
    pairs: networkx.DiGraph[int] = networkx.DiGraph()
    pairs.add_nodes_from(order)
    pairs.add_edges_from((*arrows, *constraints))
    earliest, behind = _generations(pairs), _generations(pairs.reverse(copy=False))
    height = max(earliest.values(), default=0)
    early = _not_deepest(order, arrows, outputs)
    arrowed: dict[int, list[int]] = {}
    for start, end in arrows:
        arrowed.setdefault(start, []).append(end)
    for box in reversed(order):
        after = arrowed.get(box, ())
        if after and entering[box] and all(e in early and entering[e] == 1 for e in after):
            early.add(box)
    found: dict[int, int] = {}
    for box in order:
        least = max((found[before] + 1 for before in pairs.predecessors(box)), default=0)
        latest = height - behind[box]
        if box in early or leaving[box] < entering[box]:
            found[box] = least
        elif leaving[box] > entering[box] or not entering[box]:
            found[box] = max(least, latest)
        else:
            found[box] = max(least, (earliest[box] + latest) // 2)
    return found


def _not_deepest(
    order: Sequence[int], arrows: Sequence[tuple[int, int]], outputs: Collection[int]
) -> set[int]:
    """The outputs to which the longest path does not lead."""
    depth = dict.fromkeys(order, 0)
    place = {box: index for index, box in enumerate(order)}
    for start, end in sorted(arrows, key=lambda arrow: place[arrow[0]]):
        depth[end] = max(depth[end], depth[start] + 1)
    return {box for box in outputs if depth[box] < max(depth.values())}


def stretched(rank: Mapping[int, int], gaps: Collection[int]) -> dict[int, int]:
    """Levels with an empty one below each level in `gaps`, where arrows need room."""
    widened = sorted(gaps)
    return {box: level + bisect_left(widened, level) for box, level in rank.items()}


def _generations(pairs: networkx.DiGraph[int]) -> Mapping[int, int]:
    """For each box the number of arrows on the longest path to it."""
    generations = enumerate(networkx.topological_generations(pairs))
    return {box: level for level, boxes in generations for box in boxes}
