"""Helpers that generated code brings along where it needs them, as source text.

A helper is a function or class in a file of the folder `prelude/` named after it; its own
helpers stand in a comment `# needs: a, b` on the first line.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.resources import files


@cache
def helper(name: str) -> tuple[str, tuple[str, ...]]:
    """Source of a helper and the names of those that it needs."""
    text = files("archspec_torch").joinpath("prelude", f"{name}.txt").read_text(encoding="utf-8")
    first, _, rest = text.partition("\n")
    if first.startswith("# needs:"):
        return rest.strip("\n"), tuple(item.strip() for item in first[8:].split(","))
    return text.strip("\n"), ()


def helpers_source(names: Iterable[str]) -> list[str]:
    """Sources of these helpers and of what they need, dependencies first, sorted by name."""
    order: dict[str, str] = {}

    def visit(name: str) -> None:
        if name in order:
            return
        source, needed = helper(name)
        for other in needed:
            visit(other)
        order[name] = source

    for name in sorted(names):
        visit(name)
    return list(order.values())
