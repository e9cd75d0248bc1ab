"""Finds the file that a `use` means: in the spec's folder, or in the libraries of the package.

No other file is read, so that an untrusted spec can be checked safely.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from archspec import shipped
from archspec.diagnostics.model import Diagnostic, Edit, Fix, Sink, diagnostic
from archspec.diagnostics.suggest import did_you_mean, meant, suggestion
from archspec.source import Source, Span
from archspec.syntax import ast

STANDARD = Path(shipped.__file__).resolve().parent / "stdlib"

NOTE = "modules are `std.*`, files in the same folder, and the shipped specs, by name"


def find(use: ast.Use, path: Path | None, sink: Sink) -> Path | None:
    """The file that a `use` in the file `path` means; None if there is none, which is reported.

    A file in the same folder precedes a shipped spec; a file of the same name may use the shipped
    one.
    """
    if use.path[0] == "std":
        folders, rest = [STANDARD], use.path[1:]
    else:
        folders, rest = [*([] if path is None else [path.parent]), shipped.folder()], use.path
    itself: Path | None = None
    for folder in folders if rest else ():
        target = folder.joinpath(*rest).with_suffix(shipped.SUFFIX)
        try:
            found = _in_folder(use, target, folder)
        except OSError as fault:
            found = unreadable(use, fault)
        if isinstance(found, Diagnostic):
            sink.report(found)
            return None
        if found is not None and found.resolve() != path:
            return found
        itself = itself or found
    if itself is not None:
        return itself
    message = f"there is no module `{_name(use)}`"
    words = _meant(use, folders)
    fix = _fix(use, words) if words else None
    sink.report(diagnostic("E0201", message, use.span, notes=(NOTE,), fix=fix))
    return None


def _meant(use: ast.Use, folders: Sequence[Path]) -> str | None:
    """A fix for a `use` of an unknown module, in the notation of specs."""
    if use.path[0] in ("torch", "tensorflow", "keras", "jax", "flax", "numpy", "einops", "timm"):
        return "remove it: ops such as `conv` are always available, without a `use`"
    standard = _stems(STANDARD)
    *head, last = use.path
    outer = ".".join(head)
    within = use.path[:1] == ("std",)
    if head == ["std"]:
        near = suggestion(last, standard)
        return meant(near and f"std.{near}")
    if not head and within:
        found = next((item.text for item in use.names or () if item.text in standard), "cnn")
        return f"name a module of `std`: `use std.{found}`"
    parts = head[1:] if within else head
    if parts and any(
        folder.joinpath(*parts).with_suffix(shipped.SUFFIX).is_file() for folder in folders
    ):
        return f"write names in braces: `use {outer} {{ {last} }}`"
    if last in standard:
        return meant(f"std.{last}")
    there = {stem for folder in folders for stem in _stems(folder.joinpath(*head))}
    if near := suggestion(last, there):
        return meant(".".join((*head, near)))
    return did_you_mean(_name(use), {f"std.{stem}" for stem in standard})


def _fix(use: ast.Use, words: str) -> Fix:
    """The fix with these words, and with an edit if they contain all of the text."""
    written = re.search(r"`([^`]*)`", words)
    if written is None:
        return Fix(words)
    place = use.span
    if written[1].startswith("use "):
        return Fix(words, (Edit(place, written[1]),)) if use.names is None else Fix(words)
    at = place.text.find(_name(use))
    if at < 0 or written[1].startswith("use"):
        return Fix(words)
    start = place.start + at
    return Fix(words, (Edit(Span(place.source, start, start + len(_name(use))), written[1]),))


def _stems(folder: Path) -> set[str]:
    return {item.stem for item in folder.glob(f"*{shipped.SUFFIX}")}


def hidden(use: ast.Use, target: Path, name: str) -> tuple[str, ...]:
    """A note if a shipped spec defines `name` but is hidden by the file `target`."""
    if use.path[0] == "std":
        return ()
    other = shipped.folder().joinpath(*use.path).with_suffix(shipped.SUFFIX)
    if other == target or not other.is_file():
        return ()
    head = rf"^[ \t]*(?:inline[ \t]+)?(?:block|network|rule|preset)[ \t]+{re.escape(name)}\b"
    if re.search(head, other.read_text(encoding="utf-8"), re.MULTILINE) is None:
        return ()
    return (
        f"the shipped spec `{_name(use)}` defines it, but is hidden by the file `{target.name}` "
        "in this folder, which comes first; give that one another name to use both",
    )


def _in_folder(use: ast.Use, target: Path, folder: Path) -> Path | Diagnostic | None:
    """The file, a diagnostic, or None if nothing has that name."""
    instead = shipped.in_place_of_file(target)
    if instead is not None:
        message = f"the module `{_name(use)}` is {instead}, not a file"
        return diagnostic("E0201", message, use.span, notes=(NOTE,))
    if not target.is_file():
        return None
    if not target.resolve().is_relative_to(folder.resolve()):
        message = f"`{_name(use)}` is outside of the folder of this file"
        return diagnostic("E0204", message, use.span)
    return target


def unreadable(use: ast.Use, fault: OSError) -> Diagnostic:
    """The diagnostic for a used file that can't be read."""
    words = fault.strerror or str(fault)
    return diagnostic("E0201", f"the module `{_name(use)}` cannot be read: {words}", use.span)


def shown_name(source: Source, use: ast.Use, target: Path) -> str:
    """The name of a file that `source` uses, as shown in messages."""
    if use.path[0] == "std":
        return f"{shipped.STANDARD}{target.name}"
    folder = Path(source.name).parent
    if target.parent == shipped.folder() and folder.resolve() != target.parent:
        return f"{shipped.LIBRARY}{target.name}"
    return str(folder.joinpath(*use.path).with_suffix(shipped.SUFFIX))


def _name(use: ast.Use) -> str:
    return ".".join(use.path)
