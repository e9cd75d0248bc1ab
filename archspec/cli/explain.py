"""`archspec explain`."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable
from itertools import groupby

from archspec.cli.console import coloured, write, write_json
from archspec.cli.guard import WrongUsage
from archspec.diagnostics import catalogue
from archspec.diagnostics.suggest import suggestion


def run(name: str | None, as_json: bool) -> None:
    """Print the page of a code, an op, an initialiser, a word, or a part of the library, or a list.

    Without a name the codes are listed, with `ops`, `initialisers` and `std` the others.
    """
    lists = {None: _codes, "ops": _ops, "std": _library, "initialisers": _initialisers}
    if name in lists:
        lists[name](as_json)
        return
    found = _found(name or "")
    if as_json:
        write_json(found)
    else:
        _show(found["text"])


def _found(name: str) -> dict[str, str]:
    """The page of a name, as data. Raises WrongUsage if it names nothing."""
    from archspec.cli.library import library, module_page, modules
    from archspec.cli.words_of_language import WORDS, word_page
    from archspec.ops.page import initialiser_page, op_page
    from archspec.ops.registry import all_ops
    from archspec.types.initialiser import INITIALISERS

    page = catalogue.page(name)
    if page is not None:
        return {"code": page.code, "title": page.title, "text": page.text}
    op, initialiser = all_ops().get(name), INITIALISERS.get(name)
    if op is not None:
        text = op_page(op)
        if initialiser is not None:
            text += f"\n\n{initialiser_page(initialiser, level=2)}"
        if name in WORDS:
            text += f"\n\n{word_page(name, level=2)}"
        return {"op": op.name, "category": op.category, "text": text}
    if initialiser is not None:
        return {"initialiser": name, "text": initialiser_page(initialiser)}
    entry = library().get(name.removeprefix("std.").rpartition(".")[2])
    if entry is not None and name in (entry.name, f"{entry.module.name}.{entry.name}"):
        return {"block": entry.name, "module": entry.module.name, "text": entry.page()}
    if (module := f"std.{name.removeprefix('std.')}") in modules():
        return {"module": module, "text": module_page(module)}
    if name in WORDS:
        return {"word": name, "text": word_page(name)}
    is_code = name[:1].upper() in "EWN" and name[1:].isdigit()
    what = "code" if is_code else "code, op, initialiser or block"
    raise WrongUsage(f"there is no {what} {name}", _hint(name))


def _hint(name: str) -> str:
    from archspec import shipped
    from archspec.cli.library import library
    from archspec.ops.registry import all_ops
    from archspec.semantics.program.foreign_names import meant_by, word_of_elsewhere
    from archspec.types.initialiser import INITIALISERS

    if name in shipped.networks():
        return f"it is a network: `archspec show {name}`"
    known, word = {*all_ops(), *library(), *INITIALISERS}, name.rpartition(".")[2]
    near = catalogue.nearest(name) or suggestion(name, known) or meant_by(word, known)
    if near:
        return f"did you mean {near}?"
    if (advice := word_of_elsewhere(word)) is not None:
        return advice
    return (
        "`archspec explain` lists all codes, `archspec explain ops` the ops, `archspec explain "
        "initialisers` the initialisers, and `archspec explain std` the blocks of the library"
    )


def _ops(as_json: bool) -> None:
    """Print all ops by category, each with the first sentence of its description."""
    from archspec.ops.page import summary
    from archspec.ops.registry import all_ops

    ops = sorted(all_ops().values(), key=lambda op: (op.category, op.name))
    if as_json:
        found = [{"op": op.name, "category": op.category, "text": summary(op)} for op in ops]
        write_json(found)
        return
    _grouped((op.category, op.name, summary(op)) for op in ops)


def _initialisers(as_json: bool) -> None:
    """Print all initialisers, each with its description."""
    from archspec.types.initialiser import INITIALISERS

    texts = {name: inspect.getdoc(kind) or "" for name, kind in INITIALISERS.items()}
    if as_json:
        write_json([{"initialiser": name, "text": text} for name, text in texts.items()])
        return
    _grouped(("initialisers", name, text) for name, text in texts.items())


def _library(as_json: bool) -> None:
    """Print all blocks and rules of the standard library by module."""
    from archspec.cli.library import library

    entries = library().values()
    if as_json:
        write_json(
            [
                {"block": entry.name, "module": entry.module.name, "text": entry.summary}
                for entry in entries
            ]
        )
        return
    _grouped((entry.module.name, entry.name, entry.summary) for entry in entries)


def _grouped(items: Iterable[tuple[str, str, str]]) -> None:
    """Print names and texts, with a heading for each group."""
    listed = list(items)
    width = max(len(name) for _, name, _ in listed)
    for group, members in groupby(listed, key=lambda item: item[0]):
        write(f"{group}\n")
        for _, name, text in members:
            write(f"  {name:{width}}  {text}".rstrip() + "\n")


def _codes(as_json: bool) -> None:
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
