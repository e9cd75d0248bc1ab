"""Data: tensors, and tuples of them. Graphs hold them flattened, and their structure separately."""

from __future__ import annotations

from archspec.graph.model import Port, Structure
from archspec.semantics.building.graph_builder import Tensor
from archspec.semantics.values.model import POISON, Value, tensors


def pack(structure: Structure, items: list[Tensor]) -> Value:
    """Data of the given structure; its tensors are removed from the front of `items`."""
    if structure is None:
        return items.pop(0) if items else POISON
    return tuple(pack(part, items) for part in structure)


def structure_of(data: Value) -> Structure:
    """The structure of data."""
    if isinstance(data, tuple):
        return tuple(structure_of(item) for item in data)
    return None


def ports_of(data: Value) -> tuple[Port, ...]:
    """The ports of data, flattened."""
    return tuple(item.port for item in tensors(data))
