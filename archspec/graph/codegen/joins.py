"""Joins that drop inputs in training, and calls of one result that such a join would follow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from archspec.graph.codegen.interface import ports_of
from archspec.graph.model import Graph, Node, Port
from archspec.graph.units import Unit
from archspec.ops.dropping import KeptMean

Place: TypeAlias = "tuple[Graph, Node]"
"""A node and its graph."""


def dropping(node: Node) -> KeptMean | None:
    """The join of a node, if it drops inputs in training."""
    join = node.op.kept_mean() if node.op is not None and len(node.inputs) > 1 else None
    return join if join is not None and join.drops else None


def has_joins(units: Sequence[Unit]) -> bool:
    """Whether there is a join that drops inputs in some of these units."""
    graphs = (graph for unit in units for graph in unit.all_graphs)
    return any(dropping(node) for graph in graphs for node in graph.nodes)


def lone_branches(families: Sequence[Sequence[Unit]]) -> dict[tuple[Graph, int], Place]:
    """Calls with one result that a join follows wherever the block has a greater depth.

    In `f(c - 1) -> join -> g`, the join vanishes if `f(c - 1)` has one result. For such a call,
    by its graph and number, the result is that join.
    """
    found: dict[tuple[Graph, int], Place] = {}
    for family in families:
        places = [
            (graph, node) for unit in family for graph in unit.all_graphs for node in graph.nodes
        ]
        joins: dict[str, Place] = {}
        for graph, node in places:
            source = _joined_call(graph, node)
            if source is not None and source.instance is not None:
                joins.setdefault(source.instance.key, (graph, node))
        for graph, node in places:
            join = joins.get(node.instance.key) if node.instance is not None else None
            if join is not None and len(node.types) == 1 and _is_alone(graph, node):
                found[graph, node.id] = join
    return found


def _joined_call(graph: Graph, join: Node) -> Node | None:
    """The call all of whose results a join reads, if only it does so, for another call."""
    if dropping(join) is None:
        return None
    source = graph.node(join.inputs[0].node)
    ports = ports_of(source)
    readers = [[*graph.consumers.get(port, ())] for port in ports]
    is_all = [*join.inputs] == ports and all(one == [join] for one in readers)
    is_inside = set(graph.output_ports).isdisjoint(ports)
    return source if source.callee and is_all and is_inside and _is_alone(graph, join) else None


def _is_alone(graph: Graph, node: Node) -> bool:
    """Whether nothing but one call of a block reads the result of a node."""
    port = Port(node.id)
    readers = [*graph.consumers.get(port, ())]
    only_calls = len(readers) == 1 and readers[0].callee is not None
    return only_calls and readers[0].inputs.count(port) == 1 and port not in graph.output_ports
