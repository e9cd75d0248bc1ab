"""The NetworkX graph of a block, and the order of its nodes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

import networkx

from archspec.types.tensor import TensorType


class Source(Protocol):
    """One output of one node, as its readers refer to it."""

    @property
    def node(self) -> int:
        """The number of the node."""

    @property
    def index(self) -> int:
        """The index of the output."""


class Wired(Protocol):
    """A node, as far as edges and order are concerned."""

    id: int
    rank: tuple[int, ...]
    types: tuple[TensorType, ...]

    @property
    def inputs(self) -> Sequence[Source]:
        """The ports that it reads."""


N = TypeVar("N", bound=Wired)


def wired(name: str, nodes: Sequence[Wired]) -> networkx.MultiDiGraph[int]:
    """The NetworkX graph of these nodes, with an edge for each input.

    A port that does not exist, which `verify` reports, has no edge.
    """
    found: networkx.MultiDiGraph[int] = networkx.MultiDiGraph(name=name)
    types: dict[int, tuple[TensorType, ...]] = {}
    for node in nodes:
        found.add_node(node.id, node=node)
        types[node.id] = node.types
    for node in nodes:
        for index, port in enumerate(node.inputs):
            kinds = types.get(port.node, ())
            if port.index < len(kinds):
                found.add_edge(port.node, node.id, index, output=port.index, type=kinds[port.index])
    return found


def ordered(wires: networkx.MultiDiGraph[int], nodes: tuple[N, ...]) -> tuple[N, ...]:
    """The nodes in topological order; nodes that do not depend on each other are ordered by rank.

    Nodes in a cycle, which `verify` reports, keep their order.
    """
    seen: set[int] = set()
    last: tuple[int, ...] = ()
    for node in nodes:
        if node.rank <= last or not seen.issuperset([port.node for port in node.inputs]):
            break
        seen.add(node.id)
        last = node.rank
    else:
        return nodes  # the most frequent case: the order by rank is topological
    by_number = {node.id: node for node in nodes}
    try:
        order = networkx.lexicographical_topological_sort(wires, lambda at: by_number[at].rank)
        return tuple(by_number[at] for at in order)
    except networkx.NetworkXUnfeasible:
        return nodes
