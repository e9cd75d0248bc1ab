"""Errors for `None`, which is written where Python has it."""

from __future__ import annotations

from archspec.diagnostics.model import Diagnostic, Edit, Fix, diagnostic
from archspec.semantics.foreign.places import in_place
from archspec.source import Span
from archspec.syntax import ast


def default_of_none(part: ast.Expr, parameter: ast.Parameter) -> Diagnostic | None:
    """The error for a default `None`; None for other defaults."""
    if not isinstance(part, ast.Name) or part.text != "None":
        return None
    message = "there is no `None` here"
    if parameter.type is not None and parameter.type.name in ("layer", "Layer"):
        words = "a layer that changes nothing is `identity`: with it, no `if` is needed"
        fix = Fix(words, (Edit(part.span, "identity"),))
        return diagnostic("E0210", message, part.span, fix=fix)
    if parameter.type is None:
        fix = Fix("write `none`", (Edit(part.span, "none"),))
        return diagnostic("E0210", "`None` is `none` here", part.span, fix=fix)
    message, source = "a parameter with a type has no `None`", parameter.span.source
    start = (text := source.text).rfind("=", 0, part.span.start)
    start -= len(text[:start]) - len(text[:start].rstrip())
    edit = Edit(Span(source, start, part.span.end), "")
    words = (
        "remove `= None`, so that it must be given, choose a value that means nothing, such "
        f"as 0, or leave out the type and write `{parameter.name} = none`"
    )
    return diagnostic("E0210", message, part.span, fix=Fix(words, (edit,)))


def new_axis(node: ast.Index) -> Diagnostic | None:
    """The error for `x[None]`, a new axis in NumPy; None for other indices."""
    names = [one.text for one in node.indices if isinstance(one, ast.Name)]
    if names != ["None"] or len(node.indices) != 1:
        return None
    message = "a tensor gets a new axis by `unsqueeze`"
    written = f"{node.base.span.text} -> unsqueeze(0)"
    fix = Fix(f"write `{written}`", (Edit(node.span, in_place(written, node.span)),))
    return diagnostic("E0210", message, node.span, fix=fix)


def layer_of_none(place: Span) -> Fix:
    """The fix for `x -> f -> None`."""
    return Fix("a layer that does nothing is `identity`", (Edit(place, "identity"),))
