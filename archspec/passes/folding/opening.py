"""Putting the nodes of blocks in place of their calls."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from archspec.frozen import frozen
from archspec.graph.edit import Edit
from archspec.graph.model import Graph


@frozen
class Opened:
    """A graph in which calls were opened. `origins` has, by node of it, that which it was in."""

    graph: Graph
    origins: Mapping[int, int]


def opened(graph: Graph, calls: Collection[int]) -> Opened:
    """The graph with the nodes of some of the blocks that it calls in place of the calls."""
    edit = Edit(graph)
    origins = {node.id: node.id for node in graph.nodes}
    for call in graph.in_order(calls):
        origins |= dict.fromkeys(edit.inline(call.id), call.id)
    return Opened(edit.graph(), origins)
