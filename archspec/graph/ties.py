"""Tied weights: one tensor under several names, such as an embedding and an output layer.

A tie names two tensors below its graph. If one of them does not exist, as in an extracted network,
the tie has no effect.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from archspec.frozen import frozen
from archspec.graph.model import Graph, Instance
from archspec.graph.names import join_path
from archspec.graph.walk import walk
from archspec.ops.base import Parameter


@frozen
class Found:
    """A tensor below a graph: its definition, its instance, and the node that leads to it."""

    parameter: Parameter
    instance: Instance
    node: int


def tensor_at(graph: Graph, path: str) -> Found | None:
    """The tensor with this full name, or None."""
    return next(_tensors_at(graph, path, None), None)


def _tensors_at(graph: Graph, path: str, root: int | None) -> Iterator[Found]:
    for node in graph.nodes:
        instance = node.instance
        rest = _below(path, instance.key) if instance is not None else None
        if instance is None or rest is None:
            continue
        at = node.id if root is None else root
        if instance.op is not None:
            for parameter in graph.parameters_of(node):
                if parameter.name == rest:
                    yield Found(parameter, instance, at)
        if instance.graph is not None:
            yield from _tensors_at(instance.graph, rest, at)
        for region in instance.regions:
            inner = _below(rest, region.key)
            if inner is not None:
                yield from _tensors_at(region.graph, inner, at)


def _below(path: str, key: str) -> str | None:
    """The rest of a path below a key; None if it is not below it."""
    if not key or path == key:
        return "" if path == key else path
    return path[len(key) + 1 :] if path.startswith(f"{key}.") else None


def tied(graphs: Sequence[Graph]) -> dict[str, Found]:
    """The tied names of a block that have no tensor of their own, by full name below it.

    `graphs` are those of the block in both modes, or the only one.
    """
    found: dict[str, Found] = {}
    for tie in dict.fromkeys(tie for graph in graphs for tie in graph.ties):
        names = [[tensor_at(graph, name) for graph in graphs] for name in (tie.name, tie.source)]
        left, right = (next((one for one in row if one is not None), None) for row in names)
        if left is not None and right is not None:
            found[tie.name] = left
    return found


def ties_below(root: Graph) -> dict[str, str]:
    """All ties of a network by full names; the source is a name that is not itself tied."""
    found: dict[str, str] = {}
    stack = [("", root)]
    if not any(graph.ties for graph in walk(root)):
        return found
    while stack:
        prefix, graph = stack.pop()
        for tie in graph.ties:
            if tensor_at(graph, tie.name) and tensor_at(graph, tie.source):
                found[join_path(prefix, tie.name)] = join_path(prefix, tie.source)
        stack += [(join_path(prefix, path), below) for path, below in _calls(graph)]
    return {name: _last(found, name) for name in found}


def _calls(graph: Graph) -> Iterator[tuple[str, Graph]]:
    """The blocks that a graph calls, also in regions, once for each name."""
    calls: dict[str, Graph] = {}
    stack = [("", graph)]
    while stack:
        prefix, inner = stack.pop()
        for node in inner.nodes:
            if node.instance is None:
                continue
            path = join_path(prefix, node.instance.key)
            if node.instance.graph is not None:
                calls.setdefault(path, node.instance.graph)
            stack += [(join_path(path, item.key), item.graph) for item in node.instance.regions]
    yield from calls.items()


def _last(ties: dict[str, str], name: str) -> str:
    seen = {name}
    while ties.get(name, name) not in seen:
        name = ties[name]
        seen.add(name)
    return name


def tied_instances(graphs: Iterable[Graph]) -> set[Instance]:
    """The instances whose weights these graphs tie."""
    found: set[Instance] = set()
    for graph in graphs:
        for tie in graph.ties:
            left, right = tensor_at(graph, tie.name), tensor_at(graph, tie.source)
            if left is not None and right is not None:
                found |= {left.instance, right.instance}
    return found


def with_ties_left(graph: Graph) -> Graph:
    """The graph without ties to tensors that no longer exist, as after an extraction."""
    if not graph.ties:
        return graph
    left = [
        tie
        for tie in graph.ties
        if tensor_at(graph, tie.name) is not None and tensor_at(graph, tie.source) is not None
    ]
    return graph if len(left) == len(graph.ties) else replace(graph, ties=tuple(left))
