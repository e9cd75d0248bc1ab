"""`archspec list`."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from archspec import shipped
from archspec.cli.console import write, write_json
from archspec.cli.spec import files


def run(path: Path | None, as_json: bool) -> None:
    """Name the networks and presets of a file or folder, or the shipped ones."""
    from archspec.semantics.compile import list_networks

    rows = [
        {"name": name, "file": str(file), "kind": kind}
        for file in files([str(path or shipped.folder())])
        for name, kind in list_networks(file)
    ]
    if as_json:
        write_json(rows)
        return
    width = max((len(row["name"]) for row in rows), default=0)
    for file_name, group in groupby(rows, key=lambda row: row["file"]):
        write(f"{file_name}\n")
        for row in group:
            write(f"  {row['name']:<{width}}  {row['kind']}\n")
