"""`archspec fmt`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from difflib import unified_diff
from pathlib import Path

import typer

from archspec.cli.console import coloured, write
from archspec.cli.guard import AT_FAULT
from archspec.cli.spec import files
from archspec.diagnostics.model import CompileFailed, Diagnostic, diagnostic
from archspec.diagnostics.paint import Style, paint
from archspec.diagnostics.printable import printable
from archspec.source import Source, Span

STANDARD_INPUT = "-"


def run(paths: Sequence[str], check: bool, diff: bool) -> None:
    """Format files in place, or say what would change. `-` reads standard input."""
    if list(paths) == [STANDARD_INPUT]:
        _filter(check, diff)
        return
    faults: list[Diagnostic] = []
    changed: list[Path] = []
    count = 0
    for path in files(paths):
        count += 1
        try:
            if _format(path, write_back=not (check or diff), diff=diff):
                changed.append(path)
        except CompileFailed as failure:
            faults.extend(failure.diagnostics)
    for path in changed if not diff else ():
        write(f"{'would reformat' if check else 'reformatted'} {path}\n", sys.stderr)
    write(_summary(len(changed), count, check or diff), sys.stderr)
    if faults:
        raise CompileFailed(faults)
    if changed and (check or diff):
        raise typer.Exit(AT_FAULT)


def _format(path: Path, *, write_back: bool, diff: bool) -> bool:
    """Whether the file was not in the one style."""
    source = _source(str(path), path.read_bytes())
    old, new = source.text, _formatted(source)
    if new == old:
        return False
    if diff:
        _write_diff(old, new, str(path))
    if write_back:
        path.write_bytes(new.encode())
    return True


def _source(name: str, data: bytes) -> Source:
    """The text in a file. What is written back must be what was read, so nothing is replaced."""
    try:
        return Source(name, data.decode("utf-8"))
    except UnicodeDecodeError as fault:
        start = Source(name, data[: fault.start].decode("utf-8") + " ")
        place = Span(start, len(start.text) - 1, len(start.text))
        raise CompileFailed([diagnostic("E0830", "this is not UTF-8 text", place)]) from None


def _formatted(source: Source) -> str:
    from archspec.fmt import format_source

    return format_source(source)


def _filter(check: bool, diff: bool) -> None:
    source = _source("<stdin>", sys.stdin.buffer.read())
    old, new = source.text, _formatted(source)
    if diff:
        _write_diff(old, new, "<stdin>")
    elif not check:
        sys.stdout.flush()
        sys.stdout.buffer.write(new.encode())
    if (check or diff) and new != old:
        raise typer.Exit(AT_FAULT)


def _summary(changed: int, count: int, dry: bool) -> str:
    left = count - changed
    verb = "would be reformatted" if dry else "reformatted"
    return f"{changed} {verb}, {left} already in style\n"


def _write_diff(old: str, new: str, name: str) -> None:
    colour = coloured(sys.stdout)
    before, after = old.splitlines(), new.splitlines()
    for line in unified_diff(before, after, name, f"{name} (formatted)", lineterm=""):
        write(paint(printable(line), _diff_style(line), colour) + "\n")


def _diff_style(line: str) -> Style:
    if line.startswith(("+++", "---")):
        return "bold"
    if line.startswith("@@"):
        return "gutter"
    styles: dict[str, Style] = {"+": "added", "-": "removed"}
    return styles.get(line[:1], "")
