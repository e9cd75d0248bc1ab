"""Rewrites a layer called with data, `relu(x)`, as a chain: `x -> relu`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from archspec.diagnostics.changes import apply
from archspec.diagnostics.model import Diagnostic, Edit, Fix
from archspec.semantics.foreign.places import in_place
from archspec.source import Span
from archspec.syntax import ast


def applied_to(node: ast.Call, data: Sequence[ast.Argument], edits: Sequence[Edit] = ()) -> Fix:
    """The fix that moves data arguments in front of `->`; `edits` are applied to them first."""
    texts = [_text(item.value, edits) for item in data]
    flows = texts[0] if len(texts) == 1 else f"({', '.join(texts)})"
    kept = [item.span.text for item in node.arguments if item not in data]
    layer = node.function.span.text
    if kept:
        layer += f"({', '.join(kept)})"
    written = f"{flows} -> {layer}"
    shown = written if len(written) <= 90 and "\n" not in written else "x -> f"
    fix = Edit(node.span, in_place(written, node.span))
    return Fix(f"write `{shown}`", (fix,))


def around(item: Diagnostic, node: ast.Call, argument: ast.Argument) -> Diagnostic:
    """The same if the call with data is itself an argument: `relu(conv(8, 3)(x))`."""
    assert item.fix is not None
    return replace(item, fix=applied_to(node, [argument], item.fix.edits))


def _text(node: ast.Expr, edits: Sequence[Edit]) -> str:
    """An argument as the beginning of a chain."""
    inside = [edit for edit in edits if _within(edit.span, node.span)]
    text = apply(inside, node.span) if inside else node.span.text
    while isinstance(node, ast.Group) and not inside:
        node = node.inner
        text = node.span.text
    if isinstance(node, ast.IfValue | ast.IfLayer | ast.For | ast.Labelled):
        return f"({text})"
    return text


def _within(inner: Span, outer: Span) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end
