"""Lists, tuples, ranges and comprehensions, and access to their parts."""

from __future__ import annotations

from collections.abc import Sequence

from archspec.diagnostics.model import Edit, Fix
from archspec.semantics.building.graph_builder import Tensor
from archspec.semantics.expansion.shape_patterns import bind_item
from archspec.semantics.expansion.sources import branch_input, branch_refused, materialise
from archspec.semantics.expansion.stage_faults import index_of_result
from archspec.semantics.expansion.tensor_methods import size_index
from archspec.semantics.values.context import Context, NotInductive, SpecError
from archspec.semantics.values.display import kind_of
from archspec.semantics.values.element_budget import bounded, listed
from archspec.semantics.values.evaluation import as_list, evaluate, evaluates, force
from archspec.semantics.values.functions import items_of
from archspec.semantics.values.model import (
    POISON,
    AbsentLayer,
    Copies,
    GroupLayer,
    ListValue,
    Poison,
    RangeValue,
    SpreadLayer,
    Value,
    has_poison,
    is_data,
    is_layer,
)
from archspec.semantics.values.operators import plain, truth
from archspec.semantics.values.single_tensors import as_any_number, indexed, iterated
from archspec.source import Span
from archspec.syntax import ast
from archspec.types.dim import Dim


@evaluates(ast.ListExpr)
def list_value(context: Context, node: ast.ListExpr) -> Value:
    """A list of layers or values."""
    items: list[Value] = []
    for item in node.items:
        if isinstance(item, ast.Spread):
            items.extend(_spread_in_list(context, item))
        else:
            items.append(_list_item(context, item, node))
        context.session.budget.length(len(items), node.span)
    return listed(context, items, node.span)


def _list_item(context: Context, item: ast.Expr, node: ast.ListExpr) -> Value:
    value = force(context, evaluate(context, item), item.span)
    if is_data(value) and not has_poison(value):
        raise _data_in_list(context, item.span, node.span)
    return value


def _data_in_list(context: Context, place: Span, whole: Span) -> SpecError:
    edit = Edit(whole, f"({whole.text[1:-1]})")
    return context.error(
        "E0317",
        "a list holds layers or values, never data",
        place,
        "this is data",
        fix=Fix("write a tuple: `(a, b)`", (edit,)),
    )


def _spread_in_list(context: Context, item: ast.Spread) -> list[Value]:
    inner = evaluate(context, item.inner)
    value = force(context, inner, item.span)
    if isinstance(value, (ListValue, RangeValue)):
        return list(items_of(context, value, item.span))
    if is_layer(inner):
        return [SpreadLayer(inner, item.span)]
    raise context.error(
        "E0309", f"`...` spreads a list or the results of a layer, not {kind_of(value)}", item.span
    )


@evaluates(ast.TupleExpr)
def tuple_value(context: Context, node: ast.TupleExpr) -> Value:
    """A tuple of data or values; if it has one part, that part."""
    items: list[Value] = []
    for item in node.items:
        if isinstance(item, ast.Spread):
            items.extend(_spread_in_tuple(context, item, node))
            continue
        value = materialise(context, evaluate(context, item), item.span)
        if is_layer(value) and not isinstance(value, ListValue):
            raise _layer_in_tuple(context, value, item, node)
        items.append(value)
    return as_any_number(items[0]) if len(items) == 1 else bounded(context, items, node.span)


def _spread_in_tuple(
    context: Context, item: ast.Spread, node: ast.TupleExpr | ast.Comprehension
) -> Sequence[Value]:
    value = materialise(context, evaluate(context, item.inner), item.inner.span)
    if isinstance(value, tuple):
        return value
    if isinstance(value, (ListValue, RangeValue)):
        return items_of(context, value, item.span)
    if is_layer(value):
        raise _layer_in_tuple(context, value, item.inner, node)
    return [value]


def _layer_in_tuple(
    context: Context, value: Value, item: ast.Expr, node: ast.TupleExpr | ast.Comprehension
) -> SpecError:
    if (asked := branch_input(value)) is not None:
        return branch_refused(context, "an item of a tuple", asked, item.span)
    message = "a tuple holds data or values, but this is a layer"
    return context.error("E0315", message, item.span, fix=_as_list(node))


def _as_list(node: ast.TupleExpr | ast.Comprehension) -> Fix:
    """`(f, g)` as `[f, g]`."""
    text = node.span.text
    edits = (Edit(node.span, f"[{text[1:-1]}]"),) if text[:1] == "(" and text[-1:] == ")" else ()
    words = "write a list for parallel layers, `[f, g]`, or apply each to data, `(x -> f, x -> g)`"
    return Fix(words, edits)


@evaluates(ast.Group)
def group_value(context: Context, node: ast.Group) -> Value:
    """The value in parentheses; a layer stays one stage."""
    value = force(context, evaluate(context, node.inner), node.inner.span)
    if isinstance(value, AbsentLayer) or not is_layer(value):
        return value
    return GroupLayer(value, node.span)


@evaluates(ast.Index)
def index_value(context: Context, node: ast.Index) -> Value:
    """A part or a slice of a list or tuple."""
    asked = size_index(context, node)
    if asked is not None:
        raise asked
    base = force(context, evaluate(context, node.base), node.base.span)
    base = as_list(context, base, node.base.span)
    if isinstance(base, Poison) or len(node.indices) != 1:
        return _not_one_index(context, base, node)
    index = plain(force(context, evaluate(context, node.indices[0]), node.indices[0].span))
    if isinstance(index, Poison):
        return POISON
    if isinstance(base, Tensor) and base.one and isinstance(index, (int, RangeValue)):
        raise indexed(context, base, index, node.base.span, node.span)
    parts = _parts(context, base, node)
    if isinstance(index, RangeValue):
        chosen = parts[index.start : index.stop]
        if isinstance(base, ListValue):
            return listed(context, chosen, node.span)
        return as_any_number(chosen[0]) if len(chosen) == 1 else chosen
    if not isinstance(index, int) or isinstance(index, bool):
        raise context.error(
            "E0309", f"an index is an integer or a range, not {kind_of(index)}", node.span
        )
    if not -len(parts) <= index < len(parts):
        if has_poison(base):
            return POISON
        word = "item" if isinstance(base, ListValue) else "part"
        is_one = len(parts) == 1
        there = f"there {'is' if is_one else 'are'} {len(parts)} {word}{'' if is_one else 's'}"
        message = f"index {index} is out of range: {there}"
        raise context.error("E0311", message, node.span)
    return parts[index]


def _parts(context: Context, base: Value, node: ast.Index) -> tuple[Value, ...]:
    message = f"{kind_of(base)} cannot be indexed"
    if isinstance(base, ListValue):
        if not any(isinstance(item, SpreadLayer) for item in base.items):
            return base.items
        message = "a list that contains the results of a layer, `...f`, cannot be indexed"
    elif isinstance(base, (tuple, RangeValue)) or is_data(base):
        return items_of(context, base, node.span)
    fix = index_of_result(context.environment.module.tree, node) if is_layer(base) else None
    raise context.error("E0309", message, node.span, fix=fix)


def _not_one_index(context: Context, base: Value, node: ast.Index) -> Value:
    if isinstance(base, Poison):
        return POISON
    raise context.error(
        "E0309",
        "write one index in brackets: `t[i]` or `t[a..b]`",
        node.span,
        fix="slice tensors with `slice(axis=.., start=.., stop=..)` or `select(axis=.., index=..)`",
    )


@evaluates(ast.Range)
def range_value(context: Context, node: ast.Range) -> Value:
    """A range of integers."""
    ends: list[int | None] = []
    for end in (node.start, node.stop):
        value = plain(force(context, evaluate(context, end), end.span)) if end else None
        if isinstance(value, Poison):
            return POISON
        if isinstance(value, Dim):
            raise context.error(
                "E0403",
                f"this must be a fixed number, but `{value}` depends on a free size",
                node.span,
                fix="make the size a parameter of the network",
            )
        if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
            raise context.error(
                "E0309", f"the ends of a range are integers, not {kind_of(value)}", node.span
            )
        ends.append(value)
    return RangeValue(ends[0] or 0, ends[1])


@evaluates(ast.Comprehension)
def comprehension_value(context: Context, node: ast.Comprehension) -> Value:
    """A list of values or layers, or a tuple of data, with an element for each item.

    An element `...x` contributes all items of x.
    """
    iterable = force(context, evaluate(context, node.iterable), node.iterable.span)
    if isinstance(iterable, Poison):
        return POISON
    if isinstance(iterable, Tensor) and iterable.one:
        raise iterated(context, iterable, node.iterable.span)
    results: list[Value] = []
    parts = iterable if isinstance(iterable, tuple) else None
    for item in parts or items_of(context, iterable, node.iterable.span):
        iteration = context.child()
        copied = item if isinstance(item, Copies) else None
        part = copied.item if copied is not None else item
        bind_item(iteration, node.targets, part, node.span, node.iterable)
        if node.condition is not None:
            condition = evaluate(iteration, node.condition)
            if not truth(iteration, condition, node.condition.span):
                continue
        results.extend(_elements(iteration, node, copied))
        context.session.budget.length(len(results), node.span)
    if node.is_tuple:
        return (
            as_any_number(results[0]) if len(results) == 1 else bounded(context, results, node.span)
        )
    return listed(context, results, node.span)


def _elements(context: Context, node: ast.Comprehension, copied: Copies | None) -> Sequence[Value]:
    """What an iteration contributes: one value, or the parts of `...x`."""
    element = node.element
    if isinstance(element, ast.Spread):
        if copied is not None:
            raise NotInductive(
                "it spreads the parts of a tuple whose length depends on a parameter"
            )
        if node.is_tuple:
            return _spread_in_tuple(context, element, node)
        return _spread_in_list(context, element)
    value = evaluate(context, element)
    if node.is_tuple:
        value = materialise(context, value, element.span)
    if copied is not None and isinstance(value, Tensor):
        value = Copies(copied.count, value)
    value = force(context, value, element.span)
    if not node.is_tuple and is_data(value) and not has_poison(value):
        raise _data_in_list(context, element.span, node.span)
    return [value]
