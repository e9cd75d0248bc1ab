"""Names that a body binds twice, as in Python's `x = f(x)`, reported with new names as a fix.

A loop or choice that binds names again, `for .. { x = x -> f }`, is one more binding of them, and a
list to which a statement appends is bound again, too.
"""

from __future__ import annotations

from collections.abc import Iterator

from archspec.diagnostics.model import Diagnostic, Fix, diagnostic
from archspec.semantics.checks.chained_bodies import names_read
from archspec.semantics.checks.new_names import Collected, NewNames, bound
from archspec.semantics.program.bound_names import appended_to, bodies_of, changed_by
from archspec.source import Span
from archspec.syntax import ast

NAMES = 10
"""Number of names of a body that are renamed; others get no edits."""
SHOWN = 3
"""Number of places of further bindings that an error shows."""
MOST = 100
"""Number of occurrences of a name that are renamed; a name with more gets no edits."""


class Rebinding:
    """The names that statements of a body bind again."""

    def __init__(self, body: ast.Body) -> None:
        self.body = body
        self.first: dict[str, Span] = {}
        self.again: list[tuple[str, Span]] = []
        self.changed: dict[int, tuple[str, ...]] = {}
        """The names that a statement without a result would change, by the id of the statement."""
        self.shown: dict[int, str] = {}
        """Such a statement as it is written with a result, once there is a fix."""
        self._lists: dict[str, ast.Bind] = {}
        self.appends: dict[str, list[ast.Statement]] = {}
        """The statements of the body that append to a list, by its name."""
        self._fixes: dict[str, Fix] = {}
        self._reads: list[list[ast.Name]] = []
        for statement in body.statements:
            self._add(statement)

    def _add(self, statement: ast.Statement) -> None:
        for name, place in bound(statement):
            if name == "_" or name not in self.first:
                self.first.setdefault(name, place)
                if isinstance(statement, ast.Bind) and _is_empty(statement.value):
                    self._lists[name] = statement
            elif isinstance(statement, ast.Bind):
                self.again.append((name, place))
        appended = appended_to(statement)
        if appended is not None or bodies_of(statement):
            changed = changed_by(statement)
            names = tuple(name for name in self.first if name in changed and name != "_")
            if names:
                self.changed[id(statement)] = names
        if appended in self.first:
            self.appends.setdefault(appended, []).append(statement)

    def faults(self) -> Iterator[Diagnostic]:
        """An error for each name that is bound again."""
        again: dict[str, list[Span]] = {}
        for name, place in self.again:
            again.setdefault(name, []).append(place)
        for name, (place, *others) in again.items():
            yield diagnostic(
                "E0211",
                f"`{name}` is bound twice; a name can be bound only once in a body",
                place,
                secondary=[
                    (self.first[name], "bound here"),
                    *((other, "bound again") for other in others[:SHOWN]),
                ],
                fix=Fix(_words(name), self.fix((name,)).edits),
            )

    def fix(self, names: tuple[str, ...]) -> Fix:
        """New names for each further binding of these names, and for what reads it."""
        name = names[0]
        if name not in self._fixes and len(self._fixes) < NAMES:
            self._reads = self._reads or [[*names_read(one)] for one in self.body.statements]
            self._fixes[name] = self._with_new_names(set(names))
        return self._fixes.get(name) or Fix("")

    def _with_new_names(self, names: set[str]) -> Fix:
        """Names `x2`, `x3` for each further binding, and for the expressions that read it."""
        changed = {name for group in self.changed.values() for name in group}
        lists: dict[str, Collected] = {}
        if names & changed:
            names = names | changed
            if changed & self._lists.keys():
                names |= {name for name, _ in self.again}
            lists = {
                name: Collected(empty, self.appends[name][-1] if name in self.appends else None)
                for name, empty in self._lists.items()
                if name in changed
            }
        taken = {node.text for read in self._reads for node in read} | self.first.keys()
        renaming = NewNames(taken, lists)
        names -= lists.keys()
        done = renaming.statements(self.body.statements, self._reads, names)
        edits = tuple(renaming.edits)
        self.shown.update(renaming.shown)
        return Fix("", edits if done and len(edits) <= MOST else ())


def _is_empty(node: ast.Expr) -> bool:
    return isinstance(node, ast.ListExpr | ast.TupleExpr) and not node.items


def _words(name: str) -> str:
    return f"use a new name for each step, `{name}2 = ..`, or join the steps with `->`"
