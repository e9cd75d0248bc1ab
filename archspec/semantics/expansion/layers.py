"""Applying a layer to data: what the language's combinators do."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from archspec.semantics.arguments.binding import bind_arguments, body_environment, rule_value
from archspec.semantics.expansion.blocks import call_graph, call_tap
from archspec.semantics.expansion.bodies import result_of, run_body
from archspec.semantics.expansion.loops import apply_for
from archspec.semantics.expansion.ops import instantiate
from archspec.semantics.expansion.rule_recursion import descending, has_signature
from archspec.semantics.expansion.signatures import honour
from archspec.semantics.program.definitions import BlockDefinition, RuleDefinition
from archspec.semantics.values.budget import ELEMENTS
from archspec.semantics.values.context import Context, Reported, SpecError
from archspec.semantics.values.display import call_text
from archspec.semantics.values.growth import bounded
from archspec.semantics.values.model import (
    POISON,
    AbsentLayer,
    BlockLayer,
    Closure,
    FrozenLayer,
    GroupLayer,
    LabelledLayer,
    ListValue,
    OpLayer,
    OutputOf,
    Poison,
    SharedLayer,
    SpreadLayer,
    TapLayer,
    Value,
    has_poison,
    is_data,
    is_layer,
    weight,
)
from archspec.semantics.values.operators import kind_of
from archspec.source import Span
from archspec.syntax import ast


def apply_layer(
    context: Context, layer: Value, data: Value, span: Span, label: str | None = None
) -> Value:
    """What the layer makes of the data. `label` names the instance, or opens a scope.

    Raises SpecError when it can't be applied.
    """
    context.session.budget.step(span, 1 + weight(data) // ELEMENTS)
    named = _NAMED.get(type(layer))
    if named is not None:
        return named(context, layer, data, span, label)
    composite = _COMPOSITE.get(type(layer))
    if composite is not None:
        return composite(_scoped(context, label), layer, data, span)
    if isinstance(layer, Poison):
        return POISON
    raise _not_a_layer(context, layer, span)


def _scoped(context: Context, label: str | None) -> Context:
    """A label on something composite opens a numbered scope."""
    if label is None:
        return context
    assert context.scope is not None
    return context.naming(context.scope.below(label, numbered=True))


def _not_a_layer(context: Context, value: Value, span: Span) -> SpecError:
    if has_poison(value):
        return Reported()
    if isinstance(value, SpreadLayer):
        return context.error("E0308", "`...` stands inside a list or tuple", span)
    if is_data(value):
        return context.error(
            "E0308",
            "data can't be applied to data; a layer stands right of `->`",
            span,
            "this is data",
            fix="combine data in a tuple: `(x, y) -> add`",
        )
    return context.error(
        "E0308", f"a layer stands right of `->`, but this is {kind_of(value)}", span
    )


# ---------------------------------------------------------------------- labels and sharing


def _apply_labelled(
    context: Context, layer: LabelledLayer, data: Value, span: Span, outer: str | None
) -> Value:
    assert context.scope is not None
    if outer is not None:
        context = context.naming(context.scope.below(outer, numbered=layer.label is None))
    scope = context.scope
    assert scope is not None
    label = scope.given(layer.label) if layer.label else scope.take(context, layer.span)
    return apply_layer(context, layer.inner, data, layer.span, label)


def _apply_shared(
    context: Context, layer: SharedLayer, data: Value, span: Span, label: str | None
) -> Value:
    if layer.scope.builder is not context.builder:
        raise context.error(
            "E0608",
            f"`{layer.name}` is shared within the block that declares it; "
            "it can't be used inside another block",
            span,
            secondary=[(layer.span, "declared here")],
            notes=("a layer that an op holds, as of `scan`, is a block of its own here",)
            if context.builder is not None and context.builder.kind == "region"
            else (),
        )
    if layer.active:
        raise context.error(
            "E0503",
            f"`{layer.name}` contains itself; it never ends",
            span,
            secondary=[(layer.span, "declared here")],
        )
    scope = layer.scope
    assert scope.tape is not None
    frozen = context.session.frozen
    if layer.start is not None and layer.frozen != frozen:
        raise context.error(
            "E0608",
            f"`{layer.name}` is shared, so it is frozen in all of its uses or in none",
            span,
            secondary=[(layer.span, "declared here")],
            fix="share what is frozen: `shared f = frozen(..)`",
        )
    layer.frozen = frozen
    scope.tape.begin()
    if layer.start is None:
        layer.start = scope.counter.value if scope.counter is not None else 0
    else:
        scope = scope.again(layer.start)
    scope.builder.shared_uses += 1
    layer.active = True
    try:
        return apply_layer(context.naming(scope), layer.inner, data, span)
    finally:
        layer.active = False


# ---------------------------------------------------------------------- blocks and rules


def _apply_block(
    context: Context, layer: BlockLayer, data: Value, span: Span, label: str | None
) -> Value:
    span = layer.span or span
    definition = layer.definition
    by_signature = context.session.by_signature
    if by_signature is not None and has_signature(definition):
        return by_signature(context, layer, data, span)
    if not definition.inline:
        return call_graph(context, layer, data, label, span)
    if isinstance(definition, RuleDefinition):
        arguments = bind_arguments(context, layer, span)
        value = rule_value(context, layer, span)
        if not is_layer(value):
            if isinstance(value, Poison):
                return POISON
            raise _not_a_layer(context, value, span)
        inner = _scoped(context.expanding(call_text(definition.name, arguments), span), label)
        with _written_out(inner):
            with descending(inner, definition, arguments, span):
                result = apply_layer(inner, value, data, span)
            honour(inner, definition, arguments, data, result, span)
        return result
    assert isinstance(definition, BlockDefinition)
    arguments = bind_arguments(context, layer, span)
    environment = body_environment(definition, arguments)
    inner = context.expanding(call_text(definition.name, arguments), span).within(environment)
    inner = _scoped(inner, label)
    with _written_out(inner):
        return result_of(run_body(inner, definition.node.body, data, span))


def _written_out(context: Context) -> AbstractContextManager[None]:
    assert context.builder is not None
    return context.builder.written_out()


# ---------------------------------------------------------------------- combinators


def _apply_list(context: Context, layer: ListValue, data: Value, span: Span) -> Value:
    if not layer.items:
        raise context.error("E0308", "an empty list has no layer to apply", span)
    results: list[Value] = []
    failed = False
    for item in layer.items:
        spread = isinstance(item, SpreadLayer)
        inner = item.inner if isinstance(item, SpreadLayer) else item
        place = getattr(inner, "span", None) or _span_of(inner) or span
        try:
            result = apply_layer(context, inner, data, place)
        except SpecError as error:
            context.session.report(error)
            failed = True
            continue
        if spread and isinstance(result, tuple):
            results.extend(result)
        else:
            results.append(result)
    if failed:
        return POISON
    return results[0] if len(results) == 1 else bounded(context, results, span)


def _span_of(layer: Value) -> Span | None:
    return layer.expression.span if isinstance(layer, Closure) else None


def _apply_closure(context: Context, layer: Closure, data: Value, span: Span) -> Value:
    expression = layer.expression
    inside = context.within(layer.environment)
    if isinstance(expression, ast.Chain):
        for stage in expression.stages:
            if has_poison(data):
                return POISON
            value = inside.evaluate(stage)
            data = apply_layer(inside, value, data, stage.span)
        return data
    if isinstance(expression, ast.For):
        return apply_for(inside, expression, data)
    assert isinstance(expression, ast.Anonymous)
    with _written_out(inside):
        return result_of(run_body(inside.child(), expression.body, data, span))


def _apply_op(
    context: Context, layer: OpLayer, data: Value, span: Span, label: str | None
) -> Value:
    return instantiate(context, layer, data, label, layer.span or span)


def _apply_absent(
    context: Context, layer: AbsentLayer, data: Value, span: Span, label: str | None
) -> Value:
    return data


def _apply_output(
    context: Context, layer: OutputOf, data: Value, span: Span, label: str | None
) -> Value:
    return call_graph(context, layer.inner, data, label, span, output=layer)


def _apply_tap(
    context: Context, layer: TapLayer, data: Value, span: Span, label: str | None
) -> Value:
    return call_tap(context, layer, data, label, span)


def _apply_frozen(
    context: Context, layer: FrozenLayer, data: Value, span: Span, label: str | None
) -> Value:
    inside = replace(context, session=context.session.for_frozen())
    return apply_layer(inside, layer.inner, data, layer.span, label)


def _apply_group(context: Context, layer: GroupLayer, data: Value, span: Span) -> Value:
    return apply_layer(context, layer.inner, data, layer.span)


_NAMED: dict[type, Callable[[Context, Any, Value, Span, str | None], Value]] = {
    OpLayer: _apply_op,
    BlockLayer: _apply_block,
    LabelledLayer: _apply_labelled,
    SharedLayer: _apply_shared,
    AbsentLayer: _apply_absent,
    OutputOf: _apply_output,
    TapLayer: _apply_tap,
    FrozenLayer: _apply_frozen,
}
"""Layers whose label names one instance."""

_COMPOSITE: dict[type, Callable[[Context, Any, Value, Span], Value]] = {
    GroupLayer: _apply_group,
    ListValue: _apply_list,
    Closure: _apply_closure,
}
"""Layers whose label opens a numbered scope."""
