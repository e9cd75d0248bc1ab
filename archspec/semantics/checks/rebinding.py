"""Names that a body binds twice, as in Python's `x = f(x)`, reported with new names as a fix."""

from __future__ import annotations

from collections.abc import Iterator

from archspec.diagnostics.model import Diagnostic, Edit, Fix, diagnostic
from archspec.source import Span
from archspec.syntax import ast

NAMES = 10
"""Number of names of a body that are renamed; others get no edits."""
MOST = 100
"""Number of occurrences of a name that are renamed; a name with more gets no edits."""


def rebound(body: ast.Body) -> Iterator[Diagnostic]:
    """Errors for names that statements of a body bind again."""
    first: dict[str, Span] = {}
    fixes: dict[str, Fix] = {}
    reads: list[list[ast.Name]] = []
    for statement in body.statements:
        for name, place in _bound(statement):
            if name == "_" or name not in first:
                first.setdefault(name, place)
                continue
            if not isinstance(statement, ast.Bind):
                continue
            if name not in fixes and len(fixes) < NAMES:
                reads = reads or [[*_names(item)] for item in body.statements]
                fixes[name] = _with_new_names(body, name, reads)
            fix = fixes.get(name) or Fix(_words(name))
            yield diagnostic(
                "E0211",
                f"`{name}` is bound twice; a name can be bound only once in a body",
                place,
                secondary=[(first[name], "bound here")],
                fix=fix,
            )


def _bound(statement: ast.Statement) -> Iterator[tuple[str, Span]]:
    if isinstance(statement, ast.Input):
        for item in statement.items:
            yield item.name, item.span
    elif isinstance(statement, ast.Bind):
        for target in statement.targets:
            if isinstance(target, ast.NameTarget):
                yield target.name, target.span
    elif isinstance(statement, ast.Shared | ast.ParamDecl | ast.BufferDecl):
        yield statement.name, statement.span


def _words(name: str) -> str:
    return f"use a new name for each step, `{name}2 = ..`, or join the steps with `->`"


def _with_new_names(body: ast.Body, name: str, reads: list[list[ast.Name]]) -> Fix:
    """Names `x2`, `x3` for each further binding, and for the expressions that read it.

    `reads` has the names that each statement reads.
    """
    words = _words(name)
    taken = {node.text for names in reads for node in names}
    edits: list[Edit] = []
    count = 0
    current = name
    for statement, names in zip(body.statements, reads, strict=True):
        bound = [place for other, place in _bound(statement) if other == name]
        edits.extend(
            Edit(node.span, current) for node in names if node.text == name and current != name
        )
        if not bound:
            continue
        count += 1
        if count == 1:
            continue
        current = f"{name}{count}"
        if current in taken or len(bound) > 1 or not isinstance(statement, ast.Bind):
            return Fix(words)
        place = Span(bound[0].source, bound[0].start, bound[0].start + len(name))
        edits.append(Edit(place, current))
    return Fix(words, tuple(edits) if len(edits) <= MOST else ())


def _names(node: object) -> Iterator[ast.Name]:
    """Every name that is read in a part of the tree."""
    stack = [node]
    while stack:
        item = stack.pop()
        if isinstance(item, ast.Name):
            yield item
        elif isinstance(item, tuple):
            stack.extend(item)
        elif isinstance(item, ast.Node):
            stack.extend(item.parts)
