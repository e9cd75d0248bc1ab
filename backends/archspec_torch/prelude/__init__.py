"""Helper functions and classes that generated code includes if it uses them, as source text.

A helper is a function or class in a text file of this folder named after it; the helpers that it
uses are listed in a comment `# needs: a, b` on the first line. A name that ends in `1d`, `2d` or
`3d` may be in a file without it, which has `@AXES@` in place of the number of axes.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.resources import files

from archspec.graph.walk import postorder

AXES = "@AXES@"
"""Stands in a file for the number of axes."""


@cache
def helper_names() -> frozenset[str]:
    """Names of all helpers; local variables must not hide them."""
    folder = files("archspec_torch").joinpath("prelude")
    found: set[str] = set()
    for file in folder.iterdir():
        if not file.name.endswith(".txt"):
            continue
        name = file.name.removesuffix(".txt")
        numbered = AXES in file.read_text(encoding="utf-8")
        found.update(f"{name}{axes}d" for axes in "123") if numbered else found.add(name)
    return frozenset(found)


@cache
def helper(name: str) -> tuple[str, tuple[str, ...]]:
    """Source of a helper and the names of those that it needs."""
    folder = files("archspec_torch").joinpath("prelude")
    file = folder.joinpath(f"{name}.txt")
    if file.is_file():
        text = file.read_text(encoding="utf-8")
    else:
        text = _for_axes(folder.joinpath(f"{name[:-2]}.txt").read_text(encoding="utf-8"), name[-2])
    first, _, rest = text.partition("\n")
    if first.startswith("# needs:"):
        return rest.strip("\n"), tuple(item.strip() for item in first[8:].split(","))
    return text.strip("\n"), ()


def _for_axes(template: str, axes: str) -> str:
    one = "int" if axes == "1" else f"Tuple[{', '.join(['int'] * int(axes))}]"
    size = "int" if axes == "1" else f"Union[int, {one}]"
    text = template.replace(
        "@PADDING@", f"Union[str, {one}]" if axes == "1" else f"Union[str, int, {one}]"
    )
    return text.replace("@SIZE@", size).replace(AXES, axes)


def with_needed(names: Iterable[str]) -> list[str]:
    """These helpers and what they need, dependencies first, sorted by name."""
    wanted = sorted(names)
    return list(postorder("", lambda name: helper(name)[1] if name else wanted)[:-1])


def helpers_source(names: Iterable[str]) -> list[str]:
    """Sources of these helpers and of what they need, as `with_needed` gives them."""
    return [helper(name)[0] for name in with_needed(names)]
