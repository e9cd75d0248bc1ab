"""What a graph names: its instances and those in the regions of its ops, with their paths."""

from __future__ import annotations

from collections.abc import Iterator

from archspec.frozen import frozen
from archspec.graph.model import Graph, Instance
from archspec.ops.base import Parameter
from archspec.types.tensor import TensorType


@frozen
class Owner:
    """An instance with a name, its path below the graph, and the types it is applied to."""

    path: str
    instance: Instance
    types: tuple[TensorType, ...]

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Tensors of the op itself; none for a call."""
        op = self.instance.op
        return op.parameters(*self.types) if op is not None else ()


def owners(graph: Graph, prefix: str = "") -> Iterator[Owner]:
    """The named instances of a graph, in order of use; one that is used twice comes twice."""
    for node in graph.nodes:
        instance = node.instance
        if instance is None:
            continue
        path = _joined(prefix, instance.key)
        if instance.key:
            yield Owner(path, instance, tuple(graph.type_of(port) for port in node.inputs))
        for region in instance.regions:
            yield from owners(region.graph, _joined(path, region.key))


def paths(graph: Graph, prefix: str = "") -> Iterator[str]:
    """The paths of all owners; quick, since nothing else is looked at."""
    for node in graph.nodes:
        instance = node.instance
        if instance is None:
            continue
        if instance.key:
            yield _joined(prefix, instance.key) if prefix else instance.key
        for region in instance.regions:
            yield from paths(region.graph, _joined(prefix, instance.key, region.key))


def _joined(*parts: str) -> str:
    return ".".join(part for part in parts if part)
