"""Data of the types on a side of a signature: tensors, and tuples of them."""

from __future__ import annotations

from collections.abc import Iterable

from archspec.semantics.building.graph_builder import GraphBuilder
from archspec.semantics.expansion.signatures import Segment
from archspec.semantics.values.model import Copies, Value
from archspec.source import Span


def data_of(segments: Iterable[Segment], builder: GraphBuilder, name: str, span: Span) -> Value:
    """New inputs of the graph, one for each segment, packed as layers take and return them."""
    parts: list[Value] = []
    for segment in segments:
        tensor = builder.add_input(name, segment.type, span)
        parts.append(tensor if segment.count == 1 else Copies(segment.count, tensor))
    single = len(parts) == 1 and not isinstance(parts[0], Copies)
    return parts[0] if single else tuple(parts)


def parts_of(data: Value) -> tuple[Value, ...]:
    """The parts of data."""
    return data if isinstance(data, tuple) else (data,)
