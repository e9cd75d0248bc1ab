"""The catalogue of codes: each has a page `explain/CODE.md` whose first line is `# CODE: title`.

The pages are the only list of codes. `archspec explain`, the site and the tests use this module.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from archspec.diagnostics.suggest import closest
from archspec.frozen import frozen

_FOLDER = Path(__file__).parent / "explain"


@frozen
class Page:
    """The explanation of one code. `text` is Markdown and begins with the title."""

    code: str
    title: str
    text: str


@cache
def pages() -> Mapping[str, Page]:
    """All pages by code. Raises ValueError if a page does not begin with its code."""
    found = (_read(path) for path in sorted(_FOLDER.glob("*.md")))
    return MappingProxyType({page.code: page for page in found})


def _read(path: Path) -> Page:
    text = path.read_text(encoding="utf-8")
    first = text.partition("\n")[0]
    head = f"# {path.stem}: "
    if not first.startswith(head):
        raise ValueError(f"{path.name} must begin with `{head}title`, not with `{first}`")
    return Page(path.stem, first.removeprefix(head).strip(), text)


def page(code: str) -> Page | None:
    """The page of a code, ignoring case; None if there is no such code."""
    return pages().get(code.strip().upper())


def nearest(code: str) -> str | None:
    """The existing code most similar to `code`, or None."""
    return closest(code.strip().upper(), pages())
