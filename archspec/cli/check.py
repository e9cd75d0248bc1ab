"""`archspec check`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import typer

from archspec.cli.console import Form, verdict, working, write, write_diagnostics, write_json
from archspec.cli.guard import AT_FAULT
from archspec.cli.spec import files, locate
from archspec.diagnostics.model import Diagnostic, Severity


def run(specs: Sequence[str], form: Form) -> None:
    """Check files; ends with exit code 1 where there is an error."""
    found: list[Diagnostic] = []
    count = 0
    for path in _paths(specs):
        found.extend(_check(path))
        count += 1
    _write(found, count, form)
    if any(item.severity is Severity.ERROR for item in found):
        raise typer.Exit(AT_FAULT)


def _paths(specs: Sequence[str]) -> Iterator[Path]:
    for text in specs:
        if Path(text).is_dir():
            yield from files([text])
        else:
            yield locate(text).path


def _check(path: Path) -> tuple[Diagnostic, ...]:
    from archspec.semantics.compile import check

    with working(f"checking {path}"):
        return check(path).diagnostics


def _write(found: list[Diagnostic], count: int, form: Form) -> None:
    from archspec.diagnostics.machine import concise, github

    match form:
        case Form.JSON:
            write_json(verdict(found))
        case Form.CONCISE:
            write(concise(found))
        case Form.GITHUB:
            write(github(found))
        case _ if found:
            write_diagnostics(found, sys.stdout)
        case _:
            write(f"no problems found in {count} file{'' if count == 1 else 's'}\n")
