"""Evaluation of expressions, application of layers, and values of rule calls.

The function used depends on the class of the expression, layer or definition. It is registered
where it is defined, by `evaluates`, `applies`, `applies_in_scope` or `evaluates_calls_of`. So
expressions and layers, which contain each other, need not import each other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from archspec.ops.registry import all_ops
from archspec.semantics.program.definitions import RuleDefinition
from archspec.semantics.values.bare_words import choice_notes
from archspec.semantics.values.budget import ELEMENTS
from archspec.semantics.values.context import Context, GraphContext, Reported, SpecError
from archspec.semantics.values.display import kind_of
from archspec.semantics.values.element_budget import listed
from archspec.semantics.values.model import (
    POISON,
    BlockLayer,
    Layer,
    ListValue,
    Poison,
    SpreadLayer,
    Value,
    has_poison,
    is_data,
    is_layer,
    weight,
)
from archspec.semantics.values.operators import truth
from archspec.source import Span
from archspec.syntax import ast

E = TypeVar("E", bound=ast.Node)
L = TypeVar("L", bound="Layer | ListValue")

# ---------------------------------------------------------------------- expressions

EVALUATORS: dict[type, Callable[[Context, Any], Value]] = {}
"""The evaluator of each class of expression."""


def evaluates(
    kind: type[E],
) -> Callable[[Callable[[Context, E], Value]], Callable[[Context, E], Value]]:
    """Register the evaluator of a class of expressions."""

    def register(evaluator: Callable[[Context, E], Value]) -> Callable[[Context, E], Value]:
        EVALUATORS[kind] = evaluator
        return evaluator

    return register


def evaluate(context: Context, expression: ast.Expr) -> Value:
    """The value of an expression. Raises SpecError if it has none."""
    context.session.budget.step(expression.span, 1, context.frames)
    return EVALUATORS[type(expression)](context, expression)


# ---------------------------------------------------------------------- layers

Named = Callable[[GraphContext, L, Value, Span, "str | None"], Value]
Composite = Callable[[GraphContext, L, Value, Span], Value]

NAMED: dict[type, Callable[[GraphContext, Any, Value, Span, str | None], Value]] = {}
"""The function that applies each class of layer."""
COMPOSITE: dict[type, Callable[[GraphContext, Any, Value, Span], Value]] = {}
"""The same for layers composed of layers."""


def applies(kind: type[L]) -> Callable[[Named[L]], Named[L]]:
    """Register the function that applies layers of a class; a label names one instance."""

    def register(function: Named[L]) -> Named[L]:
        NAMED[kind] = function
        return function

    return register


def applies_in_scope(kind: type[L]) -> Callable[[Composite[L]], Composite[L]]:
    """The same for layers composed of layers, where a label opens a numbered scope."""

    def register(function: Composite[L]) -> Composite[L]:
        COMPOSITE[kind] = function
        return function

    return register


def apply_layer(
    context: GraphContext, layer: Value, data: Value, span: Span, label: str | None = None
) -> Value:
    """Apply a layer to data. `label` names the instance, or opens a scope.

    Raises SpecError if it can't be applied.
    """
    context.session.budget.step(span, 1 + weight(data) // ELEMENTS)
    named = NAMED.get(type(layer))
    if named is not None:
        return named(context, layer, data, span, label)
    composite = COMPOSITE.get(type(layer))
    if composite is not None:
        return composite(scoped(context, label), layer, data, span)
    if isinstance(layer, Poison):
        return POISON
    raise not_a_layer(context, layer, span)


def scoped(context: GraphContext, label: str | None) -> GraphContext:
    """Open a numbered scope for the label of a composite layer."""
    if label is None:
        return context
    return context.with_scope(context.scope.below(label, numbered=True))


def not_a_layer(context: Context, value: Value, span: Span) -> SpecError:
    """The error for a value that is not a layer where a layer is needed."""
    if has_poison(value):
        return Reported()
    if isinstance(value, SpreadLayer):
        return context.error("E0308", "`...` is allowed only inside a list or tuple", span)
    if is_data(value):
        return context.error(
            "E0308",
            "data can't be applied to data; the right side of `->` must be a layer",
            span,
            "this is data",
            fix="combine data in a tuple: `(x, y) -> add`",
        )
    fix = None
    if isinstance(value, str) and value not in all_ops() and (notes := choice_notes(value)):
        message = f"`{value}` is the value of an attribute, and not a layer"
        return context.error("E0308", message, span, notes=notes)
    if isinstance(value, str):
        fix = f"a layer is given itself, and not by its name: `act: layer = {value or 'relu'}`"
    message = f"the right side of `->` must be a layer, but this is {kind_of(value)}"
    return context.error("E0308", message, span, fix=fix)


# ---------------------------------------------------------------------- calls of rules

_RIGHT_SIDES: dict[type, Callable[[Context, BlockLayer, Span], Value]] = {}


def evaluates_calls_of(
    kind: type[RuleDefinition],
) -> Callable[
    [Callable[[Context, BlockLayer, Span], Value]], Callable[[Context, BlockLayer, Span], Value]
]:
    """Register the function that finds the value of a call of such a definition."""

    def register(
        function: Callable[[Context, BlockLayer, Span], Value],
    ) -> Callable[[Context, BlockLayer, Span], Value]:
        _RIGHT_SIDES[kind] = function
        return function

    return register


def force(context: Context, value: Value, span: Span) -> Value:
    """The value of a call of a rule that yields a value; anything else unchanged.

    A rule with a signature yields a layer, so it is not expanded to find out.
    """
    result = _right_side(context, value, span)
    return value if is_layer(result) or isinstance(result, Poison) else result


def as_list(context: Context, value: Value, span: Span) -> Value:
    """The list that a call of a rule yields, of values or layers; anything else unchanged.

    Lists that the rule spreads in its list, such as those of a recursion, are part of it.
    """
    result = _right_side(context, value, span)
    if not isinstance(result, ListValue) or not any(_is_spread(item) for item in result.items):
        return result if isinstance(result, ListValue) else value
    found: list[Value] = []
    stack = [*reversed(result.items)]
    while stack:
        context.session.budget.step(span)
        item = stack.pop()
        spread = _right_side(context, item.inner, span) if isinstance(item, SpreadLayer) else item
        if isinstance(item, SpreadLayer) and isinstance(spread, ListValue):
            stack.extend(reversed(spread.items))
        else:
            found.append(item)
            context.session.budget.length(len(found), span)
    return listed(context, found, span)


def _is_spread(value: Value) -> bool:
    return isinstance(value, SpreadLayer)


def _right_side(context: Context, value: Value, span: Span) -> Value:
    if not isinstance(value, BlockLayer) or not isinstance(value.definition, RuleDefinition):
        return value
    if value.definition.signature is not None:
        return value
    return _RIGHT_SIDES[RuleDefinition](context, value, span)


def settled(context: Context, expression: ast.Expr) -> Value:
    """The value of an expression; a call of a rule is replaced by its value."""
    return force(context, evaluate(context, expression), expression.span)


def holds(context: Context, condition: ast.Expr) -> bool | None:
    """Whether a condition holds; None if a part of it failed."""
    value = settled(context, condition)
    return None if isinstance(value, Poison) else truth(context, value, condition.span)
