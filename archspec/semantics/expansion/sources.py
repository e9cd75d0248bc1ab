"""The data of expressions.

A layer without input (`arange(n)`, a block that has only outputs) is replaced by its data.

A rule whose right side is such a layer is one, too; a rule with a signature takes data.
"""

from __future__ import annotations

from archspec.diagnostics.model import Edit, Fix
from archspec.semantics.arguments.rules import rule_value
from archspec.semantics.building.graph_builder import Tensor
from archspec.semantics.program.definitions import RuleDefinition
from archspec.semantics.values.context import Context, GraphContext, SpecError
from archspec.semantics.values.display import kind_of
from archspec.semantics.values.evaluation import apply_layer, evaluate, force
from archspec.semantics.values.model import (
    POISON,
    BlockLayer,
    Closure,
    FrozenLayer,
    GroupLayer,
    LabelledLayer,
    ListValue,
    OpLayer,
    Poison,
    Value,
    has_poison,
    is_data,
    is_layer,
)
from archspec.source import NOWHERE, Span
from archspec.syntax import ast


def is_source(context: Context, value: Value) -> bool:
    """Whether the value is a layer that takes no data."""
    while isinstance(value, (LabelledLayer, GroupLayer, FrozenLayer)):
        value = value.inner
    if isinstance(value, OpLayer):
        return value.op.arity[1] == 0
    if isinstance(value, BlockLayer):
        definition = value.definition
        if not isinstance(definition, RuleDefinition) or definition.signature is not None:
            return definition.is_source
        return _yields_source(context, value)
    if isinstance(value, Closure) and isinstance(value.expression, ast.Chain):
        first = evaluate(context.within(value.environment), value.expression.stages[0])
        return is_source(context, first)
    if isinstance(value, Closure) and isinstance(value.expression, ast.Anonymous):
        kinds = {type(item) for item in value.expression.body.statements}
        return ast.Output in kinds and ast.Input not in kinds
    return False


def _yields_source(context: Context, rule: BlockLayer) -> bool:
    """Whether the right side of a rule is a source; determined once for each right side."""
    span = rule.span or NOWHERE
    result = rule_value(context, rule, span)
    known, key = context.session.op_results, ("source", id(result))
    if key not in known:
        inner = context.expanding(rule.definition.name, span)
        known[key] = (is_source(inner, result), result)  # kept, so that its id is not reused
    return bool(known[key][0])


def materialise(context: Context, value: Value, span: Span) -> Value:
    """The data of a layer without input; anything else unchanged."""
    if not isinstance(context, GraphContext) or not is_source(context, value):
        return value
    return apply_layer(context, value, (), span)


def data_value(context: GraphContext, expression: ast.Expr, what: str = "an output") -> Value:
    """The data of an expression. Raises SpecError if it is not data; `what` is its role."""
    return as_data(context, expression, evaluate(context, expression), what)


def as_data(context: GraphContext, expression: ast.Expr, value: Value, what: str) -> Value:
    """The data that the value of an expression is or gives. Raises SpecError if it is not data."""
    value = materialise(context, value, expression.span)
    if isinstance(value, Poison) or (is_data(value) and not _has_values(value)):
        return value
    if isinstance(value, OpLayer) and any(has_poison(item.value) for item in value.given):
        return POISON  # `relu(x)` with data that failed
    forced = force(context, value, expression.span)
    if (asked := branch_input(forced)) is not None:
        raise branch_refused(context, what, asked, expression.span)
    raise context.error(
        "E0315",
        f"{what} must be data, but this is {kind_of(forced)}",
        expression.span,
        fix=_written_as_data(expression, forced, what),
    )


def branch_refused(context: Context, what: str, asked: ast.Input, used: Span) -> SpecError:
    """The error for a branch with an `input` where data is needed, at that input."""
    return context.error(
        "E0315",
        f"{what} must be data, but this branch takes an input, so it is a layer",
        asked.span,
        secondary=[(used, "used here")],
        fix="remove the `input`: a branch can use the names around it",
    )


def branch_input(value: Value) -> ast.Input | None:
    """The first `input` of a branch in braces, which makes it a layer."""
    if not isinstance(value, Closure) or not isinstance(value.expression, ast.Anonymous):
        return None
    statements = value.expression.body.statements
    return next((item for item in statements if isinstance(item, ast.Input)), None)


def _written_as_data(expression: ast.Expr, value: Value, what: str) -> str | Fix:
    """A fix for an output, or another role, that is not data."""
    if isinstance(value, ListValue) and value.items and all(map(is_data, value.items)):
        written = f"(...{expression.span.text})"
        edits = (Edit(expression.span, written),)
        return Fix(f"spread a list of data into a tuple: `{written}`", edits)
    if isinstance(expression, ast.ListExpr) and isinstance(value, ListValue):
        written = f"tensor({expression.span.text})"
        return Fix(f"a tensor of numbers is written `{written}`", (Edit(expression.span, written),))
    if what != "an output":
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            written = f"constant({expression.span.text})"
            return Fix(f"to fill a tensor: `{written}`", (Edit(expression.span, written),))
        return "it is a tensor expression without inputs, such as `arange(8)`"
    if is_layer(value):
        return "apply it: `output x -> f`"
    return "an output is computed from an input: `output y = x -> f`"


def _has_values(value: Value) -> bool:
    if isinstance(value, tuple):
        return any(_has_values(item) for item in value)
    return not isinstance(value, (Tensor, Poison))
