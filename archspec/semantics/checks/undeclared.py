"""Fixes for undeclared names."""

from __future__ import annotations

from archspec.diagnostics.model import Edit, Fix
from archspec.source import Span
from archspec.syntax import ast


def comment_behind(place: Span) -> Fix | None:
    """The fix if a word after `//` was meant as a comment."""
    before = place.source.text[: place.start].rstrip(" \t")
    if not before.endswith("//") or place.source.line(place.line).rstrip()[-1:] in (")", "]"):
        return None
    sign = Span(place.source, len(before) - 2, len(before))
    return Fix("a comment starts with `#`; `//` divides", (Edit(sign, "#"),))


def is_within(inner: Span, outer: Span) -> bool:
    """Whether a span is part of another span of the same text."""
    return outer.start <= inner.start and inner.end <= outer.end


def kind_word(node: ast.BlockDef | ast.RuleClause) -> str:
    """The kind of a definition in one word."""
    if isinstance(node, ast.RuleClause):
        return "rule"
    return "network" if node.is_network else "block"


def has_input(node: ast.BlockDef) -> bool:
    """Whether a block declares an input."""
    return any(isinstance(item, ast.Input) for item in node.body.statements)


def declared(node: ast.BlockDef, name: str) -> Fix:
    """The fix that declares an input of a block that has none."""
    shape = "f32[B = 1, 3, H = 224, W = 224]" if node.is_network else "[B, C, H, W]"
    line = f"input {name}: {shape}"
    first = node.body.statements[0].span
    gap = " " if first.line == node.body.span.line else "\n" + " " * (first.column - 1)
    if gap == " ":
        return Fix(f"declare the input: `{line}`")
    edit = Edit(Span(first.source, first.start, first.start), line + gap)
    return Fix(f"declare the input: `{line}`", (edit,))
