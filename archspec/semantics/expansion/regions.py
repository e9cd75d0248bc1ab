"""Layers that ops hold as attributes: each is a graph of its own that may capture data."""

from __future__ import annotations

from collections.abc import Mapping

from archspec.graph.model import GraphOutput, Origin, Region
from archspec.ops.base import Op, OpError
from archspec.semantics.building.graph_builder import GraphBuilder, Tensor
from archspec.semantics.expansion.captures import own
from archspec.semantics.values.context import GraphContext, Reported
from archspec.semantics.values.data import pack, ports_of, structure_of
from archspec.semantics.values.evaluation import apply_layer
from archspec.semantics.values.model import (
    BlockLayer,
    Given,
    LabelledLayer,
    OpLayer,
    Value,
    has_poison,
    tensors,
)
from archspec.semantics.values.provenance import numbers_around
from archspec.source import Span
from archspec.types.tensor import TensorType

Types = tuple[TensorType, ...]


REGION = 40
"""Steps charged for a region, besides the work inside it."""


def input_labels(inputs: tuple[Tensor, ...]) -> list[tuple[Span, str]]:
    """The locations where the inputs are made, with their types."""
    found: list[tuple[Span, str]] = []
    for item in inputs[:4]:
        node = item.builder.nodes[item.port.node]
        found.append((node.origin.span, f"this is {item.type}"))
    return list(dict.fromkeys(found))


def build_regions(
    context: GraphContext,
    op: Op,
    layers: Mapping[str, Given],
    inputs: tuple[Tensor, ...],
    span: Span,
) -> tuple[tuple[Region, ...], tuple[Tensor, ...], dict[str, Types]]:
    """The graphs of an op's layers, the tensors they capture, and the types they yield."""
    regions: list[Region] = []
    captured: list[Tensor] = []
    yields: dict[str, Types] = {}
    types = tuple(item.type for item in inputs)
    for name, item in layers.items():
        try:
            wanted = op.region_inputs(name, types)
        except OpError as error:
            raise context.error(
                error.code, error.message, span, secondary=input_labels(inputs)
            ) from None
        region, outer = build_region(
            context, name, item.value, wanted, item.span, alone=len(layers) == 1
        )
        regions.append(region)
        captured.extend(outer)
        yields[name] = region.graph.output_types
    return tuple(regions), tuple(captured), yields


def build_region(
    context: GraphContext, name: str, layer: Value, wanted: Types, span: Span, *, alone: bool
) -> tuple[Region, tuple[Tensor, ...]]:
    """The graph of a layer held by an op, and the tensors it captures.

    Its weights are named after the layer's label, or else the attribute. If the layer is `alone`
    and is a single instance or labelled, the name is that of the instance itself.
    """
    key, label, bears = name, None, _is_instance(layer)
    if isinstance(layer, LabelledLayer) and layer.label is not None:
        key, layer, bears = layer.label, layer.inner, True
    if alone and bears:
        key, label = "", key
    context.session.budget.step(span, REGION, context.frames)
    builder = GraphBuilder(name, "region", context.builder, len(context.frames))
    builder.owner, builder.names = context.builder.owner, numbers_around(context.environment)
    builder.frozen = context.session.frozen
    inner = _inside(context, builder)
    data = tuple(
        builder.add_input(f"input_{index}", type_, span) for index, type_ in enumerate(wanted)
    )
    if label is not None:
        layer = LabelledLayer(label, layer, span)
    result = apply_layer(inner, layer, data[0] if len(data) == 1 else data, span)
    if has_poison(result):
        raise Reported()
    yielded = [own(inner, item, span) for item in tensors(result)]
    result = pack(structure_of(result), yielded)
    captured = tuple(outer for outer, _ in builder.captured.values())
    output = GraphOutput("output", ports_of(result), structure_of(result))
    graph = builder.finish((output,), {}, (None,) * len(builder.nodes), Origin(span))
    return Region(name, key, graph, len(captured)), captured


def _is_instance(layer: Value) -> bool:
    if isinstance(layer, BlockLayer):
        return not layer.definition.inline
    return isinstance(layer, OpLayer) and not layer.op.transparent


def _inside(context: GraphContext, builder: GraphBuilder) -> GraphContext:
    return context.entering(builder)
