"""The depth of a drawing for which none is given."""

from __future__ import annotations

from typing import Literal, TypeAlias

from archspec.diagram.chains import chains
from archspec.diagram.drawing import innermost_frames, prepared
from archspec.graph.model import Graph
from archspec.passes.expand import expand, flat_size, height
from archspec.passes.flat import Flat
from archspec.passes.pieces import Runs

Depth: TypeAlias = "int | Literal['auto'] | None"
"""Levels of blocks that are expanded, None for all, "auto" for a useful number of boxes."""
AUTO: Literal["auto"] = "auto"

MANY = 30
"""A drawing is expanded as long as it has at most this number of boxes."""
FEW, MOST = 10, 80
"""One with fewer boxes is expanded once more, if it then has at most this number."""


def useful_depth(graph: Graph) -> int:
    """The depth at which a drawing shows the structure of a network on about one page, from 1 on.

    It is the depth of the most boxes up to `MANY`; if these are fewer than `FEW`, one more, for up
    to `MOST` boxes. If only chains of ops are left to expand, which are one box, the first level
    keeps their names.
    """
    runs = Runs(graph)
    best, most = 1, 0
    for depth in range(1, height(graph) + 1):
        if flat_size(graph, depth, runs.of) > 4 * MOST:
            break
        count = _boxes(prepared(expand(graph, depth, fold=runs)))
        if count > MANY and (most >= FEW or count > MOST or depth == 1):
            break
        if count > most or (count == most and best > 1):
            best, most = depth, count
        if count > MANY:
            break
    return best


def _boxes(flat: Flat) -> int:
    """The number of boxes: ops in one box count once."""
    stacked = chains(flat, innermost_frames(flat))
    return len(flat.nodes) - sum(len(chain.members) - 1 for chain in stacked)
