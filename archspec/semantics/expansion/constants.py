"""Checks that the value of a buffer or parameter is computed from constants only.

It is computed once, when the module is made, so its graph has no calls and no captures.
"""

from __future__ import annotations

from typing import Any

from archspec.graph.model import Instance
from archspec.semantics.building.graph_builder import Tensor
from archspec.semantics.values.context import Context, SpecError
from archspec.source import Span
from archspec.types.dim import Dim
from archspec.types.tensor import TensorType


def require_constant(
    context: Context,
    instance: Instance,
    inputs: tuple[Tensor, ...],
    types: tuple[TensorType, ...],
    span: Span,
) -> None:
    """Reject an op of such a graph that has weights, regions or free sizes."""
    op = instance.op
    assert op is not None
    if instance.regions or op.parameters(*(item.type for item in inputs)):
        raise no_constant(context, span, instance.origin.span)
    free = _free_size((*vars(op).values(), *(kind.shape for kind in types)))
    if free is not None:
        message = f"this value is computed before an input is known, and `{free}` is a free size"
        fix = "make the size a parameter of the network, or compute outside of this statement"
        raise context.error("E0409", message, span, fix=fix)


def _free_size(values: tuple[Any, ...]) -> Dim | None:
    """A size among attributes and axes that is not a number."""
    for value in values:
        found = _free_size(value) if isinstance(value, tuple) else value
        if isinstance(found, Dim) and found.constant is None:
            return found
    return None


def no_constant(context: Context, span: Span, place: Span) -> SpecError:
    """The error for a value that is not known when the module is made."""
    return context.error(
        "E0409",
        "this value is computed once, from constants: it cannot depend on an input or a weight",
        span,
        secondary=[(place, "this is not a constant")] if place != span else [],
    )
