"""`archspec explain`."""

from __future__ import annotations

import sys
from itertools import groupby

from archspec.cli.console import coloured, write, write_json
from archspec.cli.guard import WrongUsage
from archspec.diagnostics import catalogue
from archspec.diagnostics.suggest import suggestion


def run(code: str | None, as_json: bool) -> None:
    """Print the page of a code or of an op, or the list of codes, or that of ops (`ops`)."""
    if code is None:
        _list(as_json)
        return
    if code == "ops":
        _ops(as_json)
        return
    page = catalogue.page(code)
    if page is None:
        _op(code, as_json)
        return
    if as_json:
        write_json({"code": page.code, "title": page.title, "text": page.text})
    else:
        _show(page.text)


def _op(name: str, as_json: bool) -> None:
    """Print the documentation of an op. Raises WrongUsage if it is neither a code nor an op."""
    from archspec.ops.page import op_page
    from archspec.ops.registry import all_ops

    op = all_ops().get(name)
    if op is None:
        near = catalogue.nearest(name) or suggestion(name, all_ops())
        lists = "`archspec explain` lists all codes, and `archspec explain ops` all ops"
        hint = f"did you mean {near}?" if near else lists
        what = "code" if name[:1].upper() in "EWN" and name[1:].isdigit() else "code or op"
        raise WrongUsage(f"there is no {what} {name}", hint)
    text = op_page(op)
    if as_json:
        write_json({"op": op.name, "category": op.category, "text": text})
    else:
        _show(text)


def _ops(as_json: bool) -> None:
    """Print all ops by category, each with the first sentence of its description."""
    from archspec.ops.page import summary
    from archspec.ops.registry import all_ops

    ops = sorted(all_ops().values(), key=lambda op: (op.category, op.name))
    if as_json:
        found = [{"op": op.name, "category": op.category, "text": summary(op)} for op in ops]
        write_json(found)
        return
    width = max(len(op.name) for op in ops)
    for category, members in groupby(ops, key=lambda op: op.category):
        write(f"{category}\n")
        for op in members:
            write(f"  {op.name:{width}}  {summary(op)}\n")


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
