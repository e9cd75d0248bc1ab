"""The number of ops in one forward pass."""

from __future__ import annotations

from archspec.analysis.fold import Below, fold, in_regions
from archspec.graph.model import Graph, Node
from archspec.types.dim import ZERO, Dim, sum_of


def operations(graph: Graph) -> Dim:
    """Ops that one forward pass of a graph runs, in its free dimensions.

    A region is counted once per run, or once if it may or may not run.
    """
    return fold(graph, _graph_step)


def _graph_step(graph: Graph, below: Below[Dim]) -> Dim:
    nodes = graph.in_order(graph.computed)
    return sum_of(_node_operations(graph, node, below) for node in nodes)


def _node_operations(graph: Graph, node: Node, below: Below[Dim]) -> Dim:
    if node.callee is not None:
        return below(node.callee)
    if node.instance is None or node.op is None:
        return ZERO
    return in_regions(graph, node, below) + 1
