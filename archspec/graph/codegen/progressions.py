"""Expressions of a number in the iterations of a loop as one expression over the iteration.

`drop / 11`, `drop * 2 / 11`, `drop * 3 / 11` are `drop * (i + 1) / 11`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from archspec.graph.expression import (
    Expression,
    Name,
    Number,
    Operation,
    names_in,
    simplified,
    substituted,
)

ITERATION = Name("(number of the iteration)")
"""The number of the iteration, from 0 on; no name of a spec is equal to it."""

MOST_PARTS = 8
"""Maximum number of names and numbers of an expression that a loop computes in each iteration."""

SHORTEST_POWERS = 3
"""Minimum number of numbers that are taken for powers."""

NEUTRAL = {"*": 1, "+": 0}
"""The number that an operation is written without."""


def progression(expressions: Sequence[Expression]) -> Expression | None:
    """The expression over `ITERATION` that is equal to each of these in its iteration, if any."""
    found = _common(expressions)
    if found is None or ITERATION.text not in names_in(found) or _parts(found) > MOST_PARTS:
        return None
    for number, wanted in enumerate(expressions):
        if substituted(found, {ITERATION.text: Number(number)}) != wanted:
            return None
    return found


def _common(expressions: Sequence[Expression]) -> Expression | None:
    first = expressions[0]
    if all(one == first for one in expressions):
        return first
    numbers = [one.value for one in expressions if isinstance(one, Number)]
    if len(numbers) == len(expressions):
        return _of_numbers(numbers)
    for operations in _as_operations(expressions):
        operands = [*zip(*(one.operands for one in operations), strict=True)]
        found = [_common(column) for column in operands]
        known = [one for one in found if one is not None]
        if len(known) == len(found):
            return simplified(Operation(operations[0].sign, tuple(known)))
    return None


def _as_operations(expressions: Sequence[Expression]) -> Iterator[list[Operation]]:
    """The expressions as operations of one kind, where `x` may be `x * 1` or `x + 0`."""
    operations = [one for one in expressions if isinstance(one, Operation)]
    for sign, count in dict.fromkeys((one.sign, len(one.operands)) for one in operations):
        found = [
            one
            if isinstance(one, Operation) and (one.sign, len(one.operands)) == (sign, count)
            else _without_effect(one, sign, operations)
            for one in expressions
        ]
        known = [one for one in found if one is not None]
        if len(known) == len(found):
            yield known


def _without_effect(one: Expression, sign: str, others: Sequence[Operation]) -> Operation | None:
    """`x * 1` for `x`, with the number on the side where the other operations have theirs."""
    if sign not in NEUTRAL:
        return None
    neutral = Number(NEUTRAL[sign])
    first = any(other.sign == sign and isinstance(other.operands[0], Number) for other in others)
    return Operation(sign, (neutral, one) if first else (one, neutral))


def _of_numbers(numbers: Sequence[float | str]) -> Expression | None:
    """Integers in steps, or powers."""
    values = [value for value in numbers if type(value) is int]
    if len(values) < len(numbers):
        return None
    first, step = values[0], values[1] - values[0]
    if all(b - a == step for a, b in pairwise(values)):
        factor = simplified(Operation("*", (Number(abs(step)), ITERATION)))
        if step < 0:
            return Operation("-", (Number(first), factor))
        return simplified(Operation("+", (factor, Number(first)))) if first >= 0 else None
    return _of_powers(values)


def _of_powers(values: Sequence[int]) -> Expression | None:
    """`first * ratio ** i`, or `ratio ** (i + k)`."""
    first = values[0]
    if len(values) < SHORTEST_POWERS or first < 1 or values[1] % first:
        return None
    ratio = values[1] // first
    if ratio < 2 or any(b != a * ratio for a, b in pairwise(values)):
        return None
    start = 0
    while ratio**start < first:
        start += 1
    if ratio**start == first:
        exponent = simplified(Operation("+", (ITERATION, Number(start))))
        return Operation("**", (Number(ratio), exponent))
    return Operation("*", (Number(first), Operation("**", (Number(ratio), ITERATION))))


def _parts(expression: Expression) -> int:
    """The number of names and numbers in an expression."""
    if isinstance(expression, Operation):
        return sum(map(_parts, expression.operands))
    return 1
