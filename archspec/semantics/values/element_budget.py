"""What grows: lists, tuples and strings are counted as they are made, written out.

Lists and tuples share their parts, so nesting them grows what they stand for, not what they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from archspec.semantics.values.context import Context
from archspec.semantics.values.model import ListValue, Value, weight
from archspec.source import Span


def bounded(context: Context, parts: Iterable[Value], span: Span) -> tuple[Value, ...]:
    """The parts as a tuple. Raises OutOfBudget when it has too many tensors, written out.

    Walking data anywhere else is safe because every tuple went through here.
    """
    items = tuple(parts)
    total = 0
    for item in items:
        total += weight(item)
        context.session.budget.length(total, span)
    context.session.budget.made(total, span)
    return items


def listed(context: Context, items: Sequence[Value], span: Span) -> ListValue:
    """The items as a list. Raises OutOfBudget when there are too many, written out."""
    value = ListValue(tuple(items))
    context.session.budget.length(value.weight, span)
    context.session.budget.made(value.weight, span)
    return value


def joined(context: Context, pieces: Sequence[str], span: Span) -> str:
    """The pieces as one string. Raises OutOfBudget when it is too long."""
    budget = context.session.budget
    size = sum(len(piece) for piece in pieces)
    budget.characters(size, span)
    budget.made(size, span)
    return "".join(pieces)
