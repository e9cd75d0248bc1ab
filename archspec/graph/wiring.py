"""The NetworkX graph of a block, and the order of its nodes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

import networkx

from archspec.types.tensor import TensorType


class Source(Protocol):
    """One output of one node, as what reads it names it."""

    @property
    def node(self) -> int:
        """The number of the node."""

    @property
    def index(self) -> int:
        """Which of its outputs."""


class Wired(Protocol):
    """A node, as far as edges and order go."""

    id: int
    rank: tuple[int, ...]
    types: tuple[TensorType, ...]

    @property
    def inputs(self) -> Sequence[Source]:
        """What it reads."""


N = TypeVar("N", bound=Wired)


def wired(name: str, nodes: Sequence[Wired]) -> networkx.MultiDiGraph[int]:
    """The NetworkX graph of these nodes, whose inputs say what its edges are.

    A port that does not exist, as `verify` reports, is no edge.
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
    """The nodes in topological order, by rank where that leaves a choice.

    Nodes that depend on each other in a circle, as `verify` reports, stay as they are.
    """
    seen: set[int] = set()
    last: tuple[int, ...] = ()
    for node in nodes:
        if node.rank <= last or not seen.issuperset([port.node for port in node.inputs]):
            break
        seen.add(node.id)
        last = node.rank
    else:
        return nodes  # the usual case: sorted by rank, they are in such an order
    by_number = {node.id: node for node in nodes}
    try:
        order = networkx.lexicographical_topological_sort(wires, lambda at: by_number[at].rank)
        return tuple(by_number[at] for at in order)
    except networkx.NetworkXUnfeasible:
        return nodes
