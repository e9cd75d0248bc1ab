"""Where boxes stand from top to bottom.

Graphviz puts what could stand at several heights at one end; here it stands in the middle, as in
the figure of the FractalNet paper: the short columns beside the middle of the long ones. Sources
stand right above what reads them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import networkx


def levels(
    boxes: Iterable[int],
    arrows: Sequence[tuple[int, int]],
    constraints: Iterable[tuple[int, int]] = (),
    early: Collection[int] = (),
) -> Mapping[int, int]:
    """A level for each box such that every arrow goes down; boxes are in topological order.

    Constraints are pairs that must go down as well, though no arrow is drawn. Boxes that are
    `early` stand right below what they read, as outputs do.
    """
    order = list(boxes)
    sources = set(order) - {end for _, end in arrows}
    pairs: networkx.DiGraph[int] = networkx.DiGraph()
    pairs.add_nodes_from(order)
    pairs.add_edges_from((*arrows, *constraints))
    earliest, behind = _generations(pairs), _generations(pairs.reverse(copy=False))
    height = max(earliest.values(), default=0)
    found: dict[int, int] = {}
    for box in order:
        least = max((found[before] + 1 for before in pairs.predecessors(box)), default=0)
        latest = height - behind[box]
        middle = (earliest[box] + latest) // 2
        chosen = latest if box in sources else least if box in early else middle
        found[box] = max(least, chosen)
    return found


def _generations(pairs: networkx.DiGraph[int]) -> Mapping[int, int]:
    """For each box the most arrows on a way that leads to it."""
    generations = enumerate(networkx.topological_generations(pairs))
    return {box: level for level, boxes in generations for box in boxes}
