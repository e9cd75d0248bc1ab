"""Functions on compile-time values: `len`, `sum`, `round`, `zip` and others.

Some share their name with an op (`sum`, `abs`, `exp`). A call with values means the function, a
stage of a chain means the op. `means_function` decides.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from archspec.diagnostics.model import Fix
from archspec.diagnostics.wording import counted
from archspec.ops.registry import all_ops
from archspec.semantics.building.graph_builder import Tensor
from archspec.semantics.program.foreign_names import word_of_elsewhere
from archspec.semantics.values.context import Context, NotInductive
from archspec.semantics.values.display import kind_of
from archspec.semantics.values.element_budget import listed
from archspec.semantics.values.evaluation import as_list
from archspec.semantics.values.model import (
    Copies,
    ListValue,
    OpLayer,
    Poison,
    RangeValue,
    Value,
    is_data,
)
from archspec.semantics.values.operators import (
    arithmetic,
    checked,
    compare,
    is_number,
    join_conditions,
    negate,
    plain,
    within_fragment,
)
from archspec.semantics.values.single_tensors import iterated, measured, numbers_listed
from archspec.source import Span
from archspec.syntax import ast
from archspec.types.dim import Dim, ceil_divide, extreme


def range_items(context: Context, value: RangeValue, span: Span) -> tuple[Value, ...]:
    """Integers of a range. Raises SpecError if it has no end, OutOfBudget if it is too long."""
    if value.stop is None:
        raise context.error("E0313", "this range has no end", span)
    count = max(0, value.stop - value.start)
    context.session.budget.length(count, span)
    return tuple(range(value.start, value.start + count))


def items_of(context: Context, value: Value, span: Span) -> tuple[Value, ...]:
    """The items of a list, range or tuple of data; a list may be the value of a rule."""
    value = as_list(context, value, span)
    if isinstance(value, ListValue):
        items = value.items
    elif isinstance(value, RangeValue):
        items = range_items(context, value, span)
    elif isinstance(value, tuple):
        if any(isinstance(item, Copies) for item in value):
            raise NotInductive("it iterates over a tuple whose length depends on a parameter")
        items = value
    elif is_data(value):
        items = (value,)  # a tuple of one is its element
    else:
        fix: str | Fix | None = None
        if isinstance(value, int):
            fix = f"a range is written `0..{span.text}`"
        elif isinstance(value, OpLayer):
            fix = numbers_listed(value.op.name, value.span or span)
        message = f"{kind_of(value)} cannot be iterated over; a list can"
        raise context.error("E0313", message, span, fix=fix)
    context.session.budget.made(len(items), span)
    return items


def member(context: Context, sign: str, value: Value, whole: Value, span: Span) -> Value:
    """Evaluate `value in whole` or `value not in whole`: a bool or, with free dims, a condition."""
    if is_data(value) or not isinstance(whole, (ListValue, RangeValue)):
        sides = f"for {kind_of(value)} in {kind_of(whole)}"
        fix = "it tests for a value in a list or a range: `i in [1, 3]`"
        raise context.error("E0309", f"`{sign}` cannot look {sides}", span, fix=fix)
    if isinstance(whole, ListValue):
        found = _in_list(context, value, whole, span)
    else:
        found = _in_range(context, value, whole, span)
    return found if sign == "in" else negate(context, found, span)


def _in_range(context: Context, value: Value, whole: RangeValue, span: Span) -> Value:
    if not isinstance(value, Dim):
        return not isinstance(value, bool) and whole.contains(value)
    inside = compare(context, ">=", value, whole.start, span)
    if whole.stop is None:
        return inside
    below = compare(context, "<", value, whole.stop, span)
    return join_conditions(context, "and", inside, below, span)


def _in_list(context: Context, value: Value, whole: ListValue, span: Span) -> Value:
    found: Value = False
    context.session.budget.made(len(whole.items), span)
    for item in whole.items:
        same = compare(context, "==", value, item, span)
        if same is True or isinstance(same, Poison):
            return same
        found = join_conditions(context, "or", found, same, span)
    return found


Call = Callable[[Context, tuple[Value, ...], Span], Value]


def _sequence(context: Context, arguments: tuple[Value, ...], span: Span) -> tuple[Value, ...]:
    if len(arguments) == 1 and not is_number(arguments[0]) and not isinstance(arguments[0], Dim):
        return items_of(context, arguments[0], span)
    return arguments


def _length(context: Context, arguments: tuple[Value, ...], span: Span) -> Value:
    (value,) = arguments
    if isinstance(value, Tensor) and value.one:
        raise measured(context, value, span)
    if isinstance(value, str):
        return len(value)
    value = as_list(context, value, span)
    if not isinstance(value, (ListValue, RangeValue, tuple)):
        return 1  # a tuple of one is its element
    return len(items_of(context, value, span))


def _sum(context: Context, arguments: tuple[Value, ...], span: Span) -> Value:
    total: Value = 0
    for item in _sequence(context, arguments, span):
        total = arithmetic(context, "+", total, item, span)
    return total


def _extreme(name: Literal["min", "max"], sign: str) -> Call:
    def call(context: Context, arguments: tuple[Value, ...], span: Span) -> Value:
        items = _sequence(context, arguments, span)
        if not items:
            raise context.error("E0309", "there is nothing to choose from", span)
        best = items[0]
        for item in items[1:]:
            better = compare(context, sign, item, best, span)
            if isinstance(better, bool):
                best = item if better else best
            else:
                best = _of_sizes(context, name, best, item, span)
        return best

    return call


def _of_sizes(
    context: Context, name: Literal["min", "max"], left: Value, right: Value, span: Span
) -> Value:
    if not isinstance(left, (int, Dim)) or not isinstance(right, (int, Dim)):
        return left if isinstance(left, Poison) else right  # the one that failed
    sides = (left, right)
    return within_fragment(context, lambda: extreme(name, *sides), span)


def _real(name: str, function: Callable[[float], float]) -> Call:
    def call(context: Context, arguments: tuple[Value, ...], span: Span) -> Value:
        (value,) = arguments
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            infinite = isinstance(value, str) and value.lower().lstrip("+-") in ("inf", "infinity")
            fix = word_of_elsewhere("inf") if infinite else None
            message = f"`{name}` needs a number, not {kind_of(value)}"
            raise context.error("E0309", message, span, fix=fix)
        try:
            return checked(context, function(value), span)
        except (ValueError, OverflowError):
            raise context.error("E0309", f"`{name}({value})` is not a number", span) from None

    return call


def _items(context: Context, value: Value, span: Span) -> tuple[Value, ...]:
    """The items of an argument. Raises SpecError if it is certainly one tensor."""
    if isinstance(value, Tensor) and value.one:
        raise iterated(context, value, span)
    return items_of(context, value, span)


def _enumerate(context: Context, arguments: tuple[Value, ...], span: Span) -> Value:
    return listed(context, tuple(enumerate(_items(context, arguments[0], span))), span)


def _zip(context: Context, arguments: tuple[Value, ...], span: Span) -> Value:
    columns = [_items(context, argument, span) for argument in arguments]
    if len({len(column) for column in columns}) > 1:
        sizes = ", ".join(str(len(column)) for column in columns)
        raise context.error("E0309", f"`zip` needs lists of equal length, not {sizes}", span)
    return listed(context, tuple(zip(*columns, strict=True)), span)


def _reversed(context: Context, arguments: tuple[Value, ...], span: Span) -> Value:
    return listed(context, _items(context, arguments[0], span)[::-1], span)


def _ceil_div(context: Context, arguments: tuple[Value, ...], span: Span) -> Value:
    a, b = arguments
    if isinstance(a, (int, Dim)) and isinstance(b, int) and b > 0:
        return plain(ceil_divide(a, b))
    raise context.error("E0309", "`ceil_div` needs a size and a positive integer", span)


def _absolute(context: Context, arguments: tuple[Value, ...], span: Span) -> Value:
    return _real("abs", abs)(context, arguments, span)


FUNCTIONS: Mapping[str, tuple[Call, int, int | None]] = {
    "len": (_length, 1, 1),
    "sum": (_sum, 1, 1),
    "min": (_extreme("min", "<"), 1, None),
    "max": (_extreme("max", ">"), 1, None),
    "abs": (_absolute, 1, 1),
    "int": (_real("int", math.trunc), 1, 1),
    "float": (_real("float", float), 1, 1),
    "round": (_real("round", round), 1, 1),
    "floor": (_real("floor", math.floor), 1, 1),
    "ceil": (_real("ceil", math.ceil), 1, 1),
    "sqrt": (_real("sqrt", math.sqrt), 1, 1),
    "log": (_real("log", math.log), 1, 1),
    "exp": (_real("exp", math.exp), 1, 1),
    "ceil_div": (_ceil_div, 2, 2),
    "zip": (_zip, 1, None),
    "enumerate": (_enumerate, 1, 1),
    "reversed": (_reversed, 1, 1),
}

_NEED_LIST = frozenset({"sum", "min", "max"})


def means_function(name: str, arguments: Sequence[ast.Argument], values: Sequence[Value]) -> bool:
    """Whether a call means the function rather than the op of that name."""
    if not values or any(argument.name is not None for argument in arguments):
        return False
    if name in _NEED_LIST and len(values) == 1:
        return isinstance(values[0], (ListValue, RangeValue, tuple))
    return True


def refuse_names(context: Context, name: str, node: ast.Call) -> None:
    """Report (E0302) named arguments: functions take none, an op only its attributes."""
    op = all_ops().get(name)
    by_position = any(argument.name is None for argument in node.arguments)
    for argument in node.arguments:
        if argument.name is None or (op is not None and not by_position):
            continue  # the error for an op is reported where its attributes are bound
        if op is None or argument.name not in op.model_fields:
            notes = ["the arguments of a function are positional"]
            if op is not None and op.model_fields:
                notes.append(f"the op `{name}` has {', '.join(op.model_fields)}")
            message = f"`{name}` has no attribute `{argument.name}`"
            fix = _COUNTED if name == "enumerate" else None
            raise context.error("E0302", message, argument.span, notes=tuple(notes), fix=fix)


def refuse_count(context: Context, name: str, count: int, span: Span) -> None:
    """Report (E0303) too few or too many arguments."""
    _, least, most = FUNCTIONS[name]
    if count < least or (most is not None and count > most):
        wanted = counted(least, "argument")
        if least != most:
            wanted = f"{least} or more arguments"
        fix = _COUNTED if name == "enumerate" and count == 2 else None
        raise context.error("E0303", f"`{name}` takes {wanted}, not {count}", span, fix=fix)


_COUNTED = "numbers begin at 0: write `i + 1` where the number is used"


def call_function(context: Context, name: str, arguments: tuple[Value, ...], span: Span) -> Value:
    """Call a function on values."""
    refuse_count(context, name, len(arguments), span)
    function, _, _ = FUNCTIONS[name]
    return function(context, tuple(plain(argument) for argument in arguments), span)
