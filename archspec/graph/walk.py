"""Graphs and all graphs below them, callees before callers."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import TypeVar

from archspec.graph.model import Graph, Requirement
from archspec.types.condition import Condition

K = TypeVar("K", bound=Hashable)


def walk(graph: Graph) -> tuple[Graph, ...]:
    """`graph` and all graphs below it, without duplicates, callees before callers."""
    return postorder(graph, lambda item: item.callees)


def walk_computed(graph: Graph) -> tuple[Graph, ...]:
    """`graph` and the graphs below it that computed nodes call, in the order of `walk`."""
    return postorder(graph, lambda item: item.computed_callees)


def requirements(graph: Graph, *, training: bool) -> tuple[Requirement, ...]:
    """The needs on sizes of a graph and its callees, without duplicate conditions.

    A need that a spec chose and one of an op are different.
    """
    found: dict[tuple[Condition, bool], Requirement] = {}
    for item in walk_computed(graph):
        for need in item.size_requirements:
            if training or not need.training_only:
                found.setdefault((need.condition, need.chosen), need)
    return tuple(found.values())


def postorder(root: K, children: Callable[[K], Iterable[K]]) -> tuple[K, ...]:
    """`root` and all reachable items, without duplicates, children before parents.

    It is not recursive, so deep structures do not exhaust the stack.
    """
    order: list[K] = []
    seen = {root}
    stack: list[tuple[K, Iterator[K]]] = [(root, iter(children(root)))]
    while stack:
        current, rest = stack[-1]
        following = next((item for item in rest if item not in seen), None)
        if following is None:
            order.append(current)
            stack.pop()
        else:
            seen.add(following)
            stack.append((following, iter(children(following))))
    return tuple(order)
