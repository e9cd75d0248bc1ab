"""A graph of blocks as one NetworkX graph, opened to a depth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archspec.graph.model import Graph
from archspec.passes.expand import expand
from archspec.source import NOWHERE

if TYPE_CHECKING:
    import networkx


def flatten(graph: Graph, depth: int | None = 1) -> networkx.MultiDiGraph[int]:
    """Open a graph to a depth: 0 is the network as one node, 1 its body, None everything.

    Nodes are numbered in topological order. Their attributes: `kind` ("input", "op", "call",
    "output"), `name` (of the op, block, input or output), `path` (full name of the instance),
    `op` (the Op or None), `types` (of the outputs), `span` (where it is written) and
    `provenance` (the chain of expansions that lead to it, innermost first). Edges have `source`
    and `target` (index of the output and of the input), `type` and `shape`.

    Raises CompileFailed (E0521) when the graph would have too many nodes.
    """
    import networkx  # noqa: PLC0415  (a fifth of a second that most commands do not need)

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
            span=item.node.origin.span if item.node is not None else NOWHERE,
            provenance=item.chain,
        )
    for item in flat.nodes:
        for target, (start, source) in enumerate(item.inputs):
            kind = flat.nodes[start].types[source]
            found.add_edge(
                start, item.index, source=source, target=target, type=kind, shape=kind.shape_text
            )
    return found
