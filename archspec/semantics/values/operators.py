"""Operators on compile-time values: exact integers, IEEE doubles, dims and conditions.

Integers are exact and limited to 64 bits; `//` and `%` floor; floats are IEEE doubles in source
order. Comparisons of free dims give conditions, which the solver decides where a boolean is
needed.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import TypeAlias, TypeGuard, TypeVar

from archspec.semantics.values.context import Context, OpenCondition
from archspec.semantics.values.display import kind_of
from archspec.semantics.values.element_budget import joined, listed
from archspec.semantics.values.model import ListValue, OpLayer, Poison, Value
from archspec.source import Span
from archspec.types.atoms import OutsideFragment
from archspec.types.condition import (
    All,
    AnyOf,
    Comparison,
    Condition,
    at_least,
    conjunction,
    disjunction,
    equal,
    negation,
    unequal,
)
from archspec.types.dim import Dim
from archspec.types.solver import VerdictKind, clauses

Made = TypeVar("Made")
MAX_INTEGER = 2**63 - 1

Operand: TypeAlias = "int | float | Dim"

_ARITHMETIC: dict[str, Callable[[Operand, Operand], Operand]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
}
Sortable = TypeVar("Sortable", float, str)

OP_OF_OPERATOR = {
    "+": "add",
    "-": "sub",
    "*": "mul",
    "/": "div",
    "//": "floor_div",
    "%": "mod",
    "**": "pow",
    "==": "eq",
    "!=": "ne",
    "<": "lt",
    "<=": "le",
    ">": "gt",
    ">=": "ge",
    "and": "logical_and",
    "or": "logical_or",
}
"""The op that implements each operator on tensors."""

OP_OF_SIGN = {"-": "neg", "not": "logical_not"}
"""The op that implements each prefix operator on tensors."""


def is_number(value: Value) -> TypeGuard[int | float]:
    """Whether the value is an int or a float; a bool is not."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_operand(value: Value) -> TypeGuard[Operand]:
    return is_number(value) or isinstance(value, Dim)


def _is_size(value: Value) -> TypeGuard[int | Dim]:
    return isinstance(value, (int, Dim)) and not isinstance(value, bool)


def plain(value: Value) -> Value:
    """A constant Dim as a number; anything else unchanged."""
    if isinstance(value, Dim) and value.constant is not None:
        return value.constant
    return value


def checked(context: Context, value: Value, span: Span) -> Value:
    """The value. Raises SpecError (E0314) for an integer beyond 64 bits."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > MAX_INTEGER:
        raise context.error("E0314", "this integer does not fit in 64 bits", span)
    return value


def arithmetic(context: Context, sign: str, left: Value, right: Value, span: Span) -> Value:
    """Evaluate `left sign right` for values."""
    if isinstance(left, Poison) or isinstance(right, Poison):
        return left if isinstance(left, Poison) else right
    if isinstance(left, str) and isinstance(right, str) and sign == "+":
        return joined(context, (left, right), span)
    if isinstance(left, ListValue) and isinstance(right, ListValue) and sign == "+":
        return listed(context, left.items + right.items, span)
    if not _is_operand(left) or not _is_operand(right):
        message = f"`{sign}` is not defined for {kind_of(left)} and {kind_of(right)}"
        raise context.error("E0309", message, span, fix=_instead(sign, left, right))
    if sign == "/" and isinstance(left, Dim) and isinstance(right, int | Dim):
        raise context.error(
            "E0411",
            f"`/` gives a fraction, which is not supported for symbolic sizes such as `{left}`",
            span,
            fix=f"write `//`, which rounds down: `{left} // {right}`",
        )
    try:
        one, two = left, right
        found = within_fragment(context, lambda: _compute(sign, one, two), span)
        return checked(context, plain(found), span)
    except ZeroDivisionError:
        raise context.error("E0309", "division by zero", span) from None
    except OverflowError:
        raise context.error("E0314", "this number is too large", span) from None


def _instead(sign: str, left: Value, right: Value) -> str | None:
    """Advice for a Python operator on lists and strings."""
    if sign == "+" and str in (type(left), type(right)):
        return 'values are inserted into strings: `"layer{i}"`'
    if sign == "%" and isinstance(left, str):
        return 'values are inserted into strings: `"layer{i}"`'
    return None


def _compute(sign: str, left: Operand, right: Operand) -> Value:
    if sign == "**":
        return _power(left, right)
    fractions = isinstance(left, float) or isinstance(right, float) or sign == "/"
    if fractions and (isinstance(left, Dim) or isinstance(right, Dim)):
        raise OutsideFragment(f"`{sign}` with a fraction on `{left}` and `{right}`")
    return _ARITHMETIC[sign](left, right)


def _power(left: Operand, right: Operand) -> Value:
    if isinstance(right, Dim):
        raise OutsideFragment(f"a power with the exponent `{right}`, which is not fixed")
    if isinstance(left, Dim):
        if not isinstance(right, int):
            raise OutsideFragment(f"a power of `{left}` whose exponent is not an integer")
        return left**right
    if isinstance(left, int) and isinstance(right, int) and right >= 0:
        if abs(left) > 1 and right > 64:
            raise OverflowError
        whole: int = left**right
        return whole
    result: float | complex = left**right
    if isinstance(result, complex):
        raise ZeroDivisionError
    return result


def compare(context: Context, sign: str, left: Value, right: Value, span: Span) -> Value:
    """Evaluate `left sign right`: a bool or, with free dims, a condition."""
    left, right = plain(left), plain(right)
    if isinstance(left, Poison) or isinstance(right, Poison):
        return left if isinstance(left, Poison) else right
    if isinstance(left, Dim) or isinstance(right, Dim):
        return _compare_dims(context, sign, left, right, span)
    if sign in ("==", "!="):
        same = left == right and (is_number(left) == is_number(right))
        return same if sign == "==" else not same
    if is_number(left) and is_number(right):
        return _in_order(sign, left, right)
    if isinstance(left, str) and isinstance(right, str):
        return _in_order(sign, left, right)
    raise context.error(
        "E0309", f"`{sign}` cannot compare {kind_of(left)} with {kind_of(right)}", span
    )


def _in_order(sign: str, left: Sortable, right: Sortable) -> bool:
    match sign:
        case "<":
            return left < right
        case "<=":
            return left <= right
        case ">":
            return left > right
        case _:
            return left >= right


def _compare_dims(context: Context, sign: str, left: Value, right: Value, span: Span) -> Value:
    if not _is_size(left) or not _is_size(right):
        raise context.error(
            "E0309", f"`{sign}` cannot compare {kind_of(left)} with {kind_of(right)}", span
        )
    a, b = left, right
    table: dict[str, Callable[[], Condition]] = {
        "==": lambda: equal(a, b),
        "!=": lambda: unequal(a, b),
        ">=": lambda: at_least(a, b),
        "<=": lambda: at_least(b, a),
        ">": lambda: at_least(a, b + 1),
        "<": lambda: at_least(b, a + 1),
    }
    return within_fragment(context, table[sign], span)


def equality(context: Context, left: Dim, right: Dim, span: Span) -> Condition:
    """The condition `left == right`. Raises SpecError (E0411) if it is not supported."""
    return within_fragment(context, lambda: equal(left, right), span)


def within_fragment(context: Context, made: Callable[[], Made], span: Span) -> Made:
    """The result of `made()`. Raises SpecError (E0411) if it is not supported."""
    try:
        return made()
    except OutsideFragment as error:
        raise context.error(
            "E0411", f"this is not supported for symbolic sizes: {error}", span
        ) from None


def is_condition(value: Value) -> TypeGuard[Condition]:
    """Whether the value is an undecided condition."""
    return isinstance(value, (Comparison, All, AnyOf))


def join_conditions(context: Context, sign: str, left: Value, right: Value, span: Span) -> Value:
    """Evaluate `left and right` or `left or right` for bools and conditions."""
    parts: list[Condition] = []
    for side in (left, right):
        if isinstance(side, bool):
            parts.append(All(()) if side else AnyOf(()))
        elif isinstance(side, (Comparison, All, AnyOf)):
            parts.append(side)
        else:
            raise context.error("E0309", f"`{sign}` needs conditions, not {kind_of(side)}", span)
    joined = conjunction(parts) if sign == "and" else disjunction(parts)
    return settled(joined)


def settled(condition: Condition) -> Value:
    """A bool for a trivial condition; otherwise the condition."""
    if condition == All(()):
        return True
    return False if condition == AnyOf(()) else condition


def negate(context: Context, value: Value, span: Span) -> Value:
    """Evaluate `not value`."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, (Comparison, All, AnyOf)):
        return settled(negation(value))
    if isinstance(value, Poison):
        return value
    raise context.error("E0309", f"`not` needs a condition, not {kind_of(value)}", span)


_CHOSEN = {
    "data": "an `if` is decided before the network runs; between data, element by element, "
    "`where` chooses: `(condition, a, b) -> where`",
    "all": "`all` is a layer; of values write `[x for x in xs if not condition] == []`",
    "any": "`any` is a layer; of values write `[x for x in xs if condition] != []`",
}


def truth(context: Context, value: Value, span: Span) -> bool:
    """The truth of a condition, given what the network's `where` promises.

    Raises SpecError (E0312) if it is true for some sizes and false for others.
    """
    if isinstance(value, bool):
        return value
    if not isinstance(value, (Comparison, All, AnyOf)):
        found = kind_of(value)
        word = value.op.name if isinstance(value, OpLayer) else found
        fix = _CHOSEN.get(word, _CHOSEN.get(found))
        raise context.error("E0312", f"a condition is needed here, not {found}", span, fix=fix)
    verdict = context.session.decide(value, span)
    if verdict.kind is VerdictKind.ALWAYS:
        return True
    if verdict.kind is VerdictKind.NEVER:
        return False
    text = _as_written(value, span)
    if verdict.kind is VerdictKind.UNDECIDED:
        raise context.error("E0410", f"`{text}` could not be decided: {verdict.reason}", span)
    if context.session.integer_symbols >= _symbols(value):
        raise OpenCondition(value)
    names = " and ".join(f"`{name}`" for name in sorted(_symbols(value)))
    free = "is" if len(_symbols(value)) == 1 else "are"
    raise context.error(
        "E0312",
        f"`{text}` holds for some sizes only, and {names} {free} free here",
        span,
        notes=("the structure of a network can't depend on a free size",),
        fix="make the size a parameter of the network (`size: int = 224` and "
        "`input image: f32[B = 1, 3, size, size]`), or let a `where` clause decide it",
    )


def _as_written(condition: Condition, span: Span) -> str:
    """The condition as the user wrote it at `span`, if that is where it comes from."""
    if "\n" not in span.text and all(name in span.text for name in _symbols(condition)):
        return span.text
    return " and ".join(clauses(condition))


def _symbols(condition: Condition) -> frozenset[str]:
    if isinstance(condition, Comparison):
        return condition.expression.symbols
    return frozenset().union(*(_symbols(part) for part in condition.parts))
