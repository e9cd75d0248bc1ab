"""Branches of a join that are the same op on every output of one call: they become a loop."""

from __future__ import annotations

from collections.abc import Container

from archspec.graph.codegen.demand import Demand
from archspec.graph.codegen.interface import ports_of
from archspec.graph.model import Graph, Node, Port
from archspec_torch.planning.layout import Layout, Plan


def equal_branches(
    layout: Layout, known: Plan, graph: Graph, demand: Demand, owned: Container[str]
) -> dict[int, tuple[Node, ...]]:
    """The ops between each join and a call, if they are one stateless op on all its outputs."""
    readers, results = graph.consumers, set(graph.output_ports)
    found: dict[int, tuple[Node, ...]] = {}
    for join in graph.nodes:
        if join.id not in demand.masks:
            continue
        nodes = tuple(graph.node(port.node) for port in join.inputs)
        first = nodes[0]
        if first.op is None or len(first.inputs) != 1 or len(set(nodes)) < 2:
            continue
        source = graph.node(first.inputs[0].node)
        ports = [port for node in nodes for port in node.inputs]
        kinds = {(node.op, *map(graph.type_of, node.inputs)) for node in nodes}
        same = len(kinds) == 1 and not any(_owns(layout, graph, node, owned) for node in nodes)
        made = [Port(node.id) for node in nodes]
        alone = all(len(readers.get(port, ())) == 1 and port not in results for port in made)
        if same and alone and known.yields_list(layout, source) and ports == ports_of(source):
            found[join.id] = nodes
    return found


def _owns(layout: Layout, graph: Graph, node: Node, owned: Container[str]) -> bool:
    lowered = layout.at(graph, node)
    return (
        lowered.apply is None
        or lowered.raw
        or (node.instance is not None and node.instance.key in owned)
    )
