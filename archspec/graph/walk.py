"""Graphs and all graphs below them, in an order in which callees stand before callers."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import TypeVar

from archspec.graph.model import Graph, Requirement
from archspec.types.condition import Condition

K = TypeVar("K", bound=Hashable)


def walk(graph: Graph) -> tuple[Graph, ...]:
    """`graph` and all graphs below it, each once, callees before callers."""
    return postorder(graph, lambda item: item.callees)


def walk_computed(graph: Graph) -> tuple[Graph, ...]:
    """The graphs below `graph` whose nodes are computed, and itself, as `walk` gives them."""
    return postorder(graph, lambda item: item.computed_callees)


def requirements(graph: Graph, *, training: bool) -> tuple[Requirement, ...]:
    """What is needed of the sizes with all that is called, each condition once.

    One that a spec chose and one that an op has are told apart.
    """
    found: dict[tuple[Condition, bool], Requirement] = {}
    for item in walk_computed(graph):
        for need in item.size_requirements:
            if training or not need.training_only:
                found.setdefault((need.condition, need.chosen), need)
    return tuple(found.values())


def postorder(root: K, children: Callable[[K], Iterable[K]]) -> tuple[K, ...]:
    """`root` and all that is reachable from it, each once, children before parents.

    Nothing recurses, so what is deep does not exhaust the stack.
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
