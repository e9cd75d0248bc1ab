"""Drawings as files, by a `dot` program: the system's, otherwise that of `graphviz-pure`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from archspec.diagnostics.failure import CompileFailed
from archspec.diagnostics.model import diagnostic
from archspec.diagram.columns import align
from archspec.diagram.frames import keep_inside, tighten
from archspec.diagram.joints import smooth
from archspec.diagram.pdf import pdf
from archspec.diagram.svg import svg
from archspec.diagram.text import FIXED, FREE
from archspec.diagram.titles import moves, shift_titles, wider_label, with_attributes
from archspec.diagram.typeset import typeset
from archspec.frozen import frozen
from archspec.staging import write_file

FORMATS = ("svg", "png", "dot", "pdf")
TIME_LIMIT = 120
"""Maximum time of a layout in seconds."""

PNG = ("-Gdpi=110", "-Gsize=290")
"""Resolution, and the longest side in inches: Graphviz writes at most 32,767 pixels."""

PURE = "graphviz-pure"

ATTEMPTS = 4
"""Maximum number of layouts of one drawing, until no arrow crosses a title."""


@cache
def program() -> str | None:
    """The layout program: `dot` on the path, otherwise the one that is installed with archspec."""
    return shutil.which("dot") or next(_pure(), None)


def _pure() -> Iterator[str]:
    """The places where pip may have installed `graphviz-pure`, which need not be on the path."""
    folders = [
        sysconfig.get_path("scripts"),
        os.path.dirname(sys.executable),
        _user_scripts(),
        os.environ.get("PATH", ""),
    ]
    for folder in folders:
        found = shutil.which(PURE, path=folder) if folder else None
        if found:
            yield found


def _user_scripts() -> str | None:
    """The folder where `pip install --user` puts programs; None if the platform has none."""
    try:
        return sysconfig.get_path("scripts", sysconfig.get_preferred_scheme("user"))
    except ValueError:  # WebAssembly has none
        return None


def render(dot: str, path: Path) -> Path:
    """Write a drawing; the suffix of `path` determines the format.

    The file is written completely or not at all. Raises CompileFailed: E0803 if it cannot be
    written, E0810 for an unknown format, E0811 if there is no layout program, E0812 if it failed.
    """
    kind = path.suffix.lower().lstrip(".")
    if kind not in FORMATS:
        listed = ", ".join(f".{item}" for item in FORMATS)
        raise _failed("E0810", f"{path} does not end in a format of drawings: {listed}")
    data = dot.encode() if kind == "dot" else layout(dot, kind)
    write_file(path, data)
    return path


def layout(dot: str, kind: str, seconds: int = TIME_LIMIT) -> bytes:
    """The bytes of a drawing. Raises CompileFailed (E0811; E0812 after this number of seconds)."""
    command = program()
    if command is None:
        raise _failed(
            "E0811",
            "no program to draw with was found",
            fix=f"`pip install {PURE}`, or install Graphviz; a .dot file needs neither",
        )
    if kind == "dot":
        return dot.encode()
    graphviz = Graphviz(command, seconds)
    if kind == "svg":
        return svg(place(graphviz, dot).layout)
    if kind == "pdf" and graphviz.is_pure:
        return pdf(place(graphviz, dot).layout)
    # The program writes the text in a font of its own, which may be broader.
    found = place(graphviz, dot, FREE)
    if not found.frames:
        return graphviz.run(found.dot, kind)
    # A layout with its places is drawn as it is, but for the frames and titles that have moved.
    done = graphviz.run(found.dot, "dot").decode()
    return graphviz.run(with_attributes(done, found.layout, found.frames), kind, "nop2")


@frozen
class Placed:
    """A layout in graphviz's JSON, read, with the source that it is of.

    `frames` has the places of the sides and titles of frames that have moved, as attributes.
    """

    layout: dict[str, Any]
    dot: str
    frames: Mapping[str, str]


def place(graphviz: Graphviz, dot: str, cells: str = FIXED) -> Placed:
    """A layout in which no arrow crosses a title.

    With `cells=FREE` cells are larger than planned if the program has a broader font.

    Frames without a wide enough gap are laid out again, wider; if arrows then cross a title again,
    once more, with all such frames so wide that there is a gap at any positions of upright arrows,
    since a wider frame may move the arrows in others. Arrows that pass a title at a slant may
    follow the side of a frame, so the width grows with each attempt.
    """
    dot = dot.replace(FREE, cells)
    for attempt in range(ATTEMPTS):
        placed = json.loads(graphviz.run(dot, "json"))
        typeset(placed)
        smooth(placed)
        keep_inside(placed)
        found = moves(placed)
        narrow = {name: moved for name, moved in found.items() if moved.shift is None}
        if not narrow or attempt == ATTEMPTS - 1:
            break
        changed = found if attempt else narrow
        frames = {item["name"]: item for item in placed["objects"] if item["name"] in changed}
        wider = {
            name: wider_label(
                frames[name], max(moved.enough * bool(attempt), moved.needed * (1 + attempt / 2))
            )
            for name, moved in changed.items()
        }
        dot = with_attributes(dot, placed, wider)
    shift_titles(placed, found)
    narrower = tighten(placed)
    again = moves(placed)  # frames have changed a little
    shift_titles(placed, again)
    aligned = align(placed)
    frames = {
        item["name"]: f'lp="{item["lp"]}", bb="{item["bb"]}"'
        for item in placed.get("objects", ())
        if item["name"] in {*found, *narrower, *again, *aligned}
    }
    return Placed(placed, dot, frames)


class Graphviz:
    """A layout program; all its runs together are limited to some seconds."""

    def __init__(self, command: str, seconds: int) -> None:
        self.command, self.seconds = command, seconds
        self.deadline = time.monotonic() + seconds
        self.is_pure = Path(command).stem == PURE

    def run(self, dot: str, kind: str, engine: str = "dot") -> bytes:
        """The output for a source. Raises CompileFailed (E0812)."""
        command, left = self.command, max(0.0, self.deadline - time.monotonic())
        arguments = [command, f"-K{engine}", f"-T{kind}", *(PNG if kind == "png" else ())]
        try:
            done = subprocess.run(  # the program is ours, and no shell is involved
                arguments, input=dot.encode(), capture_output=True, timeout=left, check=False
            )
        except subprocess.TimeoutExpired:
            message = f"laying out the drawing took more than {self.seconds} seconds"
            raise _failed("E0812", message, fix="choose a smaller depth") from None
        except OSError as error:
            raise _failed("E0812", f"{command} could not be run: {error}") from None
        if done.returncode or not done.stdout:
            words = done.stderr.decode("utf-8", "replace").strip().splitlines()
            message = f"{Path(command).name} failed: {words[-1] if words else 'it wrote nothing'}"
            raise _failed("E0812", message)
        return done.stdout


def _failed(code: str, message: str, fix: str | None = None) -> CompileFailed:
    return CompileFailed([diagnostic(code, message, fix=fix)])
