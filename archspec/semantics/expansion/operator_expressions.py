"""Expressions with operators on values and on data."""

from __future__ import annotations

from archspec.diagnostics.model import Edit, Fix
from archspec.semantics.expansion.ops import data_op
from archspec.semantics.expansion.sources import branch_input, branch_refused, materialise
from archspec.semantics.values.context import Context, SpecError, in_graph
from archspec.semantics.values.display import kind_of
from archspec.semantics.values.evaluation import evaluate, evaluates, force
from archspec.semantics.values.functions import member
from archspec.semantics.values.model import POISON, ListValue, Poison, Value, is_data, is_layer
from archspec.semantics.values.operators import (
    OP_OF_OPERATOR,
    OP_OF_SIGN,
    arithmetic,
    compare,
    join_conditions,
    negate,
    plain,
)
from archspec.syntax import ast
from archspec.types.dim import Dim


@evaluates(ast.Binary)
def binary(context: Context, node: ast.Binary) -> Value:
    """Evaluate binary operators such as `a + b`, on values and on data."""
    sign = node.operator
    left = _operand(context, node.left)
    if sign in ("and", "or") and isinstance(left, bool) and left == (sign == "or"):
        return left
    right = _operand(context, node.right)
    if isinstance(left, Poison) or isinstance(right, Poison):
        return POISON
    if sign in ("in", "not in"):
        _refuse_layers(context, sign, (left, node.left), (right, node.right))
        return member(context, sign, left, right, node.span)
    if is_data(left) or is_data(right):
        return _tensor_binary(context, sign, left, right, node)
    if sign in ("and", "or"):
        return join_conditions(context, sign, left, right, node.span)
    _refuse_layers(context, sign, (left, node.left), (right, node.right))
    if sign in ("==", "!=", "<", "<=", ">", ">="):
        return compare(context, sign, left, right, node.span)
    if sign == "*" and ListValue in (type(left), type(right)):
        raise _repeated(context, left, right, node)
    return arithmetic(context, sign, left, right, node.span)


def _repeated(context: Context, left: Value, right: Value, node: ast.Binary) -> SpecError:
    """The error for `[f] * 3`, with a loop or a comprehension in its place."""
    turned = isinstance(right, ListValue)
    whole, times = (node.right, node.left) if turned else (node.left, node.right)
    value = right if turned else left
    fix = Fix("a list is repeated with a comprehension: `[8 for _ in 0..3]`")
    while isinstance(whole, ast.Group):
        whole = whole.inner
    if isinstance(whole, ast.ListExpr) and len(whole.items) == 1:
        count, item = times.span.text, whole.items[0].span.text
        if is_layer(value):
            written = f"for _ in 0..{count} {{ {item} }}"
            words = f"layers in sequence are repeated by `{written}`"
        else:
            written = f"[{item} for _ in 0..{count}]"
            words = f"write `{written}`"
        fix = Fix(words, (Edit(node.span, written),))
    message = f"`*` is not defined for {kind_of(left)} and {kind_of(right)}"
    return context.error("E0309", message, node.span, fix=fix)


def _operand(context: Context, node: ast.Expr) -> Value:
    value = force(context, evaluate(context, node), node.span)
    return plain(materialise(context, value, node.span))


def _refuse_layers(context: Context, sign: str, *sides: tuple[Value, ast.Expr]) -> None:
    for value, node in sides:
        if (asked := branch_input(value)) is not None:
            raise branch_refused(context, f"an operand of `{sign}`", asked, node.span)
        if is_layer(value) and not isinstance(value, ListValue):
            text = node.span.text if len(node.span.text) <= 40 else "f"
            fix = (
                f"apply the layer to data first, `(x -> {text})`; parallel layers are "
                "added with `[f, g] -> add`"
            )
            if isinstance(node, ast.Attribute):
                fix = (
                    f"a number of a block is one of its parameters, `{node.name}: int = 4`; "
                    "after a block, `.name` selects an output"
                )
            if sign in ("==", "!=", "in", "not in"):
                fix = (
                    "layers are not compared: a layer that may be absent is `identity`, which "
                    "changes nothing; anything else is decided by a parameter of its own, "
                    "`has_norm: bool`"
                )
            raise context.error(
                "E0307",
                f"`{sign}` applies to values and data, but this is a layer",
                node.span,
                fix=fix,
            )


def _tensor_binary(
    context: Context, sign: str, left: Value, right: Value, node: ast.Binary
) -> Value:
    _refuse_layers(context, sign, (left, node.left), (right, node.right))
    attributes: dict[str, Value] = {}
    inputs: list[Value] = []
    number: ast.Expr | None = None
    for value, side, is_left in ((left, node.left, True), (right, node.right, False)):
        if is_data(value):
            inputs.append(value)
        elif isinstance(value, (bool, int, float, Dim)):
            attributes["scalar"], number = value, side
            if is_left:
                attributes["reverse"] = True
        else:
            raise context.error(
                "E0309", f"`{sign}` is not defined for data and {kind_of(value)}", side.span
            )
    op = OP_OF_OPERATOR[sign]
    return data_op(in_graph(context), op, attributes, tuple(inputs), node.span, number)


@evaluates(ast.Unary)
def unary(context: Context, node: ast.Unary) -> Value:
    """Evaluate `-a` and `not a`."""
    value = _operand(context, node.operand)
    if isinstance(value, Poison):
        return value
    if is_data(value):
        return data_op(in_graph(context), OP_OF_SIGN[node.operator], {}, (value,), node.span)
    _refuse_layers(context, node.operator, (value, node.operand))
    if node.operator == "not":
        return negate(context, value, node.span)
    return arithmetic(context, "-", 0.0 if isinstance(value, float) else 0, value, node.span)
