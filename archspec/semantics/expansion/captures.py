"""Data from outside a graph: captured by regions, recomputed in buffers, rejected elsewhere.

The graph of a buffer has no calls: blocks that it applies, and constants that it reads from the
surrounding graphs, are copied into it.
"""

from __future__ import annotations

from dataclasses import replace

from archspec.diagnostics.model import Frame
from archspec.graph.model import Graph, Instance, Node, Port
from archspec.semantics.building.graph_builder import GraphBuilder, Tensor
from archspec.semantics.expansion.constants import no_constant
from archspec.semantics.expansion.nodes import add_node
from archspec.semantics.values.context import GraphContext
from archspec.source import Span
from archspec.types.tensor import TensorType

Tensors = tuple[Tensor, ...]


def own(context: GraphContext, tensor: Tensor, span: Span) -> Tensor:
    """The tensor in the current graph; a region captures tensors of the graph around it.

    Raises SpecError: E0306 in a graph that can't see tensors around it, E0409 in a buffer for a
    tensor that is not constant.
    """
    return _owned(context, context.builder, tensor, span)


def _owned(context: GraphContext, builder: GraphBuilder, tensor: Tensor, span: Span) -> Tensor:
    if tensor.builder is builder:
        return tensor
    if builder.kind == "buffer" and builder.parent is not None:
        return _constant(context, builder, tensor, span)
    if builder.kind != "region" or builder.parent is None:
        raise context.error(
            "E0306",
            "this layer uses data of another block; a block sees only its own inputs",
            span,
            fix="pass the data to the block as an input",
        )
    outer = _owned(context, builder.parent, tensor, span)
    key = (outer.builder, outer.port)
    if key not in builder.captured:
        inner = builder.add_input(f"captured_{len(builder.captured)}", tensor.type, span)
        builder.captured[key] = (outer, inner)
    return builder.captured[key][1]


def _constant(context: GraphContext, builder: GraphBuilder, tensor: Tensor, span: Span) -> Tensor:
    """A constant of a surrounding graph, recomputed in the graph of a buffer.

    Raises SpecError if it depends on an input or a weight.
    """
    outer = tensor.builder
    for source, inner in outer.captured.values():  # a region reads tensors around it
        if inner.port == tensor.port and inner.builder is outer:
            return _constant(context, builder, source, span)
    node = outer.nodes[tensor.port.node]
    key = (outer, Port(node.id))
    if key not in builder.captured:
        instance = node.instance
        if instance is None:
            raise no_constant(context, span, node.origin.span)
        inputs = tuple(
            _constant(context, builder, Tensor(outer, port, outer.type_of(port)), span)
            for port in node.inputs
        )
        results = _taken(context, builder, instance, inputs, node.types, span)
        _name_like(results, node)
        builder.captured[key] = (tensor, results[0])
    first = builder.captured[key][1]
    return Tensor(builder, Port(first.port.node, first.port.index + tensor.port.index), tensor.type)


def inlined(
    context: GraphContext, builder: GraphBuilder, graph: Graph, inputs: Tensors, span: Span
) -> Tensors:
    """The results of a block whose nodes are copied into the graph of a buffer."""
    found = {Port(node.id): tensor for node, tensor in zip(graph.inputs, inputs, strict=True)}
    frames = (Frame(graph.name, span), *context.frames)
    for node in graph.nodes:
        if node.instance is None:
            continue
        own = tuple(found[port] for port in node.inputs)
        inside = replace(context, frames=(*node.origin.frames, *frames))
        results = _taken(inside, builder, node.instance, own, node.types, node.origin.span)
        _name_like(results, node)
        found.update({Port(node.id, index): item for index, item in enumerate(results)})
    return tuple(found[port] for port in graph.output_ports)


def _name_like(copied: Tensors, node: Node) -> None:
    """Give a copied node the names that the spec has for its results."""
    made = copied[0].builder.nodes[copied[0].port.node]
    if not made.name and not made.is_input and len(made.types) == len(node.types):
        made.name = node.name


def _taken(
    context: GraphContext,
    builder: GraphBuilder,
    instance: Instance,
    inputs: Tensors,
    types: tuple[TensorType, ...],
    span: Span,
) -> Tensors:
    from archspec.ops.stored import Buffer  # only specs with buffers need this family

    if instance.graph is not None:
        return inlined(context, builder, instance.graph, inputs, span)
    if isinstance(instance.op, Buffer):
        return inlined(context, builder, instance.regions[0].graph, (), span)
    unnamed = Instance(
        "", instance.op, None, instance.regions, instance.origin, source=instance.source
    )
    return add_node(context, unnamed, inputs, types, span)
