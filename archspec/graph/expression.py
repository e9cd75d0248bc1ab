"""What a value was written as: an expression over the names of the block around it.

The graph of a specialised block has numbers. An `Instance` remembers of its attributes, and of the
arguments of the block that it calls, what the spec has in their place (`Instance.written`), over
the parameters of that block and the sizes that its shapes name, which `Graph.names` has as numbers.
None of it takes part in equality or in what is memoised: two calls that are specialised alike share
one graph, whatever their callers wrote.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from archspec.frozen import frozen


@frozen
class Name:
    """A parameter of the block, or a size that a shape in it names."""

    text: str


@frozen
class Number:
    """A number or a string as it is, `true` and `false` included."""

    value: float | str


@frozen
class Size:
    """A size of data that an inline block names: it has no name in the block around."""

    value: int


@frozen
class Operation:
    """An operator or a function of `OPERATIONS`, or `tuple`."""

    sign: str
    operands: tuple[Expression, ...]


Expression: TypeAlias = "Name | Number | Size | Operation"

OPERATIONS: Mapping[str, Callable[..., Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "//": lambda a, b: a // b,
    "%": lambda a, b: a % b,
    "**": lambda a, b: a**b,
    "neg": lambda a: -a,
    "ceil_div": lambda a, b: -(-a // b),
    "min": min,
    "max": max,
    "sqrt": math.sqrt,
    "tuple": lambda *items: items,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "and": lambda a, b: a and b,
    "or": lambda a, b: a or b,
    "not": lambda a: not a,
}
"""What an operation computes of numbers, or of strings that are compared."""

OPPOSITES = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
"""The comparison that holds where another does not."""

LARGEST_POWER = 64
"""Larger exponents are not evaluated: nobody writes them as the size of something."""


def names_in(expression: Expression) -> Iterator[str]:
    """The names in it, from left to right, as often as they appear."""
    match expression:
        case Name(text):
            yield text
        case Operation(_, operands):
            for operand in operands:
                yield from names_in(operand)


def says_more(expression: Expression) -> bool:
    """Whether it is more than numbers."""
    if isinstance(expression, Operation):
        return any(map(says_more, expression.operands))
    return not isinstance(expression, Number)


def evaluated(expression: Expression, names: Mapping[str, Any]) -> Any:
    """Its value where names have these values; None where it has none."""
    match expression:
        case Name(text):
            return names.get(text)
        case Number(value) | Size(value):
            return value
    operands = [evaluated(operand, names) for operand in expression.operands]
    if any(operand is None for operand in operands):
        return None
    if expression.sign == "**" and abs(operands[1]) > LARGEST_POWER:
        return None
    try:
        return OPERATIONS[expression.sign](*operands)
    except (ArithmeticError, TypeError, ValueError):
        return None


def substituted(expression: Expression, known: Mapping[str, Expression]) -> Expression:
    """The expression with these in the place of names, and without what changes nothing."""
    match expression:
        case Name(text):
            return known.get(text, expression)
        case Operation(sign, operands):
            return simplified(Operation(sign, tuple(substituted(one, known) for one in operands)))
    return expression


def simplified(operation: Operation) -> Expression:
    """An operation on what is as simple as can be: of numbers their result, `a * 1` as `a`."""
    sign, operands = operation.sign, operation.operands
    if sign == "not":
        return negated(operands[0])
    if sign == "tuple" or len(operands) != 2:
        return operation
    left, right = operands
    if sign in ("and", "or"):
        return _of_truths(operation)
    if isinstance(left, Number) and isinstance(right, Number):
        value = evaluated(operation, {})
        return operation if value is None else Number(value)
    one = Number(1)
    if (sign in ("*", "//", "**") and _is(right, 1)) or (sign in ("+", "-") and _is(right, 0)):
        return left
    if (sign == "*" and _is(left, 1)) or (sign == "+" and _is(left, 0)):
        return right
    if sign == "//" and isinstance(left, Operation) and left.sign == "*" and right != one:
        rest = [operand for operand in left.operands if operand != right]
        if isinstance(right, Number) and len(rest) == 1:
            return rest[0]
    return operation


def negated(condition: Expression) -> Expression:
    """The condition that holds where this one does not."""
    match condition:
        case Number(value):
            return Number(not value)
        case Operation("not", (inner,)):
            return inner
        case Operation(sign, operands) if sign in OPPOSITES:
            return Operation(OPPOSITES[sign], operands)
    return Operation("not", (condition,))


def _of_truths(operation: Operation) -> Expression:
    """`and` or `or` without a side that is known."""
    left, right = operation.operands
    for one, other in ((left, right), (right, left)):
        if isinstance(one, Number):
            decided = bool(one.value) == (operation.sign == "or")
            return Number(bool(one.value)) if decided else other
    return operation


def _is(expression: Expression, value: int) -> bool:
    return (
        isinstance(expression, Number)
        and type(expression.value) is int
        and (expression.value == value)
    )
