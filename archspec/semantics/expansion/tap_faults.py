"""Errors for paths of `tap` that lead to nothing."""

from __future__ import annotations

from archspec.diagnostics.model import Edit, Fix
from archspec.graph.selection import NothingThere
from archspec.semantics.values.context import Context, SpecError
from archspec.semantics.values.model import TapLayer
from archspec.source import Span


def nothing_there(context: Context, tap: TapLayer, error: NothingThere) -> SpecError:
    """The error (E0902) for a path, at its text, with the path that is probably meant."""
    place, near = _written(tap.span, error.path), error.near
    edits = (Edit(place, f'"{near}"'),) if place != tap.span else ()
    fix = Fix(f"did you mean `{near}`?", edits) if near is not None else None
    return context.error("E0902", str(error.args[0]), place, notes=(error.note,), fix=fix)


def _written(call: Span, path: str) -> Span:
    """The place of a path in a call; the whole call if it is not written there."""
    at = call.text.find(f'"{path}"')
    if at < 0:
        return call
    return Span(call.source, call.start + at, call.start + at + len(path) + 2)
