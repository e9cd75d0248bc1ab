"""`archspec fmt`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from difflib import unified_diff
from pathlib import Path

import typer

from archspec.cli.console import coloured, write
from archspec.cli.guard import AT_FAULT, WrongUsage
from archspec.cli.spec import SUFFIX, files
from archspec.diagnostics.failure import CompileFailed
from archspec.diagnostics.model import Diagnostic, diagnostic
from archspec.diagnostics.paint import Style, paint
from archspec.diagnostics.printable import printable
from archspec.source import Source
from archspec.staging import write_file

STANDARD_INPUT = "-"


def run(paths: Sequence[str], check: bool, diff: bool) -> None:
    """Format files in place, or show what would change. `-` reads standard input."""
    if list(paths) == [STANDARD_INPUT]:
        _filter(check, diff)
        return
    faults: list[Diagnostic] = []
    changed: list[Path] = []
    unread = 0
    found = list(files(paths))
    if not found:
        raise WrongUsage(f"there is no {SUFFIX} file in {' '.join(paths)}")
    for path in found:
        try:
            if _format(path, write_back=not (check or diff), diff=diff):
                changed.append(path)
        except CompileFailed as failure:
            faults.extend(failure.diagnostics)
            unread += 1
    for path in changed if not diff else ():
        write(f"{'would reformat' if check else 'reformatted'} {path}\n", sys.stderr)
    write(_summary(len(changed), len(found) - unread, unread, check or diff), sys.stderr)
    if faults:
        raise CompileFailed(faults)
    if changed and (check or diff):
        raise typer.Exit(AT_FAULT)


def _format(path: Path, *, write_back: bool, diff: bool) -> bool:
    """Format a file; return whether its text changes."""
    source = _source(str(path), _bytes(path))
    old, new = source.text, _formatted(source)
    if new == old:
        return False
    if diff:
        _write_diff(old, new, str(path))
    if write_back:
        write_file(path, new.encode())
    return True


def _bytes(path: Path) -> bytes:
    """The content of a file. Raises CompileFailed (E0804), like other errors of one file."""
    try:
        return path.read_bytes()
    except OSError as fault:
        raise CompileFailed([diagnostic("E0804", f"{path}: {fault.strerror}")]) from None


def _source(name: str, data: bytes) -> Source:
    """The text of a file. Raises CompileFailed (E0830) if it is not text."""
    from archspec.syntax.encoding import decode

    source, fault = decode(name, data)
    if fault is not None:
        raise CompileFailed([fault])
    return source


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


def _summary(changed: int, read: int, unread: int, dry: bool) -> str:
    verb = "would be reformatted" if dry else "reformatted"
    parts = [f"{changed} {verb}", f"{read - changed} already formatted"]
    parts += [f"{unread} not formatted"] if unread else []
    return ", ".join(parts) + "\n"


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
