"""The blocks and rules of the standard library and their documentation.

`archspec explain` and the site use it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import groupby
from types import MappingProxyType

from archspec.frozen import frozen
from archspec.semantics.program.use_paths import STANDARD
from archspec.source import Source
from archspec.syntax import ast, parse

EVERYWHERE = "std.combinators"
"""The module whose names need no `use`."""

_DOC = re.compile(r"(?:#.*\n)+")


@frozen
class Module:
    """A file of the standard library, `std.cnn`, with its first comment."""

    name: str
    doc: str


@frozen
class LibraryEntry:
    """A block or rule: `text` is its definition, all clauses of a rule."""

    name: str
    module: Module
    doc: str
    text: str

    @property
    def summary(self) -> str:
        """The first sentence of its comment."""
        return re.split(r"(?<=\.)\s(?=[A-Z`])", " ".join(self.doc.split()), maxsplit=1)[0]

    def page(self, level: int = 1) -> str:
        """Import line, comment and definition as Markdown, under a heading of this level."""
        module = self.module.name
        line = f"use {module} {{ {self.name} }}"
        if module == EVERYWHERE:
            line = f"# of {module}, which needs no `use`"
        code = f"```arch\n{line}\n\n{self.text}\n```"
        return "\n\n".join((f"{'#' * level} {self.name}", self.doc.strip(), code))


@cache
def library() -> Mapping[str, LibraryEntry]:
    """All blocks and rules by name, in the order of the text."""
    found: dict[str, LibraryEntry] = {}
    for path in sorted(STANDARD.glob("*.arch")):
        text = path.read_text(encoding="utf-8")
        comment = _DOC.match(text)
        module = Module(
            f"std.{path.stem}",
            re.sub(r"^# ?", "", comment[0], flags=re.MULTILINE) if comment else "",
        )
        for entry in _entries(module, parse(Source(path.name, text)).module):
            found.setdefault(entry.name, entry)
    return MappingProxyType(found)


def modules() -> frozenset[str]:
    """The names of all modules."""
    return frozenset(entry.module.name for entry in library().values())


def module_page(name: str) -> str:
    """The comment of a module and its blocks and rules, each with a sentence, as Markdown."""
    entries = [entry for entry in library().values() if entry.module.name == name]
    use = "needs no `use`" if name == EVERYWHERE else f"`use {name} {{ {entries[0].name} }}`"
    listed = "\n".join(f"- `{entry.name}`: {entry.summary}".rstrip(": ") for entry in entries)
    return "\n\n".join((f"# {name}", entries[0].module.doc.strip(), f"Import: {use}", listed))


def _entries(module: Module, tree: ast.Module) -> Iterator[LibraryEntry]:
    named = [
        node
        for node in tree.definitions
        if isinstance(node, ast.BlockDef | ast.RuleClause | ast.Signature)
    ]
    for name, group in groupby(named, key=lambda node: node.name):
        nodes = list(group)
        text = "\n".join(node.span.text for node in nodes)
        yield LibraryEntry(name, module, nodes[0].doc, text)
