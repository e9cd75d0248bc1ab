"""Evaluation of expressions: values are computed, layers are kept as values, data flows."""

from __future__ import annotations

from archspec.diagnostics.model import Edit, Fix
from archspec.ops.registry import all_ops
from archspec.semantics.arguments.layer_calls import call_layer
from archspec.semantics.arguments.rules import resolve_preset
from archspec.semantics.expansion.named_outputs import no_attribute
from archspec.semantics.expansion.not_bound import not_bound
from archspec.semantics.expansion.sources import materialise
from archspec.semantics.expansion.stage_faults import explained, in_front, in_sum
from archspec.semantics.expansion.tensor_methods import method_called, method_of_called
from archspec.semantics.values.bare_words import INITIALISER_NAMES, is_word
from archspec.semantics.values.context import Context, GraphContext, Reported, SpecError, in_graph
from archspec.semantics.values.display import kind_of
from archspec.semantics.values.element_budget import joined
from archspec.semantics.values.evaluation import (
    apply_layer,
    evaluate,
    evaluates,
    force,
    holds,
)
from archspec.semantics.values.functions import (
    FUNCTIONS,
    call_function,
    items_of,
    means_function,
    refuse_names,
)
from archspec.semantics.values.hiding import hiding
from archspec.semantics.values.model import (
    ABSENT,
    POISON,
    AbsentLayer,
    BlockLayer,
    Closure,
    FrozenLayer,
    Function,
    InitialiserName,
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
from archspec.semantics.values.operators import checked, plain
from archspec.semantics.values.single_tensors import as_any_number
from archspec.source import Span
from archspec.syntax import ast

MAX_LABEL = 200
"""Maximum number of characters of a label."""


# ---------------------------------------------------------------------- words


@evaluates(ast.Name)
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
    """The meaning of a name that the file does not define."""
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
    if module.is_damaged or text in module.missed or context.session.sink.covers(node.span):
        raise Reported()
    raise not_bound(context, node)


@evaluates(ast.Number)
def _number(context: Context, node: ast.Number) -> Value:
    return checked(context, node.value, node.span)


@evaluates(ast.Text)
def _text(context: Context, node: ast.Text) -> Value:
    pieces = [part if isinstance(part, str) else _piece(context, part) for part in node.parts]
    return joined(context, pieces, node.span)


def _piece(context: Context, part: ast.Expr) -> str:
    value = plain(force(context, evaluate(context, part), part.span))
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        return str(value)
    raise context.error(
        "E0309", f"{kind_of(value)} can't be used in a string; numbers and strings can", part.span
    )


# ---------------------------------------------------------------------- calls and layers


@evaluates(ast.Call)
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
    if isinstance(node.function, ast.Attribute):
        return _method(context, node, node.function)
    function = evaluate(context, node.function)
    return call_layer(context, function, node)


def _method(context: Context, node: ast.Call, function: ast.Attribute) -> Value:
    """The error for `base.name(..)`, which has no meaning here."""
    try:
        base = evaluate(context, function.base)
    except SpecError as error:
        raise method_of_called(context, node, error) from None
    if is_data(base) and not has_poison(base):
        raise method_called(context, base, node)
    return call_layer(context, _part(context, base, function), node)


def _function_value(context: Context, name: str, node: ast.Call) -> Value | None:
    """The result of a function; None if the op of the same name is meant."""
    is_op = name in all_ops()
    if any(argument.name for argument in node.arguments):
        refuse_names(context, name, node)
        return None
    values = _plain_arguments(context, node)
    if is_op and not means_function(name, node.arguments, values):
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
            spread = force(context, evaluate(context, argument.value.inner), argument.span)
            if isinstance(spread, Poison):
                return POISON
            values.extend(items_of(context, spread, argument.span))
        else:
            values.append(evaluate(context, argument.value))
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
    values = [evaluate(context, argument.value) for argument in node.arguments]
    if has_poison(tuple(values)):
        return POISON
    named = any(argument.name for argument in node.arguments)
    if len(values) != 1 or named or not is_layer(values[0]):
        raise context.error(
            "E0303", "`frozen` takes one layer: `teacher: frozen(resnet50)`", node.span
        )
    return FrozenLayer(values[0], node.span)


def _is_defined(context: Context, name: str) -> bool:
    environment = context.environment
    return environment.has_local(name) or environment.module.definition(name) is not None


def _plain_arguments(context: Context, node: ast.Call) -> tuple[Value, ...]:
    values: list[Value] = []
    for argument in node.arguments:
        inner = argument.value.inner if isinstance(argument.value, ast.Spread) else argument.value
        value = force(context, evaluate(context, inner), argument.span)
        if isinstance(argument.value, ast.Spread):
            values.extend(items_of(context, value, argument.span))
        else:
            values.append(value)
    return tuple(values)


@evaluates(ast.Attribute)
def _attribute(context: Context, node: ast.Attribute) -> Value:
    return _part(context, evaluate(context, node.base), node)


def _part(context: Context, base: Value, node: ast.Attribute) -> Value:
    if isinstance(base, Poison):
        return POISON
    if is_layer(base) and not isinstance(base, ListValue):
        return OutputOf(base, node.name, node.span)
    raise no_attribute(context, base, node)


@evaluates(ast.Labelled)
def _labelled(context: Context, node: ast.Labelled) -> Value:
    template = node.label.template
    label = _text(context, template) if template is not None else None
    value = evaluate(context, node.inner)
    if isinstance(value, (AbsentLayer, Poison)):
        return value
    if isinstance(value, InitialiserName) or not is_layer(value):
        raise context.error(
            "E0604",
            f"a label names a layer, but this is {kind_of(value)}",
            node.inner.span,
            secondary=[(node.label.span, "the label")],
            fix=_not_labelled(node, label, value),
        )
    assert isinstance(label, str) or label is None
    return LabelledLayer(_checked_label(context, label, node.label.span), value, node.label.span)


def _not_labelled(node: ast.Labelled, label: object, value: Value) -> str | Fix | None:
    """A fix for a label before something that is not a layer."""
    if not isinstance(label, str) or not label.isidentifier():
        return None
    if not is_data(value):
        return f"an attribute is written `{label} = {node.inner.span.text}`"
    place = node.label.span
    colon = place.source.text.find(":", place.end, node.inner.span.start)
    if colon < 0:
        return None
    edit = Edit(Span(place.source, place.end, colon + 1), " =")
    return Fix(f"data is named with `=`: `{label} = ..`", (edit,))


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


@evaluates(ast.Chain)
def _chain(context: Context, node: ast.Chain) -> Value:
    first = node.stages[0]
    head = evaluate(context, first)
    if isinstance(head, Poison):
        return POISON
    head = materialise(context, head, first.span)
    if not is_data(head):
        if is_layer(head) or isinstance(head, AbsentLayer):
            return Closure(node, context.environment)
        raise context.error(
            "E0315",
            f"a chain starts with data or a layer, but this is {kind_of(head)}",
            first.span,
        )
    before: Value | None = None
    for at, stage in enumerate(node.stages[1:], 1):
        try:
            layer = evaluate(context, stage)
        except SpecError as error:
            fault = in_sum(error, node.stages, at)
            raise in_front(fault, node.stages, at, context.environment.module) from None
        if (hidden := hiding(context, stage, layer, "E0308")) is not None:
            raise hidden
        try:
            head = apply_layer(in_graph(context), layer, head, stage.span)
        except SpecError as error:
            raise explained(error, node.stages, at, before, head) from None
        before = layer
    return head if _is_op(context, node.stages[-1]) else as_any_number(head)


def _is_op(context: Context, stage: ast.Expr) -> bool:
    """Whether a stage is an op by its name, and not a layer that may yield several tensors."""
    while isinstance(stage, ast.Labelled | ast.Group | ast.Call):
        stage = stage.function if isinstance(stage, ast.Call) else stage.inner
    return isinstance(stage, ast.Name) and not _is_defined(context, stage.text)


@evaluates(ast.IfValue)
def _if_value(context: Context, node: ast.IfValue) -> Value:
    verdict = _decided(context, node.condition)
    if verdict is None:
        return POISON
    chosen = node.then if verdict else node.otherwise
    return evaluate(context, chosen)


def _decided(context: Context, condition: ast.Expr) -> bool | None:
    """Whether a condition holds; the graph under construction remembers that it was evaluated."""
    if isinstance(context, GraphContext):
        context.builder.decided.append((condition, context.environment))
    return holds(context, condition)


@evaluates(ast.IfLayer)
def _if_layer(context: Context, node: ast.IfLayer) -> Value:
    verdict = _decided(context, node.condition)
    if verdict is None:
        return POISON
    chosen = node.then if verdict else node.otherwise
    if chosen is None:
        return ABSENT
    if len(chosen.statements) == 1 and isinstance(chosen.statements[0], ast.ExprStmt):
        inner = chosen.statements[0].value
        value = evaluate(context.child(), inner)
        if (hidden := hiding(context, inner, value, "E0308")) is not None:
            raise hidden
        return value
    anonymous = ast.Anonymous(chosen.span, chosen)
    return materialise(context, Closure(anonymous, context.environment), node.span)


@evaluates(ast.For)
def _loop(context: Context, node: ast.For) -> Value:
    return Closure(node, context.environment)


@evaluates(ast.Anonymous)
def _body(context: Context, node: ast.Anonymous) -> Value:
    if all(_is_unparsed(item) for item in node.body.statements) and node.body.statements:
        return POISON
    return Closure(node, context.environment)


def _is_unparsed(statement: ast.Statement) -> bool:
    """Whether the parser could make nothing of a statement."""
    return isinstance(statement, ast.ExprStmt) and isinstance(statement.value, ast.Missing)


@evaluates(ast.Spread)
def _spread(context: Context, node: ast.Spread) -> Value:
    raise context.error(
        "E0309",
        "`...` is allowed only inside a list, a tuple or arguments",
        node.span,
        fix=_whole(node),
    )


def _whole(node: ast.Spread) -> Fix:
    """`...t` as `t`: a tuple is all of its parts."""
    text = node.inner.span.text
    shown = text if len(text) <= 40 and "\n" not in text else "t"
    return Fix(f"write `{shown}`: a tuple is all of its parts", (Edit(node.span, text),))


@evaluates(ast.Missing)
def _missing(context: Context, node: ast.Missing) -> Value:
    return POISON
