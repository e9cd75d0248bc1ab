"""Addition of nodes to the current graph, and their names."""

from __future__ import annotations

from collections.abc import Callable

from archspec.graph.model import Instance, Requirement
from archspec.ops.base import Parameter
from archspec.semantics.building.graph_builder import Tensor
from archspec.semantics.building.names import NamingError, Owns
from archspec.semantics.expansion.constants import require_constant
from archspec.semantics.values.context import GraphContext
from archspec.source import Span
from archspec.types.tensor import TensorType

AXES = 10
"""Axes of results per step of the budget."""


def add_node(
    context: GraphContext,
    instance: Instance,
    inputs: tuple[Tensor, ...],
    types: tuple[TensorType, ...],
    span: Span,
    requirements: tuple[Requirement, ...] = (),
    parameters: tuple[Parameter, ...] | None = None,
) -> tuple[Tensor, ...]:
    """Add an op or call and return its results. `parameters` are those of the op, if known.

    Raises OutOfBudget, and SpecError for a node of a buffer that is not constant.
    """
    builder = context.builder
    if builder.kind == "buffer":
        require_constant(context, instance, inputs, types, span)
    context.session.budget.node(span, context.frames)
    context.session.budget.step(span, sum([type_.rank for type_ in types]) // AXES)
    origin = context.origin(span)
    return builder.add(
        instance, inputs, types, origin, context.iterations, requirements, parameters
    )


def instance_key(
    context: GraphContext,
    label: str | None,
    default: str,
    span: Span,
    owns: Owns = lambda: True,
) -> str:
    """The key of a new instance: its label, the next number, or a default name.

    `owns` returns whether it has weights. Raises SpecError if its label is taken, or if another
    `for` numbers its layers in the same scope.
    """
    reserved, scope = context.session.reserved, context.scope
    return _named(context, lambda: scope.key_for(reserved, label, default, span, owns))


def next_number(context: GraphContext, span: Span, owns: Owns = lambda: True) -> str:
    """The next number of a numbered scope. Raises SpecError if the scope is not numbered."""
    return _named(context, lambda: context.scope.take(span, owns))


def _named(context: GraphContext, name: Callable[[], str]) -> str:
    try:
        return name()
    except NamingError as error:
        raise context.error(
            error.code, error.message, error.span, secondary=error.secondary, fix=error.fix
        ) from None
