"""Layers without input (`arange(n)`, a block that has only outputs) stand for their data."""

from __future__ import annotations

from archspec.semantics.context import Context
from archspec.semantics.values import (
    BlockLayer,
    Closure,
    GroupLayer,
    LabelledLayer,
    OpLayer,
    Value,
)
from archspec.source import Span
from archspec.syntax import ast


def is_source(value: Value) -> bool:
    """Whether it is a layer that takes no data."""
    while isinstance(value, (LabelledLayer, GroupLayer)):
        value = value.inner
    if isinstance(value, OpLayer):
        return value.op.arity[1] == 0
    if isinstance(value, BlockLayer):
        return value.definition.is_source
    if isinstance(value, Closure) and isinstance(value.expression, ast.Anonymous):
        kinds = {type(item) for item in value.expression.body.statements}
        return ast.Output in kinds and ast.Input not in kinds
    return False


def materialise(context: Context, value: Value, span: Span) -> Value:
    """The data of a layer without input; anything else as it is."""
    if context.builder is None or not is_source(value):
        return value
    return context.session.apply(context, value, (), span)
