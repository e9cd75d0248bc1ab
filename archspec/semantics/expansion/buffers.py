"""What a buffer is computed from: constants only, each step of it in the buffer's own graph.

A buffer is computed once, when the module is made, so its graph calls nothing and captures nothing.
Blocks that it applies, and constants of the surrounding graphs that it reads, are taken into it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from archspec.diagnostics.model import Frame
from archspec.graph.model import Graph, Instance, Port
from archspec.semantics.values.context import Context, SpecError
from archspec.semantics.values.model import Tensor
from archspec.source import Span
from archspec.types.dim import Dim
from archspec.types.tensor import TensorType

if TYPE_CHECKING:
    from archspec.semantics.building.graph_builder import GraphBuilder

Tensors = tuple[Tensor, ...]


def constant(context: Context, builder: GraphBuilder, tensor: Tensor, span: Span) -> Tensor:
    """A constant of a surrounding graph, computed in the graph of a buffer too.

    Raises SpecError where an input or a weight reaches it.
    """
    outer = tensor.builder
    for source, inner in outer.captured.values():  # a region reads what stands around it
        if inner.port == tensor.port and inner.builder is outer:
            return constant(context, builder, source, span)
    node = outer.nodes[tensor.port.node]
    key = (id(outer), Port(node.id))
    if key not in builder.captured:
        instance = node.instance
        if instance is None:
            raise no_constant(context, span, node.origin.span)
        inputs = tuple(
            constant(context, builder, Tensor(outer, port, outer.type_of(port)), span)
            for port in node.inputs
        )
        results = _taken(context, builder, instance, inputs, node.types, span)
        builder.captured[key] = (tensor, results[0])
    first = builder.captured[key][1]
    return Tensor(builder, Port(first.port.node, first.port.index + tensor.port.index), tensor.type)


def inlined(
    context: Context, builder: GraphBuilder, graph: Graph, inputs: Tensors, span: Span
) -> Tensors:
    """The results of a block whose nodes are taken into the graph of a buffer."""
    found = {Port(node.id): tensor for node, tensor in zip(graph.inputs, inputs, strict=True)}
    frames = (Frame(graph.name, span), *context.frames)
    for node in graph.nodes:
        if node.instance is None:
            continue
        own = tuple(found[port] for port in node.inputs)
        inside = replace(context, frames=(*node.origin.frames, *frames))
        results = _taken(inside, builder, node.instance, own, node.types, node.origin.span)
        found.update({Port(node.id, index): item for index, item in enumerate(results)})
    return tuple(found[port] for port in graph.output_ports)


def _taken(
    context: Context,
    builder: GraphBuilder,
    instance: Instance,
    inputs: Tensors,
    types: tuple[TensorType, ...],
    span: Span,
) -> Tensors:
    from archspec.ops.source import Buffer  # noqa: PLC0415  (only who has buffers needs this family)

    if instance.graph is not None:
        return inlined(context, builder, instance.graph, inputs, span)
    if isinstance(instance.op, Buffer):
        return inlined(context, builder, instance.regions[0].graph, (), span)
    unnamed = Instance("", instance.op, None, instance.regions, instance.origin)
    return builder.add(context, unnamed, inputs, types, span)


def require_constant(
    context: Context,
    instance: Instance,
    inputs: Tensors,
    types: tuple[TensorType, ...],
    span: Span,
) -> None:
    """Refuse an op in the graph of a buffer which owns weights, runs layers or knows free sizes."""
    op = instance.op
    assert op is not None
    if instance.regions or op.parameters(*(item.type for item in inputs)):
        raise no_constant(context, span, instance.origin.span)
    free = _free_size((*vars(op).values(), *(kind.shape for kind in types)))
    if free is not None:
        message = f"a buffer is computed before an input is known, and `{free}` is a free size"
        fix = "make the size a parameter of the network, or compute with it outside of the buffer"
        raise context.error("E0409", message, span, fix=fix)


def _free_size(values: tuple[Any, ...]) -> Dim | None:
    """A size among attributes and axes that is no number."""
    for value in values:
        found = _free_size(value) if isinstance(value, tuple) else value
        if isinstance(found, Dim) and found.constant is None:
            return found
    return None


def no_constant(context: Context, span: Span, place: Span) -> SpecError:
    """The error for what is not known when the module is made."""
    return context.error(
        "E0409",
        "a buffer is computed once, from constants: no input or weight may reach it",
        span,
        secondary=[(place, "this is no constant")] if place != span else [],
    )
