"""A graph of blocks as one NetworkX graph, opened to a depth."""

from __future__ import annotations

import networkx

from archspec.graph.model import Graph
from archspec.passes.expand import FlatNode, expand
from archspec.source import NOWHERE, Span


def flatten(graph: Graph, depth: int | None = 1) -> networkx.MultiDiGraph[int]:
    """Open a graph to a depth: 0 is the network as one node, 1 its body, None everything.

    Nodes are numbered in topological order. Their attributes: `kind` ("input", "op", "call",
    "output"), `name` (of the op, block, input or output), `path` (full name of the instance),
    `op` (the Op or None), `types` (of the outputs), `span` (where it is written) and
    `provenance` (the chain of expansions that lead to it, innermost first). Edges have `source`
    and `target` (index of the output and of the input), `type` and `shape`, and the `span` and
    `provenance` of what yields the data.

    Raises CompileFailed (E0521) when the graph would have too many nodes.
    """
    flat = expand(graph, depth)
    found: networkx.MultiDiGraph[int] = networkx.MultiDiGraph(name=graph.name)
    for item in flat.nodes:
        found.add_node(
            item.index,
            kind=item.kind,
            name=item.name,
            path=item.path,
            op=item.node.op if item.node is not None else None,
            types=item.types,
            span=_span(item),
            provenance=item.chain,
        )
    for item in flat.nodes:
        for target, (start, source) in enumerate(item.inputs):
            before = flat.nodes[start]
            kind = before.types[source]
            found.add_edge(
                start,
                item.index,
                source=source,
                target=target,
                type=kind,
                shape=kind.shape_text,
                span=_span(before),
                provenance=before.chain,
            )
    return found


def _span(item: FlatNode) -> Span:
    """Where a node is written; an output, and a network that is not opened, at its head."""
    if item.node is not None:
        return item.node.origin.span
    return item.graph.origin.span if item.graph is not None else NOWHERE
