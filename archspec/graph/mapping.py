"""Applying a change to every graph of a network: blocks, layers that ops hold, and both modes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TypeAlias

from archspec.graph.compiled import Compiled
from archspec.graph.model import Graph, Instance, Node
from archspec.graph.walk import walk

Change: TypeAlias = Callable[[Graph], Graph]
"""What is done to a graph; the same object where nothing is."""


def map_network(compiled: Compiled, change: Change) -> Compiled:
    """A network in which every graph is what `change` makes of it, in both modes.

    Blocks come before what calls them, and the layers that an op holds before the graph of the op.
    Each graph is changed once, so that calls, modes and instances go on sharing what they shared.
    What a block takes must stay as it is; where it yields other types, its calls say so.
    """
    became = mapped((compiled.inference, compiled.training), change)
    inference, training = became[compiled.inference], became[compiled.training]
    if inference is compiled.inference and training is compiled.training:
        return compiled
    return replace(compiled, inference=inference, training=training)


def mapped(roots: Iterable[Graph], change: Change) -> Mapping[Graph, Graph]:
    """What becomes of these graphs and of all below them; see `map_network`."""
    became: dict[Graph, Graph] = {}
    instances: dict[Instance, Instance] = {}
    for graph in dict.fromkeys(graph for root in roots for graph in walk(root)):
        became[graph] = change(_recalled(graph, became, instances))
    return became


def _recalled(
    graph: Graph, became: Mapping[Graph, Graph], instances: dict[Instance, Instance]
) -> Graph:
    """The graph with what the graphs below it have become."""
    nodes: list[Node] = []
    for node in graph.nodes:
        old = node.instance
        if old is None or not node.runs_graphs:
            nodes.append(node)
            continue
        if old not in instances:
            instances[old] = with_graphs(old, became)
        new = instances[old]
        if new is old:
            nodes.append(node)
        elif new.graph is not None:
            nodes.append(replace(node, instance=new, types=new.graph.output_types))
        else:
            nodes.append(replace(node, instance=new))
    if all(new is old for new, old in zip(nodes, graph.nodes, strict=True)):
        return graph
    return replace(graph, nodes=tuple(nodes))


def with_graphs(old: Instance, became: Mapping[Graph, Graph]) -> Instance:
    """An instance of what its graphs have become; the same object where they are the same."""
    graph = became[old.graph] if old.graph is not None else None
    regions = tuple(replace(region, graph=became[region.graph]) for region in old.regions)
    same = graph is old.graph and all(
        new.graph is region.graph for new, region in zip(regions, old.regions, strict=True)
    )
    return old if same else replace(old, graph=graph, regions=regions)
