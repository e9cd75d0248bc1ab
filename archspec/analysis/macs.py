"""Multiply-accumulates of convolutions and matrix products in one forward pass."""

from __future__ import annotations

from collections.abc import Mapping

from archspec.analysis.fold import Below, fold, in_regions
from archspec.graph.model import Graph, Node
from archspec.types.dim import ZERO, Dim, sum_of


def macs(graph: Graph) -> Dim:
    """MACs of the computed nodes of a graph, in its free dimensions.

    A region that may or may not run is counted once.
    """
    return fold(graph, _graph_step)


def macs_by_node(graph: Graph, memo: dict[Graph, Dim] | None = None) -> Mapping[int, Dim]:
    """For each node id, the MACs including callees; 0 if it is not computed.

    `memo` is for calls with several graphs that share blocks.
    """
    memo = {} if memo is None else memo
    fold(graph, _graph_step, memo)
    return {node.id: _node_macs(graph, node, memo.__getitem__) for node in graph.nodes}


def _graph_step(graph: Graph, below: Below[Dim]) -> Dim:
    return sum_of(_node_macs(graph, node, below) for node in graph.nodes)


def _node_macs(graph: Graph, node: Node, below: Below[Dim]) -> Dim:
    if node.id not in graph.computed:
        return ZERO
    if node.callee is not None:
        return below(node.callee)
    if node.instance is None or node.op is None:
        return ZERO
    return node.op.macs(graph.types_read(node), node.types) + in_regions(graph, node, below)
