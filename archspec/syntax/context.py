"""The state shared by the builders: source, errors, and items of uncertain role."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from archspec.diagnostics.model import Diagnostic, Fix, diagnostic
from archspec.frozen import frozen
from archspec.source import Source, Span
from archspec.syntax import ast


@frozen
class Equation:
    """`left = right` before its role is known: a binding, an argument or a default."""

    span: Span
    left: ast.Expr
    right: ast.Expr
    spread: bool = False


@frozen
class Dots:
    """A `...` without a name: the remaining axes of a shape."""

    span: Span


Item: TypeAlias = "ast.Expr | Equation | Dots"


@dataclass(slots=True)
class Context:
    """State of one parse.

    `raw_items` maps the id of a list or index to its items as written, while it may still turn out
    to be a shape (`[B = 1, ...]`). Entries left at the end are errors.
    """

    source: Source
    read_template: Callable[[int, int], ast.Expr]
    diagnostics: list[Diagnostic] = field(default_factory=list)
    raw_items: dict[int, tuple[ast.ListExpr | ast.Index, list[Item]]] = field(default_factory=dict)
    tokens: int = 0
    too_deep: bool = False
    damaged: set[int] = field(default_factory=set)

    def span(self, start: int, end: int) -> Span:
        """A span of the source."""
        return Span(self.source, start, end)

    def damage(self, offset: int) -> None:
        """Record that an error was reported on the line of an offset."""
        self.damaged.add(self.source.position(offset)[0])

    def is_damaged(self, offset: int) -> bool:
        """Whether an error on this line may be the consequence of an earlier one."""
        return self.source.position(offset)[0] in self.damaged

    def is_faulty(self, place: Span) -> bool:
        """Whether an error was reported inside a span."""
        inside = (one.primary for one in self.diagnostics if one.primary is not None)
        return any(place.start <= one.span.start < place.end for one in inside)

    def covers(self, place: Span) -> bool:
        """Whether an error was reported for a span with this one in it."""
        spans = (one.primary.span for one in self.diagnostics if one.primary is not None)
        return any(one.start <= place.start and place.end <= one.end for one in spans)

    def error(
        self,
        code: str,
        message: str,
        span: Span,
        label: str = "",
        *,
        secondary: Iterable[tuple[Span, str]] = (),
        fix: str | Fix | None = None,
    ) -> None:
        """Report an error."""
        self.diagnostics.append(
            diagnostic(code, message, span, label, secondary=secondary, fix=fix)
        )
