"""Arguments and options shared by several commands."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from archspec.cli import completion
from archspec.frozen import frozen


class Direction(StrEnum):
    """The direction of data flow in a drawing."""

    TB = "TB"
    LR = "LR"


def path_of(text: str) -> Path:
    """The path of an option. Raises BadParameter if empty, since that is not the current folder."""
    if not text:
        raise typer.BadParameter("the path is empty; `.` is the current folder")
    return Path(text)


@frozen
class Levels:
    """Levels of blocks that are expanded in a drawing, None for all."""

    number: int | None


def levels_of(text: str) -> Levels:
    """The levels of an option. Raises BadParameter if it is neither `all` nor a number from 0."""
    if text == "all":
        return Levels(None)
    try:
        number = int(text)
    except ValueError:
        number = -1
    if number < 0:
        raise typer.BadParameter("the depth is a number of levels, 0 or more, or `all`")
    return Levels(number)


Expanded = Annotated[
    Levels | None,
    typer.Option(
        "--depth",
        parser=levels_of,
        metavar="N|all",
        help="Levels of blocks to expand, or `all`; default: one call of each block, if there is "
        "room.",
        show_default=False,
    ),
]
Spec = Annotated[
    str,
    typer.Argument(
        metavar="SPEC",
        autocompletion=completion.specs,
        help="file.arch, file.arch:name, or the name of a shipped network",
        show_default=False,
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        autocompletion=completion.settings,
        metavar="NAME=VALUE",
        help="Set a parameter of the network: --set classes=10 --set widths='[16, 32]'. "
        "Values are written as in a spec. Repeatable.",
        show_default=False,
    ),
]
Sizes = Annotated[
    list[str] | None,
    typer.Option(
        "--size",
        autocompletion=completion.sizes,
        metavar="NAME=N",
        help="Size of a free dimension, instead of the default in the spec: --size H=384, or "
        "--size H=W=384 for two. Repeatable.",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Write the result as JSON, for programs.")]
Training = Annotated[
    bool, typer.Option("--training", help="Use the graph of training instead of that of inference.")
]
Way = Annotated[
    Direction,
    typer.Option(
        "--direction", help="Direction of the data flow: top to bottom, or left to right."
    ),
]
Concrete = Annotated[
    bool,
    typer.Option(
        "--concrete", help="Shapes as numbers instead of formulas, for the sizes of the report."
    ),
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
        help="For inference only: fold batch norms and other affine maps per channel into adjacent "
        "layers.",
    ),
]
PassTexts = Annotated[
    list[str] | None,
    typer.Option(
        "--pass",
        autocompletion=completion.passes,
        metavar="NAME{..}",
        help="Run a pass: flatten, fold, no_dropout, prune, strip, extract{column=3}, "
        "swap{at=..,layer=..} or an installed one. Repeatable.",
        show_default=False,
    ),
]
Analyses = Annotated[
    list[str] | None,
    typer.Option(
        "--analysis",
        autocompletion=completion.analyses,
        metavar="NAME{..}",
        help="Add an analysis: intensity, or an installed one. Repeatable.",
        show_default=False,
    ),
]
After = Annotated[
    str | None,
    typer.Option(
        "--after",
        autocompletion=completion.passes,
        metavar="PASS",
        help="Print the graphs after this pass, one node per line; `input`: before all passes.",
        show_default=False,
    ),
]

# ---------------------------------------------------------------------- build

Folder = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--output",
        parser=path_of,
        metavar="DIR",
        help="Folder to write; build/NAME by default.",
        show_default=False,
    ),
]
Targets = Annotated[
    list[str] | None,
    typer.Option(
        "--target",
        autocompletion=completion.targets,
        metavar="NAME{..}",
        help="What to build: torch, torchscript or another installed backend, with its options. "
        "Repeatable; torch and torchscript by default.",
        show_default=False,
    ),
]
Seed = Annotated[int, typer.Option(metavar="N", help="Seed for the initial weights.")]
WeightsFile = Annotated[
    Path | None,
    typer.Option(
        parser=path_of,
        metavar="FILE",
        help="Load weights: .safetensors, or a state dict written by torch.save (.pth, .pt). "
        "Every name must fit. With --column or --fold, weights of the whole or unfolded network "
        "are accepted, too.",
        show_default=False,
    ),
]
Entry = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Entry of the file, or prefix of names, to load: model_ema, ema.module.",
        show_default=False,
    ),
]
Ignored = Annotated[
    list[str] | None,
    typer.Option(
        metavar="PATTERN",
        help="Leave out names such as criterion.*. Repeatable.",
        show_default=False,
    ),
]
Renamed = Annotated[
    list[str] | None,
    typer.Option(
        metavar="OLD=NEW",
        help="Replace the prefix OLD of names by NEW; * matches any text. Repeatable.",
        show_default=False,
    ),
]
