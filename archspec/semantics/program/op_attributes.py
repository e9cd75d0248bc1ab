"""The attributes of ops by name and position, and the text of arguments."""

from __future__ import annotations

from functools import cache

from archspec.ops.base import Op
from archspec.source import Span


@cache
def attribute_names(op: type[Op]) -> tuple[str, ...]:
    """Names of an op's attributes, positional ones first, in order."""
    special = {op.variadic, op.open_attributes}
    return (*op.regions, *(name for name in op.model_fields if name not in special))


@cache
def positional(op: type[Op]) -> tuple[str, ...]:
    """Names of the positional attributes of an op, in order."""
    names = attribute_names(op)
    return names if op.positions is None else names[: len(op.regions) + op.positions]


def with_comma(span: Span) -> Span:
    """An argument with the comma next to it, or with its parentheses."""
    text = span.source.text
    before, after = text[: span.start].rstrip(), text[span.end :].lstrip()
    end = len(text) - len(after)
    if after.startswith(","):
        rest = after[1:].lstrip()
        return Span(span.source, span.start, len(text) - len(rest))
    if before.endswith(","):
        return Span(span.source, len(before) - 1, span.end)
    return Span(span.source, len(before) - 1, end + 1)
