"""A block in the modes of a network: its forms, and the instances under each name in them.

A network has one table of weights for both modes. If its graphs differ, their tensors are matched
by path, block by block; only this module does so.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from archspec.graph.compiled import Compiled
from archspec.graph.model import Graph
from archspec.graph.owned import Owned, owned
from archspec.graph.walk import postorder, walk

Forms: TypeAlias = "tuple[Graph, ...]"
"""The graphs of one block, without duplicates: one, or one for inference and one for training."""

Held: TypeAlias = "tuple[Owned, ...]"
"""The instances under one name, once for each form that has it."""


def forms(compiled: Compiled) -> Forms:
    """The forms of a network."""
    return tuple(dict.fromkeys((compiled.inference, compiled.training)))


def held(block: Forms) -> list[Held]:
    """The instances of a block in all forms, matched by path.

    Instances without weights may have no name, such as a sum; if there are several forms, they are
    left out.
    """
    if len(block) == 1:  # the most frequent case
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
    """The forms of the block under one name; none if it is an op."""
    if len(items) == 1:  # the most frequent case
        graph = items[0].instance.graph
        return () if graph is None else (graph,)
    graphs = (item.instance.graph for item in items)
    return tuple(dict.fromkeys(graph for graph in graphs if graph is not None))


def walk_forms(block: Forms, *, least: int = 1) -> dict[Forms, list[Held]]:
    """The instances of a block and of all blocks below it, in all forms, callees before callers.

    With `least=2`, only those of blocks that have several forms.
    """
    found: dict[Forms, list[Held]] = {}

    def below(one: Forms) -> Iterator[Forms]:
        items = found[one] = held(one)
        return (inner for inner in map(callee, items) if len(inner) >= least)

    return {one: found[one] for one in postorder(block, below)} if len(block) >= least else {}
