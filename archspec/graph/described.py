"""The NetworkX graph of a block as the API returns it: a copy with descriptive attributes."""

from __future__ import annotations

import networkx

from archspec.graph.model import Graph


def described(graph: Graph) -> networkx.MultiDiGraph[int]:
    """A copy of the NetworkX graph of a block whose attributes say what nodes and edges are.

    Nodes have the numbers that they have in the graph, and are in topological order. Their
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
