"""SPEC on the command line: `file.arch`, `file.arch:name`, or the name of a shipped network."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from archspec import shipped
from archspec.cli.guard import WrongUsage
from archspec.diagnostics.failure import CompileFailed
from archspec.diagnostics.model import diagnostic
from archspec.diagnostics.suggest import closest, meant
from archspec.frozen import frozen

SUFFIX = shipped.SUFFIX


@frozen
class Spec:
    """A file and a network or preset in it; `name` is None for the main one."""

    path: Path
    name: str | None = None


def locate(text: str) -> Spec:
    """The file and network that SPEC refers to. Raises WrongUsage if there is none."""
    if not text:
        raise WrongUsage("SPEC is empty", "name a file or a shipped network")
    path, name = shipped.parts(text)
    if not shipped.is_folder(path) and shipped.exists_at(path):
        _require_regular_file(path)
        return Spec(path, name)
    file = str(path)
    if name is None and _is_plain_name(file) and file in shipped.networks():
        return _shipped(file)
    _require_regular_file(path)
    if name is None and _is_plain_name(file):
        return _shipped(file)
    raise WrongUsage(f"there is no file {file}", _nearest_file(path))


def _require_regular_file(path: Path) -> None:
    """Raise CompileFailed (E0804) for a folder, FIFO, device or cyclic link in place of a spec."""
    instead = shipped.in_place_of_file(path)
    if instead is not None:
        fix = f"`archspec list {path}` lists its networks" if path.is_dir() else None
        raise CompileFailed([diagnostic("E0804", f"{path} is {instead}, not a file", fix=fix)])


def files(paths: Sequence[str]) -> Iterator[Path]:
    """The `.arch` files of the paths: files as given, folders searched recursively."""
    for text in paths:
        path = Path(text)
        if not text:
            raise WrongUsage("PATH is empty", "name a file or a folder; `.` is the current one")
        if shipped.is_folder(path):
            yield from sorted(item for item in path.rglob(f"*{SUFFIX}") if item.is_file())
        elif shipped.is_file(path):
            yield path
        else:
            _require_regular_file(path)
            raise WrongUsage(f"there is no file or folder {text}", _nearest_file(path))


def _is_plain_name(text: str) -> bool:
    return not text.endswith(SUFFIX) and os.sep not in text and "/" not in text


def _shipped(name: str) -> Spec:
    path = shipped.networks().get(name)
    if path is not None:
        return Spec(_short(path), name)
    near = closest(name, shipped.networks())
    raise WrongUsage(
        f"there is no file and no shipped network `{name}`",
        meant(near) or "`archspec list` lists the shipped networks",
    )


def _short(path: Path) -> Path:
    """The path relative to the current folder if it is below it, for short messages."""
    try:
        return path.relative_to(Path.cwd())
    except ValueError:
        return path


def _nearest_file(path: Path) -> str | None:
    folder = path.parent
    there = [item.name for item in folder.glob(f"*{SUFFIX}")] if folder.is_dir() else []
    near = closest(path.name, there)
    return f"did you mean {folder / near}?" if near else None
