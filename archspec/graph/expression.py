"""The expressions of a spec that numbers come from, over the names of the enclosing block.

The graph of a specialised block has numbers. For its attributes, and for the arguments of the block
that it calls, an `Instance` stores the expressions in the spec (`Instance.written`), over the
parameters of the enclosing block and the sizes that its shapes name; `Graph.names` has the values
of these. Expressions are ignored by equality and by memos: two calls with equal specialisations
share one graph, however their callers are written.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, TypeAlias

from archspec.frozen import frozen


@frozen
class Name:
    """A parameter of the block, or a size that one of its shapes names."""

    text: str


@frozen
class Number:
    """A number or a string, or `true` or `false`."""

    value: float | str


@frozen
class Size:
    """A size of data that an inline block names, and that has no name in the enclosing block.

    `value` is None for a free one.
    """

    value: int | None


@frozen
class Outside:
    """A number that another block wrote, as in a layer that is an argument."""

    value: float


@frozen
class Operation:
    """An operator or a function of `OPERATIONS`, or `tuple`."""

    sign: str
    operands: tuple[Expression, ...]


Expression: TypeAlias = "Name | Number | Size | Outside | Operation"

Decides: TypeAlias = Literal["count", "condition", "other"]
"""What depends on a name: only numbers of iterations, conditions that are `Graph.decisions`, or
anything else, such as the items of a list."""

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
    "log": math.log,
    "exp": math.exp,
    "ceil": math.ceil,
    "floor": math.floor,
    "round": round,
    "int": int,
    "float": float,
    "abs": abs,
    "if": lambda condition, then, otherwise: then if condition else otherwise,
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
"""The results of operations on numbers, or on strings that are compared."""

OPPOSITES = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
"""For each comparison its negation."""

LARGEST_POWER = 64
"""Larger exponents are not evaluated: they do not occur in sizes."""


def names_in(expression: Expression) -> Iterator[str]:
    """The names in an expression, from left to right, with repetitions."""
    match expression:
        case Name(text):
            yield text
        case Operation(_, operands):
            for operand in operands:
                yield from names_in(operand)


def choices_in(expression: Expression) -> Iterator[Operation]:
    """The `if c then a else b` in an expression."""
    if isinstance(expression, Operation):
        if expression.sign == "if":
            yield expression
        for operand in expression.operands:
            yield from choices_in(operand)


def has_names(expression: Expression) -> bool:
    """Whether an expression has anything but numbers."""
    if isinstance(expression, Operation):
        return any(map(has_names, expression.operands))
    return not isinstance(expression, Number | Outside)


def comes_from_outside(expression: Expression) -> bool:
    """Whether an expression has a number that another block wrote."""
    if isinstance(expression, Operation):
        return any(map(comes_from_outside, expression.operands))
    return isinstance(expression, Outside)


def has_unknown_sizes(expression: Expression) -> bool:
    """Whether an expression has a size of data that has no name."""
    return any(True for _ in _sizes_in(expression))


def has_free_sizes(expression: Expression) -> bool:
    """Whether an expression has a size of data that has neither a name nor a number."""
    return any(size.value is None for size in _sizes_in(expression))


def _sizes_in(expression: Expression) -> Iterator[Size]:
    if isinstance(expression, Operation):
        for operand in expression.operands:
            yield from _sizes_in(operand)
    elif isinstance(expression, Size):
        yield expression


def evaluated(expression: Expression, names: Mapping[str, Any]) -> Any:
    """The value of an expression for these values of its names; None if it has none."""
    match expression:
        case Name(text):
            return names.get(text)
        case Number(value) | Size(value) | Outside(value):
            return value
    if expression.sign == "if":
        condition, then, otherwise = expression.operands
        truth = evaluated(condition, names)
        return None if truth is None else evaluated(then if truth else otherwise, names)
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
    """The expression with names replaced by expressions, and simplified."""
    match expression:
        case Name(text):
            return known.get(text, expression)
        case Operation(sign, operands):
            return simplified(Operation(sign, tuple(substituted(one, known) for one in operands)))
    return expression


def simplified(operation: Operation) -> Expression:
    """An operation on simplified operands: the result for numbers, `a` for `a * 1`."""
    sign, operands = operation.sign, operation.operands
    if sign == "not":
        return negated(operands[0])
    if sign == "if":
        return _chosen(operation)
    if sign == "tuple" or len(operands) != 2:
        return operation
    left, right = operands
    if sign in ("and", "or"):
        return _of_truths(operation)
    if isinstance(left, Number) and isinstance(right, Number):
        value = evaluated(operation, {})
        return operation if value is None else Number(value)
    one = Number(1)
    if (sign in ("*", "//", "ceil_div", "**") and _is(right, 1)) or (
        sign in ("+", "-") and _is(right, 0)
    ):
        return left
    if (sign == "*" and _is(left, 1)) or (sign == "+" and _is(left, 0)):
        return right
    if sign == "//" and isinstance(left, Operation) and left.sign == "*" and right != one:
        rest = [operand for operand in left.operands if operand != right]
        if isinstance(right, Number) and len(rest) == 1:
            return rest[0]
    return operation


def _chosen(choice: Operation) -> Expression:
    """A choice, decided if its condition is a number, and without a negated condition."""
    condition, then, otherwise = choice.operands
    match condition:
        case Number(value):
            return then if value else otherwise
        case Operation("not", (opposite,)):
            return Operation("if", (opposite, otherwise, then))
    return choice


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
