"""Where boxes stand from top to bottom.

Graphviz puts what could stand at several heights at one end; here it stands in the middle, as in
the figure of the FractalNet paper: the short columns beside the middle of the long ones. Sources
stand right above what reads them, and a branch that leads to an output of its own right below what
it reads. Where more arrows enter a box than leave it, or fewer, it stands so that most are short.
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

    Constraints are pairs that must go down as well, though no arrow is drawn. A branch that
    leads to `outputs` alone, and is not the longest, stands right below what it reads.
    """
    order = list(boxes)
    entering, leaving = Counter(end for _, end in arrows), Counter(start for start, _ in arrows)
    pairs: networkx.DiGraph[int] = networkx.DiGraph()
    pairs.add_nodes_from(order)
    pairs.add_edges_from((*arrows, *constraints))
    earliest, behind = _generations(pairs), _generations(pairs.reverse(copy=False))
    height = max(earliest.values(), default=0)
    early = {box for box in outputs if earliest[box] + behind[box] < height}
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


def stretched(rank: Mapping[int, int], gaps: Collection[int]) -> dict[int, int]:
    """Levels with an empty one below each level in `gaps`, where arrows need room."""
    widened = sorted(gaps)
    return {box: level + bisect_left(widened, level) for box, level in rank.items()}


def _generations(pairs: networkx.DiGraph[int]) -> Mapping[int, int]:
    """For each box the most arrows on a way that leads to it."""
    generations = enumerate(networkx.topological_generations(pairs))
    return {box: level for level, boxes in generations for box in boxes}
