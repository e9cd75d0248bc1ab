"""Where arrows enter and leave a box that has several of them.

Different tensors enter side by side and leave side by side, in the order of inputs and outputs, so
that each can be followed. Of few the one that goes straight on is in the middle.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

from archspec.diagram.edges import Edge
from archspec.diagram.straight import MAIN
from archspec.frozen import frozen

CENTRED = 3
"""Edges at a box, of which the one that goes straight on may be in the middle."""


@frozen
class Cells:
    """The cell of each edge, and the number of cells of each box that has any.

    With one edge in the middle and more on one side of it than on the other, some stay empty.
    """

    of: Mapping[Edge, int]
    counts: Mapping[int, int]


def entering(edges: Sequence[Edge], rigid: Mapping[Edge, int], without: Set[int]) -> Cells:
    """Cells at which edges enter; boxes in `without` have none or have their own.

    Data of which only the shape is used enter anywhere, those of several uses of a layer at one
    cell.
    """
    groups: dict[int, dict[int, list[Edge]]] = {}
    for edge in sorted(edges, key=lambda edge: edge.target):
        if edge.end not in without and not edge.shape_only:
            groups.setdefault(edge.end, {}).setdefault(edge.target, []).append(edge)
    return _cells({box: list(of.values()) for box, of in groups.items()}, rigid)


def leaving(edges: Sequence[Edge], rigid: Mapping[Edge, int], without: Set[int]) -> Cells:
    """Cells at which edges leave: those of one tensor leave together, those of several last."""
    groups: dict[int, dict[tuple[tuple[int, int], ...], list[Edge]]] = {}
    for edge in sorted(edges, key=lambda edge: (len(edge.ports) > 1, edge.ports)):
        if edge.start not in without:
            groups.setdefault(edge.start, {}).setdefault(edge.ports, []).append(edge)
    return _cells({box: list(of.values()) for box, of in groups.items()}, rigid)


def _cells(groups: Mapping[int, list[list[Edge]]], rigid: Mapping[Edge, int]) -> Cells:
    of: dict[Edge, int] = {}
    counts: dict[int, int] = {}
    for box, listed in groups.items():
        if len(listed) < 2:
            continue
        straight = [at for at, some in enumerate(listed) if any(rigid[e] == MAIN for e in some)]
        last = len(listed) - 1
        alone = len(straight) == 1 and len(listed) <= CENTRED
        empty = last - 2 * straight[0] if alone else 0  # to the left, or the right
        counts[box] = len(listed) + abs(empty)
        of.update({e: at + max(0, empty) for at, some in enumerate(listed) for e in some})
    return Cells(of, counts)
