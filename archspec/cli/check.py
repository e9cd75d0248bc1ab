"""`archspec check`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import typer

from archspec import shipped
from archspec.cli.console import Form, verdict, working, write, write_diagnostics, write_json
from archspec.cli.guard import WrongUsage, exit_code
from archspec.cli.spec import SUFFIX, Spec, files, locate
from archspec.diagnostics.model import Diagnostic, Severity, Sink
from archspec.source import Source


def run(specs: Sequence[str], form: Form) -> None:
    """Check files; exit with code 1 if there is an error."""
    found: dict[tuple[str, int, str, str], Diagnostic] = {}
    count = 0
    for spec in _specs(specs):
        for item in _check(spec):
            found.setdefault(item.sort_key, item)  # a file used by several is reported once
        count += 1
    _write(list(found.values()), count, form)
    if any(item.severity is Severity.ERROR for item in found.values()):
        raise typer.Exit(exit_code(found.values()))


def _specs(specs: Sequence[str]) -> Iterator[Spec]:
    for text in specs:
        if text and shipped.is_folder(Path(text)):
            found = [Spec(path) for path in files([text])]
            if not found and text in shipped.networks():  # a folder that `build` may have created
                found = [locate(text)]
            if not found:
                raise WrongUsage(f"there is no {SUFFIX} file in {text}")
            yield from found
        else:
            yield locate(text)


def _check(spec: Spec) -> tuple[Diagnostic, ...]:
    """The diagnostics of the file, including a missing network of the given name."""
    with working(f"checking {spec.path}"):
        return examine(spec.path, spec.name).diagnostics


def examine(path: Path | Source, name: str | None = None) -> Sink:
    """The diagnostics of a file, including what the installed targets cannot build."""
    from archspec.semantics.compile import check
    from archspec.targets.preflight import foreseen, is_reserved

    return check(path, name, reserved=is_reserved, inspect=foreseen)


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
