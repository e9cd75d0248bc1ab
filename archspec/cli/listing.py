"""`archspec list`."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import TypeAlias

from archspec import shipped
from archspec.cli.console import write, write_json
from archspec.cli.guard import WrongUsage
from archspec.cli.spec import SUFFIX, files
from archspec.diagnostics.failure import CompileFailed
from archspec.diagnostics.model import Diagnostic

Row: TypeAlias = "dict[str, str]"


def run(path: Path | None, as_json: bool) -> None:
    """Name the networks and presets of a file or folder, or the shipped ones."""
    rows: list[Row] = []
    faults: dict[tuple[str, int, str, str], Diagnostic] = {}
    places = list(files([str(path or shipped.folder())]))
    if not places:
        raise WrongUsage(f"there is no {SUFFIX} file in {path}")
    for file in places:
        found, wrong = _networks(file)
        rows.extend(found)
        faults.update({item.sort_key: item for item in wrong})
    if as_json and not faults:
        write_json(rows)
    elif not as_json:
        _write(rows)
    if faults:
        raise CompileFailed(faults.values())


def _networks(path: Path) -> tuple[list[Row], tuple[Diagnostic, ...]]:
    from archspec.semantics.compile import Compilation
    from archspec.semantics.program.definitions import PresetDefinition, networks

    compilation = Compilation()
    found = networks(compilation.load(path))
    kinds = {
        name: "preset" if isinstance(definition, PresetDefinition) else "network"
        for name, definition in found.items()
    }
    rows: list[Row] = [
        {"name": name, "file": str(path), "kind": kind} for name, kind in kinds.items()
    ]
    return rows, compilation.sink.diagnostics if compilation.sink.failed else ()


def _write(rows: list[Row]) -> None:
    width = max((len(row["name"]) for row in rows), default=0)
    for file_name, group in groupby(rows, key=lambda row: row["file"]):
        write(f"{file_name}\n")
        for row in group:
            write(f"  {row['name']:<{width}}  {row['kind']}\n")
