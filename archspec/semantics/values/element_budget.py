"""Sizes of lists, tuples and strings, counted as these are made, as if written out.

Lists and tuples share their parts, so nesting increases their written-out size, not their memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from archspec.semantics.values.context import Context
from archspec.semantics.values.model import ListValue, Value, weight
from archspec.source import Span


def bounded(context: Context, parts: Iterable[Value], span: Span) -> tuple[Value, ...]:
    """The parts as a tuple. Raises OutOfBudget if it has too many tensors, written out.

    Every tuple is made here, so it is safe to walk through data elsewhere.
    """
    items = tuple(parts)
    total = 0
    for item in items:
        total += weight(item)
        context.session.budget.length(total, span)
    context.session.budget.made(total, span)
    return items


def listed(context: Context, items: Sequence[Value], span: Span) -> ListValue:
    """The items as a list. Raises OutOfBudget if there are too many, written out."""
    value = ListValue(tuple(items))
    context.session.budget.length(value.weight, span)
    context.session.budget.made(value.weight, span)
    return value


def joined(context: Context, pieces: Sequence[str], span: Span) -> str:
    """The pieces as one string. Raises OutOfBudget if it is too long."""
    budget = context.session.budget
    size = sum(len(piece) for piece in pieces)
    budget.characters(size, span)
    budget.made(size, span)
    return "".join(pieces)
