"""The `archspec` command. Each command's module is imported when it runs, so start-up is fast."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from archspec.cli import completion
from archspec.cli.console import Form
from archspec.cli.flags import Command, Group
from archspec.cli.guard import INTERRUPTED, guarded
from archspec.cli.options import (
    After,
    Analyses,
    Column,
    Concrete,
    Direction,
    Entry,
    Expanded,
    Fold,
    Folder,
    Ignored,
    Json,
    PassTexts,
    Renamed,
    Seed,
    Settings,
    Sizes,
    Spec,
    Targets,
    Training,
    Way,
    WeightsFile,
    path_of,
)
from archspec.cli.passes import Passes

_EPILOG = """
Exit codes: 0 success, 1 an error in the spec, 2 wrong usage.

A first tour:

\b
archspec list
archspec show resnet50
archspec draw fractalnet --depth 3 -o fractal.svg
archspec build resnet50 --set classes=10 -o build/resnet50
"""


app = typer.Typer(
    name="archspec",
    help="Declare neural-network architectures, prove that their shapes fit, and build them.\n\n"
    "SPEC is a file with one network (lenet.arch), a network in a file (resnet.arch:resnet50), "
    "or the name of a network that ships with archspec (resnet50).",
    epilog=_EPILOG,
    no_args_is_help=True,
    cls=Group,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command(cls=Command)
@guarded
def build(
    spec: Spec,
    output: Folder = None,
    target: Targets = None,
    settings: Settings = None,
    sizes: Sizes = None,
    passes: PassTexts = None,
    column: Column = None,
    fold: Fold = False,
    seed: Seed = 0,
    weights: WeightsFile = None,
    entry: Entry = None,
    ignore: Ignored = None,
    rename: Renamed = None,
    as_json: Json = False,
) -> None:
    """Write PyTorch source, TorchScript, a drawing and a report.

    \b
    archspec build specs/fractalnet.arch
    archspec build resnet50 --set classes=10 -o build/resnet10
    archspec build specs/fractalnet.arch --column 3 --target torch
    archspec build resnet50 --weights resnet50-11ad3fa6.pth --fold
    archspec build resnet50 --weights last.ckpt --entry model_ema --rename backbone=
    """
    from archspec.cli import build as command

    command.run(
        spec,
        output,
        target or [],
        settings or [],
        sizes or [],
        Passes(passes or (), column, fold),
        seed,
        weights,
        entry,
        ignore or [],
        rename or [],
        as_json,
    )


@app.command(cls=Command)
@guarded
def check(
    specs: Annotated[
        list[str],
        typer.Argument(
            metavar="SPEC",
            help="Specs, or folders with specs.",
            autocompletion=completion.specs,
        ),
    ],
    form: Annotated[
        Form, typer.Option("--format", help="Format of the diagnostics; concise is one line each.")
    ] = Form.TEXT,
    as_json: Json = False,
) -> None:
    """Prove that the shapes of every network and preset fit, or report why not.

    All errors are reported in one run. Warnings do not make the command fail.

    \b
    archspec check specs/resnet.arch
    archspec check specs/ --format concise
    """
    from archspec.cli import check as command

    command.run(specs, Form.JSON if as_json else form)


@app.command(cls=Command)
@guarded
def show(
    spec: Spec,
    settings: Settings = None,
    sizes: Sizes = None,
    passes: PassTexts = None,
    column: Column = None,
    fold: Fold = False,
    depth: Annotated[
        int, typer.Option(min=0, metavar="N", help="Levels of blocks in the table; 0 for no table.")
    ] = 1,
    training: Training = False,
    concrete: Concrete = False,
    after: After = None,
    analyses: Analyses = None,
    as_json: Json = False,
) -> None:
    """Show what a network is and costs: shapes, parameters, MACs, memory, depth, valid sizes.

    \b
    archspec show resnet50
    archspec show specs/vit.arch:vit_b_16 --set size=384 --depth 2
    archspec show resnet50 --size H=W=384 --concrete
    archspec show resnet18 --pass fold --after fold
    archspec show resnet18 --analysis intensity
    """
    from archspec.cli import show as command

    chosen = Passes(passes or (), column, fold)
    asked = analyses or []
    command.run(
        spec, settings or [], sizes or [], chosen, depth, training, concrete, after, asked, as_json
    )


@app.command(cls=Command)
@guarded
def table(
    spec: Spec,
    vary: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=[..]",
            help="Values of a parameter, as in a spec; A=B=[..] for two together. Repeatable.",
            show_default=False,
        ),
    ] = None,
    sizes: Annotated[
        list[str] | None,
        typer.Option(
            metavar="H=W=[..]",
            help="Sizes of free dimensions; H=W=[..] for two together. Repeatable.",
            show_default=False,
        ),
    ] = None,
    settings: Settings = None,
    passes: PassTexts = None,
    column: Column = None,
    fold: Fold = False,
    as_json: Json = False,
) -> None:
    """Compare parameters, MACs and depth for several parameter values and sizes.

    \b
    archspec table mobilenetv1_100 --vary factor='[1.0, 0.5]' --sizes H=W='[224, 192]'
    archspec table fractalnet_w16 --vary columns='[1, 2, 3, 4, 5, 6]'
    """
    from archspec.cli import table as command

    command.run(
        spec, vary or [], sizes or [], settings or [], Passes(passes or (), column, fold), as_json
    )


@app.command(cls=Command)
@guarded
def draw(
    spec: Spec,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            parser=path_of,
            metavar="FILE",
            help=".svg, .png, .pdf or .dot; default: NAME.svg.",
            show_default=False,
        ),
    ] = None,
    depth: Expanded = None,
    settings: Settings = None,
    sizes: Sizes = None,
    passes: PassTexts = None,
    column: Column = None,
    fold: Fold = False,
    training: Training = False,
    direction: Way = Direction.TB,
    concrete: Concrete = False,
) -> None:
    """Draw a network: blocks as boxes with their output shapes, equal ones in sequence once.

    In a browser, tooltips of an SVG file show shapes, parameters, MACs and lines of the spec.

    \b
    archspec draw resnet50 -o resnet50.svg
    archspec draw fractalnet --depth 9 -o fractal.png
    archspec draw unet --depth 3 --direction LR --concrete
    """
    from archspec.cli import draw as command

    chosen = Passes(passes or (), column, fold)
    look = command.Look(depth, training, direction, concrete)
    command.run(spec, output, settings or [], sizes or [], chosen, look)


@app.command(name="list", cls=Command)
@guarded
def list_(
    place: Annotated[
        str | None,
        typer.Argument(
            metavar="WORD|PATH",
            autocompletion=completion.words,
            help="A word in the names of shipped networks, or else in their descriptions; or a "
            "file or folder. By default the shipped files are listed.",
            show_default=False,
        ),
    ] = None,
    everything: Annotated[
        bool,
        typer.Option(
            "--all",
            help="List each shipped network, not only their files.",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """List the shipped networks and presets, or those in a file or folder.

    \b
    archspec list
    archspec list resnet
    archspec list --all
    archspec list specs/resnet.arch --json
    """
    from archspec.cli import listing as command

    command.run(place, as_json, everything)


@app.command(cls=Command)
@guarded
def fmt(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH",
            help="Files or folders; - reads standard input.",
            autocompletion=completion.paths,
        ),
    ],
    check_only: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit code 1 if a file would change.")
    ] = False,
    diff: Annotated[
        bool, typer.Option("--diff", help="Change nothing; print what would change.")
    ] = False,
) -> None:
    """Format specs in the common style. Comments and meaning do not change.

    \b
    archspec fmt specs/
    archspec fmt --check specs/
    archspec fmt - < draft.arch
    """
    from archspec.cli import format as command

    command.run(paths, check_only, diff)


@app.command(cls=Command)
@guarded
def explain(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="CODE|NAME",
            autocompletion=completion.explained,
            help="Code as printed with a diagnostic, or the name of an op or of a block of the "
            "standard library; `ops` and `std` list these. By default all codes are listed.",
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Explain a diagnostic, an op, or a block of the standard library.

    \b
    archspec explain E0401
    archspec explain lstm
    archspec explain conv_bn_relu
    archspec explain ops
    archspec explain std
    """
    from archspec.cli import explain as command

    command.run(name, as_json)


def _version(asked: bool) -> None:
    if asked:
        import archspec

        typer.echo(f"archspec {archspec.__version__}")
        raise typer.Exit


@app.callback()
def _program(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line. Exits with one of the codes of `cli.guard`."""
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        # a stream that was closed before the start is None
        sys.stdout, sys.stderr = sys.stdout or nowhere, sys.stderr or nowhere
        _run()


def _run() -> None:
    # a compilation keeps most objects, and the collector would scan them over and over
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    try:
        app(prog_name="archspec")
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
