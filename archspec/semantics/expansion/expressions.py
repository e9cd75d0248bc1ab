"""Evaluating expressions: values are computed, layers are kept as values, data flows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from archspec.ops.registry import all_ops
from archspec.semantics.arguments.binding import force, resolve_preset
from archspec.semantics.arguments.layer_calls import call_layer
from archspec.semantics.expansion.lists_and_tuples import (
    comprehension_value,
    group_value,
    index_value,
    list_value,
    range_value,
    tuple_value,
)
from archspec.semantics.expansion.named_outputs import no_attribute
from archspec.semantics.expansion.operator_expressions import binary, unary
from archspec.semantics.expansion.sources import materialise
from archspec.semantics.values.context import Context, Reported
from archspec.semantics.values.functions import (
    FUNCTIONS,
    Function,
    applies,
    call_function,
    items_of,
    refuse_names,
)
from archspec.semantics.values.growth import joined
from archspec.semantics.values.model import (
    ABSENT,
    POISON,
    AbsentLayer,
    BlockLayer,
    Closure,
    FrozenLayer,
    LabelledLayer,
    ListValue,
    OpLayer,
    OutputOf,
    Poison,
    TapLayer,
    Value,
    has_poison,
    is_data,
    is_layer,
)
from archspec.semantics.values.operators import checked, holds, kind_of, plain
from archspec.semantics.values.words import INITIALISER_NAMES, InitialiserName, is_word
from archspec.source import Span
from archspec.syntax import ast

MAX_LABEL = 200
"""Characters of a label."""


def evaluate(context: Context, expression: ast.Expr) -> Value:
    """The value of an expression. Raises SpecError where there is none."""
    context.session.budget.step(expression.span, 1, context.frames)
    return _HANDLERS[type(expression)](context, expression)


# ---------------------------------------------------------------------- words


def _name(context: Context, node: ast.Name) -> Value:
    environment, text = context.environment, node.text
    if environment.has_local(text):
        return plain(environment.local(text))
    if text in ("true", "false"):
        return text == "true"
    if text == "training":
        context.session.read_mode()
        return context.session.training
    definition = environment.module.definition(text)
    if definition is None:
        return _word(context, node)
    if definition.damaged:
        return POISON
    return resolve_preset(context, BlockLayer(definition, (), node.span), node.span)


def _word(context: Context, node: ast.Name) -> Value:
    """What a name means that nothing in the file defines."""
    text = node.text
    op = all_ops().get(text)
    if op is not None:
        return OpLayer(op, (), node.span)
    if text in FUNCTIONS:
        return Function(text)
    if text in INITIALISER_NAMES:
        return InitialiserName(text)
    if is_word(text):
        return text
    module = context.environment.module
    if module.is_damaged or text in module.missed or context.session.sink.reported(node.span):
        raise Reported()
    raise context.error(
        "E0210",
        f"`{text}` is used before it is bound",
        node.span,
        fix="move the line that binds it up",
    )


def _number(context: Context, node: ast.Number) -> Value:
    return checked(context, node.value, node.span)


def _text(context: Context, node: ast.Text) -> Value:
    pieces = [part if isinstance(part, str) else _piece(context, part) for part in node.parts]
    return joined(context, pieces, node.span)


def _piece(context: Context, part: ast.Expr) -> str:
    value = plain(force(context, context.evaluate(part), part.span))
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        return str(value)
    raise context.error(
        "E0309", f"{kind_of(value)} can't stand in a string; numbers and strings can", part.span
    )


# ---------------------------------------------------------------------- calls and layers


def _call(context: Context, node: ast.Call) -> Value:
    name = node.function.text if isinstance(node.function, ast.Name) else ""
    if name in FUNCTIONS and not _is_defined(context, name):
        value = _function_value(context, name, node)
        if value is not None:
            return value
    if name == "tap" and not _is_defined(context, name):
        return _tap(context, node)
    if name == "frozen" and not _is_defined(context, name):
        return _frozen(context, node)
    function = context.evaluate(node.function)
    return call_layer(context, function, node)


def _function_value(context: Context, name: str, node: ast.Call) -> Value | None:
    """What a function makes of its arguments; None where the op of the same name is meant."""
    is_op = name in all_ops()
    if any(argument.name for argument in node.arguments):
        refuse_names(context, name, node)
        return None
    values = _plain_arguments(context, node)
    if is_op and not applies(name, node.arguments, values):
        return None
    if has_poison(values):
        return POISON
    if is_op and any(is_data(value) for value in values):
        return None
    return call_function(context, name, values, node.span)


def _tap(context: Context, node: ast.Call) -> Value:
    refuse_names(context, "tap", node)
    values: list[Value] = []
    for argument in node.arguments:
        if isinstance(argument.value, ast.Spread):
            spread = force(context, context.evaluate(argument.value.inner), argument.span)
            if isinstance(spread, Poison):
                return POISON
            values.extend(items_of(context, spread, argument.span))
        else:
            values.append(context.evaluate(argument.value))
    if has_poison(tuple(values)):
        return POISON
    paths = values[1:]
    if len(values) < 2 or not is_layer(values[0]) or not all(isinstance(p, str) for p in paths):
        raise context.error(
            "E0303",
            'a tap names a layer and paths in it: `tap(resnet50, "layer1", "layer4")`',
            node.span,
        )
    return TapLayer(values[0], tuple(str(path) for path in paths), node.span)


def _frozen(context: Context, node: ast.Call) -> Value:
    values = [context.evaluate(argument.value) for argument in node.arguments]
    if has_poison(tuple(values)):
        return POISON
    named = any(argument.name for argument in node.arguments)
    if len(values) != 1 or named or not is_layer(values[0]):
        raise context.error(
            "E0303", "`frozen` holds one layer: `teacher: frozen(resnet50)`", node.span
        )
    return FrozenLayer(values[0], node.span)


def _is_defined(context: Context, name: str) -> bool:
    environment = context.environment
    return environment.has_local(name) or environment.module.definition(name) is not None


def _plain_arguments(context: Context, node: ast.Call) -> tuple[Value, ...]:
    values: list[Value] = []
    for argument in node.arguments:
        inner = argument.value.inner if isinstance(argument.value, ast.Spread) else argument.value
        value = force(context, context.evaluate(inner), argument.span)
        if isinstance(argument.value, ast.Spread):
            values.extend(items_of(context, value, argument.span))
        else:
            values.append(value)
    return tuple(values)


def _attribute(context: Context, node: ast.Attribute) -> Value:
    base = context.evaluate(node.base)
    if isinstance(base, Poison):
        return POISON
    if is_layer(base) and not isinstance(base, ListValue):
        return OutputOf(base, node.name, node.span)
    raise no_attribute(context, base, node)


def _labelled(context: Context, node: ast.Labelled) -> Value:
    template = node.label.template
    label = _text(context, template) if template is not None else None
    value = context.evaluate(node.inner)
    if isinstance(value, (AbsentLayer, Poison)):
        return value
    if isinstance(value, InitialiserName) or not is_layer(value):
        raise context.error(
            "E0604",
            f"a label names a layer, but this is {kind_of(value)}",
            node.inner.span,
            secondary=[(node.label.span, "the label")],
            fix=f"an attribute is written `{label} = {node.inner.span.text}`"
            if isinstance(label, str) and label.isidentifier() and not is_data(value)
            else None,
        )
    assert isinstance(label, str) or label is None
    return LabelledLayer(_checked_label(context, label, node.label.span), value, node.label.span)


def _checked_label(context: Context, label: str | None, span: Span) -> str | None:
    if label is None or (label.isidentifier() and len(label) <= MAX_LABEL):
        return label
    parts = label.split(".")
    printable = all(part.isprintable() for part in parts)
    if not all(parts) or not printable or len(label) > MAX_LABEL:
        raise context.error(
            "E0605",
            "a label is a path of one or more names joined by `.`, each of printable characters, "
            f"at most {MAX_LABEL} in all",
            span,
        )
    return label


def _chain(context: Context, node: ast.Chain) -> Value:
    first = node.stages[0]
    head = context.evaluate(first)
    if isinstance(head, Poison):
        return POISON
    head = materialise(context, head, first.span)
    if not is_data(head):
        if is_layer(head) or isinstance(head, AbsentLayer):
            return Closure(node, context.environment)
        raise context.error(
            "E0315",
            f"data or a layer begins a chain, but this is {kind_of(head)}",
            first.span,
        )
    for stage in node.stages[1:]:
        layer = context.evaluate(stage)
        head = context.session.apply(context, layer, head, stage.span)
    return head


def _if_value(context: Context, node: ast.IfValue) -> Value:
    verdict = holds(context, node.condition)
    if verdict is None:
        return POISON
    chosen = node.then if verdict else node.otherwise
    return context.evaluate(chosen)


def _if_layer(context: Context, node: ast.IfLayer) -> Value:
    verdict = holds(context, node.condition)
    if verdict is None:
        return POISON
    chosen = node.then if verdict else node.otherwise
    if chosen is None:
        return ABSENT
    if len(chosen.statements) == 1 and isinstance(chosen.statements[0], ast.ExprStmt):
        return context.child().evaluate(chosen.statements[0].value)
    anonymous = ast.Anonymous(chosen.span, chosen)
    return materialise(context, Closure(anonymous, context.environment), node.span)


def _closure(context: Context, node: ast.For | ast.Anonymous) -> Value:
    return Closure(node, context.environment)


def _spread(context: Context, node: ast.Spread) -> Value:
    raise context.error("E0309", "`...` stands inside a list, a tuple or arguments", node.span)


def _missing(context: Context, node: ast.Missing) -> Value:
    return POISON


_HANDLERS: dict[type, Callable[[Context, Any], Value]] = {
    ast.Name: _name,
    ast.Number: _number,
    ast.Text: _text,
    ast.ListExpr: list_value,
    ast.TupleExpr: tuple_value,
    ast.Group: group_value,
    ast.Call: _call,
    ast.Index: index_value,
    ast.Attribute: _attribute,
    ast.Unary: unary,
    ast.Binary: binary,
    ast.Range: range_value,
    ast.IfValue: _if_value,
    ast.IfLayer: _if_layer,
    ast.For: _closure,
    ast.Anonymous: _closure,
    ast.Comprehension: comprehension_value,
    ast.Chain: _chain,
    ast.Labelled: _labelled,
    ast.Spread: _spread,
    ast.Missing: _missing,
}
