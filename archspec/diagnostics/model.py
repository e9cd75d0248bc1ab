"""The data model of diagnostics, independent of rendering.

The model follows ruff: a stable code, one message, a primary annotation, secondary annotations
with labels, notes, the chain of expansions, and a fix if one is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from enum import StrEnum

from archspec.frozen import frozen
from archspec.source import Span


class Severity(StrEnum):
    """The severity of a diagnostic. Only errors make a command fail."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@frozen
class Annotation:
    """A place in a source with a label."""

    span: Span
    label: str = ""


@frozen
class Edit:
    """Replace the text at `span` by `text`."""

    span: Span
    text: str


@frozen
class Fix:
    """A suggested fix in words, with edits if they are certain.

    The edits `instead` are tried if `edits` do not help.
    """

    message: str
    edits: tuple[Edit, ...] = ()
    instead: tuple[Edit, ...] = ()


@frozen
class Frame:
    """One step of the chain of expansions: `what` was expanded at `span`."""

    what: str
    span: Span


@frozen
class Diagnostic:
    """One error, warning or note.

    `code` is stable and has a page (`archspec explain CODE`). `expansion` is the chain of
    expansions that led here, innermost first.
    """

    code: str
    message: str
    primary: Annotation | None = None
    secondary: tuple[Annotation, ...] = ()
    notes: tuple[str, ...] = ()
    expansion: tuple[Frame, ...] = ()
    fix: Fix | None = None
    severity: Severity = Severity.ERROR

    @property
    def sort_key(self) -> tuple[str, int, str, str]:
        """The sort key of reports: file, offset, code, message."""
        if self.primary is None:
            return ("", 0, self.code, self.message)
        span = self.primary.span
        return (span.source.name, span.start, self.code, self.message)


def diagnostic(
    code: str,
    message: str,
    span: Span | None = None,
    label: str = "",
    *,
    secondary: Iterable[tuple[Span, str]] = (),
    notes: Iterable[str] = (),
    expansion: Iterable[Frame] = (),
    fix: str | Fix | None = None,
    severity: Severity = Severity.ERROR,
) -> Diagnostic:
    """Create a diagnostic from plain values."""
    return Diagnostic(
        code,
        message,
        Annotation(span, label) if span is not None else None,
        tuple(Annotation(place, text) for place, text in secondary),
        tuple(notes),
        tuple(expansion),
        Fix(fix) if isinstance(fix, str) else fix,
        severity,
    )


class Sink:
    """Collects diagnostics without duplicates."""

    def __init__(self, limit: int = 200) -> None:
        self._seen: dict[tuple[str, int, str, str], Diagnostic] = {}
        self._limit = limit
        self._syntax_errors: list[Span] = []

    def report(self, item: Diagnostic) -> None:
        """Add a diagnostic unless an equal one was reported for the same place.

        A diagnostic that overlaps a syntax error (E01xx) is dropped, since it may only be a
        consequence of it.
        """
        if item.code.startswith("E01") and item.primary is not None:
            self._syntax_errors.append(item.primary.span)
        elif item.primary is not None and self._overlaps_syntax_error(item.primary.span):
            return
        if len(self._seen) < self._limit:
            self._seen.setdefault(item.sort_key, item)

    def mend(self, code: str, within: Span, fix: Fix) -> bool:
        """Extend the fix of the first diagnostic with this code in a span, if there is one.

        The words are those of `fix`, and its edits are added, if it has any.
        """
        for key, item in self._seen.items():
            place = item.primary.span if item.primary is not None else None
            if item.code != code or place is None or place.source is not within.source:
                continue
            if within.start <= place.start < within.end:
                others = item.fix.edits if item.fix is not None and fix.edits else ()
                self._seen[key] = replace(item, fix=Fix(fix.message, (*fix.edits, *others)))
                return True
        return False

    @property
    def count(self) -> int:
        """The number of distinct diagnostics."""
        return len(self._seen)

    def reported(self, span: Span) -> bool:
        """Whether a diagnostic was reported for exactly this span."""
        return any(
            item.primary is not None and item.primary.span == span for item in self._seen.values()
        )

    def covers(self, span: Span) -> bool:
        """Whether something was reported with a place that has this one in it."""
        return any(
            item.primary is not None
            and item.primary.span.source is span.source
            and item.primary.span.start <= span.start
            and span.end <= item.primary.span.end
            for item in self._seen.values()
        )

    @property
    def is_full(self) -> bool:
        """Whether the limit is reached, so further diagnostics are dropped."""
        return len(self._seen) >= self._limit

    def touches(self, span: Span, but: Callable[[Diagnostic], bool] = lambda _: False) -> bool:
        """Whether an error was reported that starts inside this span, except some errors."""
        return any(
            item.severity is Severity.ERROR
            and not but(item)
            and item.primary is not None
            and item.primary.span.source is span.source
            and span.start <= item.primary.span.start < span.end
            for item in self._seen.values()
        )

    def _overlaps_syntax_error(self, span: Span) -> bool:
        return any(
            wrong.source is span.source and wrong.start < span.end and span.start < wrong.end
            for wrong in self._syntax_errors
        )

    def extend(self, items: Iterable[Diagnostic]) -> None:
        """Report several diagnostics."""
        for item in items:
            self.report(item)

    def replace(self, items: Iterable[Diagnostic]) -> None:
        """Replace all diagnostics by these."""
        self._seen = {item.sort_key: item for item in items}

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """All diagnostics, sorted by place."""
        return tuple(sorted(self._seen.values(), key=lambda item: item.sort_key))

    @property
    def failed(self) -> bool:
        """Whether any of them is an error."""
        return any(item.severity is Severity.ERROR for item in self._seen.values())
