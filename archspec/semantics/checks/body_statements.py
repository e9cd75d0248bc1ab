"""Statements of a body that have no effect, or would change names as in Python."""

from __future__ import annotations

from collections.abc import Iterator

from archspec.diagnostics.model import Sink
from archspec.semantics.checks.rebinding import Rebinding
from archspec.semantics.checks.unused_results import changes_names, unused_result
from archspec.semantics.program.bound_names import appended_to, bodies_of
from archspec.semantics.program.lines_with_errors import words
from archspec.source import Span
from archspec.syntax import ast


class BodyStatements:
    """Reports such statements, and remembers what the checks after it have to know."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self.lost: set[str] = set()
        """Words of statements without effect, which may have been meant to bind them."""
        self.rebound: set[int] = set()
        """The offsets of names that are bound again."""
        self.changing: list[Span] = []
        """The places of statements that would change names."""
        self._imperative: set[int] = set()
        """The ids of bodies that change names, which are reported as a whole."""

    def sound(self, body: ast.Body) -> Iterator[ast.Statement]:
        """The statements of a body whose names can be checked; others are reported."""
        if id(body) in self._imperative:
            for statement in body.statements:
                self._imperative.update(map(id, bodies_of(statement)))
                if appended_to(statement) is None:
                    yield statement
            return
        rebinding = Rebinding(body)
        self.rebound.update(place.start for _, place in rebinding.again)
        strays = self._strays(body, rebinding)
        for fault in rebinding.faults():
            self.sink.report(fault)
        yield from (one for one in body.statements if id(one) not in strays)

    def is_changing(self, place: Span) -> bool:
        """Whether a place is in a statement that would change names."""
        inside = (one for one in self.changing if one.start <= place.start and place.end <= one.end)
        return any(one.source is place.source for one in inside)

    def _strays(self, body: ast.Body, rebinding: Rebinding) -> set[int]:
        """Report expression statements besides an output or another expression, by their ids."""
        kinds = (ast.ExprStmt, ast.Output)
        results = [item for item in body.statements if isinstance(item, kinds)]
        found: set[int] = set()
        if not results:
            return found
        result = next((item for item in results if isinstance(item, ast.Output)), results[0])
        for item in results:
            if not isinstance(item, ast.ExprStmt) or item is result or _is_gap(item):
                continue
            if id(item) in rebinding.changed:
                if not bodies_of(item):
                    found.add(id(item))
                self._changes(item, rebinding)
                continue
            found.add(id(item))
            self.lost |= words(item.span.text)
            self.sink.report(unused_result(item, result.span))
        return found

    def _changes(self, item: ast.ExprStmt, rebinding: Rebinding) -> None:
        """Report a statement that would change names; of appends to a list only the first."""
        self._imperative.update(map(id, bodies_of(item)))
        if len(self.changing) < MOST:
            self.changing.append(item.span)
        name = appended_to(item)
        if name is not None and rebinding.appends[name][0] is not item:
            return
        fault = changes_names(item, rebinding)
        if fault.fix is None or not self.sink.mend("E0131", item.span, fault.fix):
            self.sink.report(fault)


MOST = 100
"""Number of places that are remembered."""


def _is_gap(item: ast.ExprStmt) -> bool:
    """Whether a statement could not be parsed."""
    return isinstance(item.value, ast.Missing)
