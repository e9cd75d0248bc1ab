"""Errors for `x -> block.name` without such an output, with a fix for what was meant."""

from __future__ import annotations

from archspec.semantics.expansion.tensor_methods import no_method
from archspec.semantics.program.definitions import BlockDefinition, RuleDefinition
from archspec.semantics.values.context import Context, SpecError
from archspec.semantics.values.display import kind_of
from archspec.semantics.values.model import (
    BlockLayer,
    Closure,
    FrozenLayer,
    OpLayer,
    Value,
    is_data,
)
from archspec.source import Span
from archspec.syntax import ast


def no_named_outputs(context: Context, layer: Value, name: str, span: Span) -> SpecError:
    """The error for a layer without named outputs, with the way to select outputs instead."""
    names, written = _outputs(layer), "f"
    message = "only a block has named outputs, and this layer is not one"
    if isinstance(layer, BlockLayer):  # only inline blocks get here: others have named outputs
        written = layer.definition.name
        message = f"`{written}` is inline, so its outputs are taken in order, not by name"
    elif isinstance(layer, Closure) and isinstance(layer.expression, ast.Anonymous):
        written = "{ .. }"
        message = "the outputs of a body without a name are taken in order, not by name"
    elif isinstance(layer, OpLayer):
        message = f"`{layer.op.name}` is an op, and only a block has named outputs"
        fix = "the outputs of an op are taken in order: `a, b = x -> f`"
        return context.error("E0309", message, span, fix=fix)
    elif isinstance(layer, FrozenLayer):
        fix = f"select the output inside: `frozen(f.{name})`"
        return context.error("E0309", "`frozen(..)` has no named outputs", span, fix=fix)
    listed = ", ".join(names if len(names) > 1 else ("a", "b"))
    fix = f"give each output a name where the layer is applied: `{listed} = x -> {written}`"
    if isinstance(layer, BlockLayer) and len(names) < 2:
        fix = f"it has one output: `x -> {written}`"
    return context.error("E0309", message, span, fix=fix)


def _outputs(layer: Value) -> tuple[str, ...]:
    """The names of a body's outputs, for those that have names."""
    body: object = None
    if isinstance(layer, BlockLayer) and isinstance(layer.definition, BlockDefinition):
        body = layer.definition.node.body
    elif isinstance(layer, BlockLayer) and isinstance(layer.definition, RuleDefinition):
        body = layer.definition.clauses[0].value
    elif isinstance(layer, Closure):
        body = getattr(layer.expression, "body", None)
    if not isinstance(body, ast.Body):
        return ()
    outputs = [item for item in body.statements if isinstance(item, ast.Output)]
    return tuple(name for item in outputs for name in item.names)


def no_attribute(context: Context, base: Value, node: ast.Attribute) -> SpecError:
    """The error for `.name` on a value, which other languages allow for data and lists."""
    fix = "an output is selected at its block: `x -> block.output`"
    if not is_data(base):
        return context.error("E0309", f"{kind_of(base)} has no `.{node.name}`", node.span, fix=fix)
    return no_method(context, node, base)
