"""From a network to a drawing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from archspec.analysis.bounded import bounded
from archspec.analysis.counting import count
from archspec.analysis.macs import macs
from archspec.analysis.number_format import short, sizes_text
from archspec.analysis.sizes import reported_sizes
from archspec.diagnostics.failure import CompileFailed
from archspec.diagram.boxes import Direction
from archspec.diagram.depth import AUTO, Depth, at_depth, readable_depth, useful
from archspec.diagram.dot import dot_text
from archspec.diagram.drawing import drawing_of
from archspec.diagram.facts import Facts
from archspec.diagram.labels import LONGEST_DIM, Dims
from archspec.diagram.multiples import multiples
from archspec.diagram.render import layout, render
from archspec.diagram.simplified import simplified
from archspec.diagram.wording import wording
from archspec.graph.compiled import Compiled

BOX_BUDGET = 1_500
"""The number of nodes in a drawing."""

SECONDS_OF_A_BUILD = 30
"""Seconds for the layout of a drawing that is made in addition to something else."""

NO_DRAWING = ("E0411", "E0521", "E0811", "E0812")
"""Codes of errors for which a network is built without a drawing."""


def drawing(
    compiled: Compiled,
    depth: Depth = AUTO,
    *,
    training: bool = False,
    direction: Direction = "TB",
    concrete: bool = False,
) -> str:
    """The drawing of a network in DOT, expanded to a depth; None expands everything.

    With "auto" one call of each block is expanded, where there is room (`useful`).

    `concrete` writes shapes as numbers, at the sizes of the report; otherwise only sizes with long
    expressions are numbers. Raises CompileFailed: E0521 if
    it would show more than 1,500 nodes, E0707 if the network does not accept its default sizes.
    """
    sizes = reported_sizes(compiled, training=training)
    shown = simplified(compiled, training=training)
    graph = shown.training if training else shown.inference
    found = useful(graph, BOX_BUDGET) if depth == AUTO else at_depth(graph, depth, BOX_BUDGET)
    flat = found.flat
    dims = Dims(sizes, 0 if concrete else LONGEST_DIM, multiples(compiled.where))
    words = wording(flat, graph, dims, inference=not training)
    facts = Facts(sizes, dims.exact)
    subtitle = [*_subtitle(compiled, sizes, training), *[found.note] * bool(found.note)]
    drawn = bounded(compiled, lambda: drawing_of(flat, words, facts))
    return dot_text(drawn, compiled.name, subtitle, direction)


def illustration(compiled: Compiled) -> tuple[bytes | None, str]:
    """The drawing for a build, as SVG; or None, and the reason why there is none.

    There is none for a network with too many nodes, whose layout takes too long, or whose costs
    cannot be computed for symbolic sizes, and if there is no layout program. Raises CompileFailed:
    E0707.
    """
    try:
        return layout(drawing(compiled), "svg", SECONDS_OF_A_BUILD), ""
    except CompileFailed as failure:
        found = failure.diagnostics[0]
        if found.code not in NO_DRAWING:
            raise
        fix = found.fix if found.code == "E0811" else None
        return None, f"{found.message}: {fix.message}" if fix is not None else found.message


def draw(
    compiled: Compiled,
    path: Path,
    depth: Depth = AUTO,
    *,
    training: bool = False,
    direction: Direction = "TB",
    concrete: bool = False,
) -> Path:
    """Draw a network into a file; the suffix determines the format."""
    dot = drawing(compiled, depth, training=training, direction=direction, concrete=concrete)
    return render(dot, path)


def readable(compiled: Compiled, depth: Depth, *, training: bool = False) -> tuple[int, int] | None:
    """For a drawing that is hard to read the number of its boxes, and a smaller depth that is not.

    None if it has few boxes, no depth is given, or no depth gives fewer. Raises CompileFailed:
    E0521.
    """
    if depth == AUTO:
        return None
    shown = simplified(compiled, training=training)
    return readable_depth(shown.training if training else shown.inference, depth, BOX_BUDGET)


def _subtitle(compiled: Compiled, sizes: Mapping[str, int], training: bool) -> list[str]:
    graph = compiled.training if training else compiled.inference
    cost = bounded(compiled, lambda: macs(graph)).evaluate(sizes)
    mode = "training" if training else "inference"
    first = f"{count(compiled).parameters:,} parameters, {short(cost)} MACs"
    at = sizes_text(sizes)
    return [f"{first} at {at}, {mode}" if at else f"{first}, {mode}"]
