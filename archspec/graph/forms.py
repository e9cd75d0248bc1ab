"""A block in the modes of a network: its forms, and what stands under each name in them.

A network has one table of weights for both modes. Where its graphs differ, what both own is
matched by path, block by block; this is the one place that does so.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from archspec.graph.compiled import Compiled
from archspec.graph.model import Graph
from archspec.graph.owned import Owned, owned
from archspec.graph.walk import postorder, walk

Forms: TypeAlias = "tuple[Graph, ...]"
"""The graphs of one block, each once: one, or that of inference and that of training."""

Held: TypeAlias = "tuple[Owned, ...]"
"""What stands under one name, once for each form that has it."""


def forms(compiled: Compiled) -> Forms:
    """The forms of a network."""
    return tuple(dict.fromkeys((compiled.inference, compiled.training)))


def held(block: Forms) -> list[Held]:
    """What the forms of a block own, matched by path.

    What owns no weights may have no name, such as a sum; where there are several forms, that is
    left out.
    """
    if len(block) == 1:  # as in most cases
        return [(item,) for item in owned(block[0])]
    found: dict[str, Held] = {}
    for graph in block:
        for item in owned(graph):
            if item.instance.key or _owns_weights(item):
                found[item.path] = (*found.get(item.path, ()), item)
    return [*found.values()]


def _owns_weights(item: Owned) -> bool:
    below = walk(item.instance.graph) if item.instance.graph is not None else ()
    owning = (graph.parameters_of(node) for graph in below for node in graph.nodes)
    return bool(item.parameters) or any(owning)


def callee(items: Held) -> Forms:
    """The forms of the block that stands under one name; none if it is an op."""
    if len(items) == 1:  # as in most cases
        graph = items[0].instance.graph
        return () if graph is None else (graph,)
    graphs = (item.instance.graph for item in items)
    return tuple(dict.fromkeys(graph for graph in graphs if graph is not None))


def walk_forms(block: Forms, *, least: int = 1) -> dict[Forms, list[Held]]:
    """What a block and all blocks below it hold, each in its forms, callees before callers.

    With `least=2` only blocks that have several forms.
    """
    found: dict[Forms, list[Held]] = {}

    def below(one: Forms) -> Iterator[Forms]:
        items = found[one] = held(one)
        return (inner for inner in map(callee, items) if len(inner) >= least)

    return {one: found[one] for one in postorder(block, below)} if len(block) >= least else {}
