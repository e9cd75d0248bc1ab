"""`archspec explain`."""

from __future__ import annotations

import sys

from archspec.cli.console import coloured, write, write_json
from archspec.cli.guard import WrongUsage
from archspec.diagnostics import catalogue


def run(code: str | None, as_json: bool) -> None:
    """Print the page of a code, or the list of codes."""
    if code is None:
        _list(as_json)
        return
    page = catalogue.page(code)
    if page is None:
        near = catalogue.nearest(code)
        hint = f"did you mean {near}?" if near else "`archspec explain` lists all codes"
        raise WrongUsage(f"there is no code {code}", hint)
    if as_json:
        write_json({"code": page.code, "title": page.title, "text": page.text})
    else:
        _show(page.text)


def _list(as_json: bool) -> None:
    pages = catalogue.pages().values()
    if as_json:
        write_json([{"code": page.code, "title": page.title} for page in pages])
        return
    for page in pages:
        write(f"{page.code}  {page.title}\n")


def _show(text: str) -> None:
    if not coloured(sys.stdout):
        write(text if text.endswith("\n") else text + "\n")
        return
    from rich.console import Console
    from rich.markdown import Markdown

    Console().print(Markdown(text))
