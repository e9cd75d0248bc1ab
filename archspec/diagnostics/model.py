"""What the compiler has to say: data, apart from how it is rendered.

The model follows ruff's: a stable code, one message, a primary annotation, secondary
annotations with labels, notes, the chain of expansions, and a fix where one is known.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from archspec.frozen import frozen
from archspec.source import Span


class Severity(StrEnum):
    """How bad it is. Only errors make a command fail."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@frozen
class Annotation:
    """A place, with what there is to say about it."""

    span: Span
    label: str = ""


@frozen
class Edit:
    """Replace the text at `span` by `text`."""

    span: Span
    text: str


@frozen
class Fix:
    """What to do about it, in words, and as edits where they are certain."""

    message: str
    edits: tuple[Edit, ...] = ()


@frozen
class Frame:
    """One step of the chain of expansions: `what` was expanded at `span`."""

    what: str
    span: Span


@frozen
class Diagnostic:
    """One thing to tell the reader.

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
        """Order of reports: by file, place, code, words."""
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
    """Make a diagnostic from plain pieces."""
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
    """Collects diagnostics; says the same thing once."""

    def __init__(self, limit: int = 200) -> None:
        self._seen: dict[tuple[str, int, str, str], Diagnostic] = {}
        self._limit = limit
        self._misread: list[Span] = []

    def report(self, item: Diagnostic) -> None:
        """Add a diagnostic unless the same was said of the same place before.

        What is said of text that could not be read (E01xx) is left out: it may only be a
        consequence.
        """
        if item.code.startswith("E01") and item.primary is not None:
            self._misread.append(item.primary.span)
        elif item.primary is not None and self._is_misread(item.primary.span):
            return
        if len(self._seen) < self._limit:
            self._seen.setdefault(item.sort_key, item)

    @property
    def count(self) -> int:
        """How many different things were said."""
        return len(self._seen)

    def reported(self, span: Span) -> bool:
        """Whether an error was reported with this very place."""
        return any(
            item.primary is not None and item.primary.span == span for item in self._seen.values()
        )

    @property
    def is_full(self) -> bool:
        """Whether nothing more is kept of what is said."""
        return len(self._seen) >= self._limit

    def touches(self, span: Span) -> bool:
        """Whether an error was reported with a place inside of this one."""
        return any(
            item.severity is Severity.ERROR
            and item.primary is not None
            and item.primary.span.source is span.source
            and span.start <= item.primary.span.start < span.end
            for item in self._seen.values()
        )

    def _is_misread(self, span: Span) -> bool:
        return any(
            wrong.source is span.source and wrong.start < span.end and span.start < wrong.end
            for wrong in self._misread
        )

    def extend(self, items: Iterable[Diagnostic]) -> None:
        """Add several."""
        for item in items:
            self.report(item)

    def replace(self, items: Iterable[Diagnostic]) -> None:
        """Forget what was reported and take these instead."""
        self._seen = {item.sort_key: item for item in items}

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """All of them, in order of place."""
        return tuple(sorted(self._seen.values(), key=lambda item: item.sort_key))

    @property
    def failed(self) -> bool:
        """Whether there is an error among them."""
        return any(item.severity is Severity.ERROR for item in self._seen.values())
