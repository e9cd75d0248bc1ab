"""The modules of the standard library by the names they define, and edits that import a name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from archspec import shipped
from archspec.diagnostics.model import Edit, Fix
from archspec.semantics.program.use_paths import STANDARD
from archspec.source import Source, Span
from archspec.syntax import ast

_HEAD = re.compile(r"^(?:inline[ ]+)?(?:block|rule|network)[ ]+([A-Za-z_]\w*)", re.MULTILINE)


@cache
def modules_of_names() -> Mapping[str, str]:
    """Every name of the standard library with its module, such as `std.cnn`.

    The files are searched for heads of definitions; they are not parsed.
    """
    found: dict[str, str] = {}
    for path in sorted(STANDARD.glob(f"*{shipped.SUFFIX}")):
        for name in _HEAD.findall(path.read_text(encoding="utf-8")):
            found.setdefault(name, f"std.{path.stem}")
    return MappingProxyType(found)


def missing_use(tree: ast.Module, name: str) -> Fix | None:
    """The fix for a name defined in a module of the standard library; None if there is none."""
    module = modules_of_names().get(name)
    if module is None:
        return _shipped_use(tree, name)
    line = f"use {module} {{ {name} }}"
    return Fix(
        f"it is in the standard library: write `{line}` at the top", (_use(tree, module, name),)
    )


def _shipped_use(tree: ast.Module, name: str) -> Fix | None:
    """The fix for a network or preset of a shipped spec."""
    path = shipped.networks().get(name)
    if path is None:
        return None
    line = f"use {path.stem} {{ {name} }}"
    words = f"it is one of the shipped networks: write `{line}` at the top"
    return Fix(words, (_use(tree, path.stem, name),))


def _use(tree: ast.Module, module: str, name: str) -> Edit:
    """The edit that adds a name to the imports of a file."""
    for use in tree.uses:
        if ".".join(use.path) == module and use.names:
            end = use.names[-1].span.end
            return Edit(Span(tree.source, end, end), f", {name}")
    at = _first_line(tree)
    return Edit(Span(tree.source, at, at), f"use {module} {{ {name} }}\n" + _gap(tree.source, at))


def _first_line(tree: ast.Module) -> int:
    """The place for another `use`: after the existing ones, else before the first definition."""
    before = tree.uses[-1].span if tree.uses else tree.language.span if tree.language else None
    if before is None:
        return 0
    end = tree.source.text.find("\n", before.end)
    return len(tree.source.text) if end < 0 else end + 1


def _gap(source: Source, at: int) -> str:
    """An empty line if a definition follows directly."""
    line = source.text[at:].partition("\n")[0].strip()
    return "\n" if line and not line.startswith("use ") else ""
