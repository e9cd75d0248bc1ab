"""Application of layers to data: the combinators of the language."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace

from archspec.diagnostics.model import Edit, Fix
from archspec.semantics.arguments.binding import bind_arguments, body_environment
from archspec.semantics.arguments.rules import rule_value
from archspec.semantics.expansion.blocks import call_graph, call_tap
from archspec.semantics.expansion.bodies import result_of, run_body
from archspec.semantics.expansion.loops import apply_for
from archspec.semantics.expansion.nodes import next_number
from archspec.semantics.expansion.ops import instantiate
from archspec.semantics.expansion.rule_recursion import descending, has_signature
from archspec.semantics.expansion.signatures import require_signature
from archspec.semantics.expansion.stage_faults import explained
from archspec.semantics.program.definitions import BlockDefinition, RuleDefinition
from archspec.semantics.values.context import GraphContext, SpecError
from archspec.semantics.values.display import call_text
from archspec.semantics.values.element_budget import bounded
from archspec.semantics.values.evaluation import (
    applies,
    applies_in_scope,
    apply_layer,
    evaluate,
    not_a_layer,
    scoped,
)
from archspec.semantics.values.hiding import hiding
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
    is_layer,
)
from archspec.semantics.values.single_tensors import as_any_number
from archspec.source import Span
from archspec.syntax import ast

# ---------------------------------------------------------------------- labels and sharing


@applies(LabelledLayer)
def _apply_labelled(
    context: GraphContext, layer: LabelledLayer, data: Value, span: Span, outer: str | None
) -> Value:
    if outer is not None:
        context = context.with_scope(context.scope.below(outer, numbered=layer.label is None))
    scope = context.scope
    label = scope.given(layer.label) if layer.label else next_number(context, layer.span)
    return apply_layer(context, layer.inner, data, layer.span, label)


def _elsewhere(context: GraphContext, layer: SharedLayer, span: Span) -> SpecError:
    """The error for a shared layer that another block, or the body of an op, applies."""
    notes: tuple[str, ...] = ()
    fix: Fix | None = None
    owner = context.builder.owner
    if context.builder.kind == "region":
        notes = ("a layer that an op applies, such as that of `scan`, counts as a separate block",)
        fix = Fix("one instance serves all steps of the op: pass it a layer that is not shared")
    elif isinstance(owner, BlockDefinition) and not owner.node.is_network:
        start = owner.node.span.start
        edits = (Edit(Span(owner.node.span.source, start, start), "inline "),)
        words = f"make it an inline block, which is part of its caller: `inline block {owner.name}`"
        fix = Fix(words, edits)
    return context.error(
        "E0608",
        f"`{layer.name}` is shared within the block that declares it; "
        "it can't be used inside another block",
        span,
        secondary=[(layer.span, "declared here")],
        notes=notes,
        fix=fix,
    )


@applies(SharedLayer)
def _apply_shared(
    context: GraphContext, layer: SharedLayer, data: Value, span: Span, label: str | None
) -> Value:
    if layer.scope.builder is not context.builder:
        raise _elsewhere(context, layer, span)
    if layer.active:
        raise context.error(
            "E0503",
            f"`{layer.name}` contains itself, so it never ends",
            span,
            secondary=[(layer.span, "declared here")],
        )
    scope = layer.scope
    assert scope.shared is not None
    frozen = context.session.frozen
    if layer.start is not None and layer.frozen != frozen:
        raise context.error(
            "E0608",
            f"`{layer.name}` is shared, so it is frozen in all of its uses or in none",
            span,
            secondary=[(layer.span, "declared here")],
            fix="share the frozen layer: `shared f = frozen(..)`",
        )
    layer.frozen = frozen
    scope.shared.begin(span)
    if layer.start is None:
        layer.start = scope.counter.value if scope.counter is not None else 0
    else:
        scope = scope.again(layer.start)
    scope.builder.shared_uses += 1
    layer.active = True
    try:
        return apply_layer(context.with_scope(scope), layer.inner, data, span)
    finally:
        layer.active = False


# ---------------------------------------------------------------------- blocks and rules


@applies(BlockLayer)
def _apply_block(
    context: GraphContext, layer: BlockLayer, data: Value, span: Span, label: str | None
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
            raise not_a_layer(context, value, span)
        inner = scoped(context.expanding(call_text(definition.name, arguments), span), label)
        with _written_out(inner):
            with descending(inner, definition, arguments, span):
                result = apply_layer(inner, value, data, span)
            require_signature(inner, definition, arguments, data, result, span)
        return result
    assert isinstance(definition, BlockDefinition)
    arguments = bind_arguments(context, layer, span)
    environment = body_environment(definition, arguments)
    environment.is_body, environment.inline_call = False, layer
    environment.owner = context.environment.owner
    inner = context.expanding(call_text(definition.name, arguments), span).within(environment)
    inner = scoped(inner, label)
    with _written_out(inner):
        return result_of(run_body(inner, definition.node.body, data, span))


def _written_out(context: GraphContext) -> AbstractContextManager[None]:
    return context.builder.written_out()


# ---------------------------------------------------------------------- combinators


@applies_in_scope(ListValue)
def _apply_list(context: GraphContext, layer: ListValue, data: Value, span: Span) -> Value:
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
            if len(layer.items) == 1:
                raise
            context.session.report(error)
            failed = True
            continue
        if spread and isinstance(result, tuple):
            results.extend(result)
        else:
            results.append(result)
    if failed:
        return POISON
    return as_any_number(results[0]) if len(results) == 1 else bounded(context, results, span)


def _span_of(layer: Value) -> Span | None:
    return layer.expression.span if isinstance(layer, Closure) else None


@applies_in_scope(Closure)
def _apply_closure(context: GraphContext, layer: Closure, data: Value, span: Span) -> Value:
    expression = layer.expression
    inside = context.within(layer.environment)
    if isinstance(expression, ast.Chain):
        before: Value | None = None
        for at, stage in enumerate(expression.stages):
            if has_poison(data):
                return POISON
            value = evaluate(inside, stage)
            if (hidden := hiding(inside, stage, value, "E0308")) is not None:
                raise hidden
            try:
                data = apply_layer(inside, value, data, stage.span)
            except SpecError as error:
                raise explained(error, expression.stages, at, before, data) from None
            before = value
        return data
    if isinstance(expression, ast.For):
        return apply_for(inside, expression, data)
    assert isinstance(expression, ast.Anonymous)
    with _written_out(inside):
        return result_of(run_body(inside.child(), expression.body, data, span))


@applies(OpLayer)
def _apply_op(
    context: GraphContext, layer: OpLayer, data: Value, span: Span, label: str | None
) -> Value:
    return instantiate(context, layer, data, label, layer.span or span)


@applies(AbsentLayer)
def _apply_absent(
    context: GraphContext, layer: AbsentLayer, data: Value, span: Span, label: str | None
) -> Value:
    return data


@applies(OutputOf)
def _apply_output(
    context: GraphContext, layer: OutputOf, data: Value, span: Span, label: str | None
) -> Value:
    return call_graph(context, layer.inner, data, label, span, output=layer)


@applies(TapLayer)
def _apply_tap(
    context: GraphContext, layer: TapLayer, data: Value, span: Span, label: str | None
) -> Value:
    return call_tap(context, layer, data, label, span)


@applies(FrozenLayer)
def _apply_frozen(
    context: GraphContext, layer: FrozenLayer, data: Value, span: Span, label: str | None
) -> Value:
    inside = replace(context, session=context.session.for_frozen())
    return apply_layer(inside, layer.inner, data, layer.span, label)


@applies_in_scope(GroupLayer)
def _apply_group(context: GraphContext, layer: GroupLayer, data: Value, span: Span) -> Value:
    return apply_layer(context, layer.inner, data, layer.span)
