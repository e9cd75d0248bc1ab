"""Arguments and options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def path_of(text: str) -> Path:
    """A path of an option. Raises BadParameter for an empty one: it is not the current folder."""
    if not text:
        raise typer.BadParameter("the path is empty; `.` is the current folder")
    return Path(text)


Spec = Annotated[
    str,
    typer.Argument(
        metavar="SPEC",
        help="file.arch, file.arch:name, or the name of a shipped network",
        show_default=False,
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Give a parameter of the network: --set classes=10 --set widths='[16, 32]'. "
        "Values are written as in a spec. Repeatable.",
        show_default=False,
    ),
]
Sizes = Annotated[
    list[str] | None,
    typer.Option(
        "--size",
        metavar="NAME=N",
        help="Another size of a free dimension than the spec reports: --size H=384, or "
        "--size H=W=384 for two. Repeatable.",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")]
Training = Annotated[
    bool, typer.Option("--training", help="The graph of training mode instead of inference.")
]
Column = Annotated[
    int | None,
    typer.Option(
        "--column",
        metavar="K",
        min=1,
        help="Only column K of a network with joins; 1 is the shallowest.",
        show_default=False,
    ),
]

Fold = Annotated[
    bool,
    typer.Option(
        "--fold",
        help="For inference only: batch norms, and what else is affine per channel, go into the "
        "layers beside them.",
    ),
]
PassTexts = Annotated[
    list[str] | None,
    typer.Option(
        "--pass",
        metavar="NAME{..}",
        help="Let a pass run: flatten, fold, no_dropout, prune, strip, extract{column=3}, "
        "swap{at=..,layer=..} or an installed one. Repeatable.",
        show_default=False,
    ),
]
Analyses = Annotated[
    list[str] | None,
    typer.Option(
        "--analysis",
        metavar="NAME{..}",
        help="Show what an analysis says, too: intensity, or an installed one. Repeatable.",
        show_default=False,
    ),
]
After = Annotated[
    str | None,
    typer.Option(
        "--after",
        metavar="PASS",
        help="Print the graphs as they are after this pass, a node a line; `input` for before all.",
        show_default=False,
    ),
]
