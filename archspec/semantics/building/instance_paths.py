"""What a graph names: its instances and those in the regions of its ops, with their paths."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from archspec.frozen import frozen
from archspec.graph.model import Graph, Instance, Node
from archspec.graph.names import join_path
from archspec.graph.walk import walk
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


def owners(graph: Graph) -> Iterator[Owner]:
    """The named instances of a graph, in order of use; one that is used twice comes twice."""
    for path, inner, node in _named(graph, ""):
        assert node.instance is not None
        yield Owner(path, node.instance, inner.types_read(node))


def paths(graph: Graph) -> Iterator[str]:
    """The paths of all owners."""
    return (path for path, _, _ in _named(graph, ""))


def _named(graph: Graph, prefix: str) -> Iterator[tuple[str, Graph, Node]]:
    """The nodes of named instances, with their paths and the graph that each is in."""
    for node in graph.nodes:
        instance = node.instance
        if instance is None:
            continue
        path = join_path(prefix, instance.key) if prefix else instance.key
        if instance.key:
            yield path, graph, node
        for region in instance.regions:
            yield from _named(region.graph, join_path(path, region.key))


def owns_weights(graph: Graph) -> bool:
    """Whether an op in it, or in what it calls or holds, owns what a state dict has."""
    return any(has_weights(part.parameters_of(node)) for part in walk(graph) for node in part.nodes)


def has_weights(tensors: Iterable[Parameter]) -> bool:
    """Whether there is a parameter or a buffer in the state dict among these."""
    return any(tensor.persistent for tensor in tensors)
