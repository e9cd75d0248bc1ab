"""Machine-readable diagnostics: JSON, one line per diagnostic, and GitHub annotations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from archspec.diagnostics.model import Annotation, Diagnostic, Fix, Severity
from archspec.diagnostics.printable import printable
from archspec.diagnostics.snippet import extent
from archspec.source import Span


def to_json(item: Diagnostic) -> dict[str, Any]:
    """One diagnostic as plain data.

    Lines and columns count from 1, columns in characters; `end_column` is exclusive. The place is
    null if the diagnostic has none.
    """
    return {
        "code": item.code,
        "severity": str(item.severity),
        "message": item.message,
        **(_NO_PLACE if item.primary is None else _annotation(item.primary)),
        "secondary": [_annotation(other) for other in item.secondary],
        "notes": list(item.notes),
        "expansion": [{"what": frame.what, **_place(frame.span)} for frame in item.expansion],
        "fix": None if item.fix is None else _fix(item.fix),
    }


_NO_PLACE: dict[str, Any] = dict.fromkeys(
    ("file", "line", "column", "end_line", "end_column", "label")
)


def _place(span: Span) -> dict[str, Any]:
    start, end = extent(span)
    line, column = span.source.position(start)
    end_line, end_column = span.source.position(end)
    return {
        "file": span.source.name,
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
    }


def _annotation(item: Annotation) -> dict[str, Any]:
    return {**_place(item.span), "label": item.label}


def _fix(fix: Fix) -> dict[str, Any]:
    edits = [{**_exact(edit.span), "text": edit.text} for edit in fix.edits]
    return {"message": fix.message, "edits": edits}


def _exact(span: Span) -> dict[str, Any]:
    """The place of an edit, which, unlike that of an annotation, is never trimmed."""
    line, column = span.source.position(span.start)
    end_line, end_column = span.source.position(span.end)
    return {
        "file": span.source.name,
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
    }


def concise(diagnostics: Iterable[Diagnostic]) -> str:
    """One line per diagnostic: `file:line:column: error[E0401]: message`."""
    return "".join(_concise(item) + "\n" for item in diagnostics)


def _concise(item: Diagnostic) -> str:
    text = f"{item.severity}[{item.code}]: {item.message}"
    if item.primary is not None:
        place = _place(item.primary.span)
        text = f"{place['file']}:{place['line']}:{place['column']}: {text}"
    return printable(text.replace("\n", " "))


_GITHUB = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def github(diagnostics: Iterable[Diagnostic]) -> str:
    """GitHub workflow commands, which appear next to the changed lines."""
    return "".join(_github(item) + "\n" for item in diagnostics)


def _github(item: Diagnostic) -> str:
    place = _place(item.primary.span) if item.primary is not None else {}
    names = {"file": "file", "line": "line", "column": "col", "end_line": "endLine"}
    fields = [f"{name}={_property(str(place[key]))}" for key, name in names.items() if key in place]
    fields.append(f"title=archspec {_property(item.code)}")
    return f"::{_GITHUB[item.severity]} {','.join(fields)}::{_data(item.message)}"


def _data(text: str) -> str:
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return printable(text)


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
