"""`archspec draw`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from archspec.cli.console import working, write
from archspec.cli.guard import WrongUsage
from archspec.cli.networks import open_network
from archspec.cli.options import Direction, Levels
from archspec.cli.passes import Passes
from archspec.frozen import frozen

FORMATS = (".svg", ".png", ".pdf", ".dot")


@frozen
class Look:
    """The options of a drawing; without a depth one call of each block is expanded."""

    depth: Levels | None
    training: bool
    direction: Direction
    concrete: bool


def run(
    spec: str,
    output: Path | None,
    given: Sequence[str],
    sized: Sequence[str],
    passes: Passes,
    look: Look,
) -> None:
    """Draw a network into a file whose suffix selects the format."""
    if output is not None and output.suffix.lower() not in FORMATS:
        raise WrongUsage(f"{output}: a drawing has one of the suffixes {', '.join(FORMATS)}")
    from archspec.diagram import Depth, readable  # only drawing needs graphviz

    network = open_network(spec, given, passes, sized)
    depth: Depth = look.depth.number if look.depth is not None else "auto"
    path = output or Path(f"{network.name}.svg")
    with working(f"drawing {network.name}"):
        network.draw(
            path,
            depth,
            training=look.training,
            direction=look.direction.value,
            concrete=look.concrete,
        )
        crowded = readable(network.compiled, depth, training=look.training)
    write(f"wrote {path}\n")
    if crowded is not None:
        boxes, smaller = crowded
        write(f"the drawing has {boxes:,} boxes; --depth {smaller} is easier to read\n", sys.stderr)
