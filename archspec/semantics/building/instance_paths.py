"""Named instances of a graph, including those in the regions of its ops, with their paths."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from archspec.frozen import frozen
from archspec.graph.model import Graph, Instance, Node
from archspec.graph.names import join_path
from archspec.graph.walk import walk
from archspec.ops.base import Parameter
from archspec.types.tensor import TensorType


@frozen
class NamedInstance:
    """A named instance, its path below the graph, and the types it is applied to."""

    path: str
    instance: Instance
    types: tuple[TensorType, ...]

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Tensors of the op itself; empty for a call."""
        op = self.instance.op
        return op.parameters(*self.types) if op is not None else ()


def named_instances(graph: Graph) -> Iterator[NamedInstance]:
    """The named instances of a graph in order of use; one that is used twice appears twice."""
    for path, inner, node in _named(graph, ""):
        assert node.instance is not None
        yield NamedInstance(path, node.instance, inner.types_read(node))


def paths(graph: Graph) -> Iterator[str]:
    """The paths of all named instances."""
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
    """Whether an op in the graph, its callees or its regions has entries in the state dict."""
    return any(has_weights(part.parameters_of(node)) for part in walk(graph) for node in part.nodes)


def has_weights(tensors: Iterable[Parameter]) -> bool:
    """Whether any of these is a parameter or a buffer of the state dict."""
    return any(tensor.persistent for tensor in tensors)
