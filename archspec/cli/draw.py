"""`archspec draw`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from archspec.cli.console import working, write
from archspec.cli.guard import WrongUsage
from archspec.cli.opening import open_network
from archspec.cli.passes import Passes

FORMATS = (".svg", ".png", ".pdf", ".dot")


def run(
    spec: str,
    output: Path | None,
    depth: int,
    given: Sequence[str],
    sized: Sequence[str],
    passes: Passes,
    training: bool,
) -> None:
    """Draw a network into a file whose name says the format."""
    if output is not None and output.suffix.lower() not in FORMATS:
        raise WrongUsage(f"{output}: a drawing ends in one of {', '.join(FORMATS)}")
    network = open_network(spec, given, passes, sized)
    path = output or Path(f"{network.name}.svg")
    with working(f"drawing {network.name}"):
        network.draw(path, depth=depth, training=training)
    write(f"wrote {path}\n")
