"""Applying a change to every graph of a network: blocks, layers that ops hold, and both modes.

A change to one mode leaves the other as it is. What it does not touch stays one graph in both, and
of what it does, both have the same nodes under the same numbers, but for those that it changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TypeAlias

from archspec.graph.compare import fingerprints
from archspec.graph.compiled import Compiled, Mode
from archspec.graph.model import Graph, Instance, Node
from archspec.graph.walk import walk

Change: TypeAlias = Callable[[Graph], Graph]
"""What is done to a graph; the same object where nothing is."""


def map_network(compiled: Compiled, change: Change, *, mode: Mode | None = None) -> Compiled:
    """A network in which every graph is what `change` makes of it, in both modes or in one.

    Blocks come before what calls them, and the layers that an op holds before the graph of the op.
    Each graph is changed once, so that calls, modes and instances go on sharing what they shared.
    What a block takes must stay as it is; where it yields other types, its calls say so.

    With a `mode`, weights stay those of both modes: names keep their shapes, and the values of
    buffers, which are computed once, are not changed. Where both modes then say the same, they are
    one graph again.
    """
    if mode is None:
        became = mapped((compiled.inference, compiled.training), change)
        inference, training = became[compiled.inference], became[compiled.training]
    else:
        root = compiled.in_mode(mode)
        made = mapped((root,), lambda graph: graph if graph.kind == "buffer" else change(graph))
        inference = made[root] if mode == "inference" else compiled.inference
        training = made[root] if mode == "training" else compiled.training
        if compiled.inference is not compiled.training:
            training = shared_between(inference, training)
    if inference is compiled.inference and training is compiled.training:
        return compiled
    return replace(compiled, inference=inference, training=training)


def shared_between(inference: Graph, training: Graph) -> Graph:
    """The graph of training with those graphs of inference that say the same as its own."""
    known = {text: graph for graph, text in fingerprints(inference).items()}
    texts = fingerprints(training)
    same = {graph: known[text] for graph, text in texts.items() if text in known}
    if all(one is two for one, two in same.items()):
        return training
    return replaced(training, same)


def mapped(roots: Iterable[Graph], change: Change) -> Mapping[Graph, Graph]:
    """What becomes of these graphs and of all below them; see `map_network`."""
    return mapped_from(roots, lambda graph, now: change(now))


def mapped_from(
    roots: Iterable[Graph], change: Callable[[Graph, Graph], Graph]
) -> Mapping[Graph, Graph]:
    """The same where `change` is also given the graph as it was, before those below it changed."""
    became: dict[Graph, Graph] = {}
    instances: dict[Instance, Instance] = {}
    for graph in dict.fromkeys(graph for root in roots for graph in walk(root)):
        became[graph] = change(graph, _recalled(graph, became, instances))
    return became


def replaced(root: Graph, others: Mapping[Graph, Graph]) -> Graph:
    """The graph with other graphs in place of some, below it or its own."""
    became: dict[Graph, Graph] = {}
    instances: dict[Instance, Instance] = {}
    for graph in walk(root):
        became[graph] = others.get(graph) or _recalled(graph, became, instances)
    return became[root]


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
