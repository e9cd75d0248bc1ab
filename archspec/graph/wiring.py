"""The NetworkX graph of a block, and the order of its nodes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import networkx

from archspec.types.tensor import TensorType

if TYPE_CHECKING:
    from archspec.graph.model import Graph, Node


def wired(name: str, nodes: Sequence[Node]) -> networkx.MultiDiGraph[int]:
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


def described(graph: Graph) -> networkx.MultiDiGraph[int]:
    """A copy of the NetworkX graph of a block whose attributes say what nodes and edges are.

    Nodes have the numbers that they have in the graph, and stand in topological order. Their
    attributes: `kind` ("input", "op" or "call"), `name` (of the input, op or block), `path` (the
    key of the instance, or the name of the input), `op` (the Op or None), `types` (of the outputs),
    `span` (where it is written) and `provenance` (the chain of expansions that lead to it,
    innermost first). The key of an edge is the index of the input; its attributes are `output` (the
    index of the output that it comes from), `type`, `shape`, and the `span` and `provenance` of
    what yields the data. The graph has `name` and `outputs`, by name pairs of node and output.
    """
    outputs = {
        item.name: tuple((port.node, port.index) for port in item.ports) for item in graph.outputs
    }
    found: networkx.MultiDiGraph[int] = networkx.MultiDiGraph(name=graph.name, outputs=outputs)
    for node in graph.nodes:
        instance = node.instance
        found.add_node(
            node.id,
            kind="input" if instance is None else "op" if instance.op is not None else "call",
            name=node.name if instance is None else instance.title,
            path=node.name if instance is None else instance.key,
            op=node.op,
            types=node.types,
            span=node.origin.span,
            provenance=node.origin.frames,
        )
    for start, end, index, edge in graph.wires.edges(keys=True, data=True):
        origin = graph.node(start).origin
        found.add_edge(
            start,
            end,
            index,
            **edge,
            shape=edge["type"].shape_text,
            span=origin.span,
            provenance=origin.frames,
        )
    return found


def ordered(wires: networkx.MultiDiGraph[int], nodes: tuple[Node, ...]) -> tuple[Node, ...]:
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
