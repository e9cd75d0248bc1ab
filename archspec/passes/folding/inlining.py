"""Inlining of calls during folding."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from archspec.frozen import frozen
from archspec.graph.edit import Edit
from archspec.graph.model import Graph


@frozen
class Inlined:
    """A graph in which calls were inlined. `origins` maps its nodes to the original ones."""

    graph: Graph
    origins: Mapping[int, int]


def inlined(graph: Graph, calls: Collection[int]) -> Inlined:
    """The graph with some of the calls replaced by the nodes of their blocks."""
    edit = Edit(graph)
    origins = {node.id: node.id for node in graph.nodes}
    for call in graph.in_order(calls):
        origins |= dict.fromkeys(edit.inline(call.id), call.id)
    return Inlined(edit.graph(), origins)
