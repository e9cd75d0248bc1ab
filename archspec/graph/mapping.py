"""Applying a change to every graph of a network: blocks, layers of ops, and both modes.

A change to one mode does not affect the other. Unchanged graphs remain shared by both modes;
changed ones have the same nodes with the same numbers in both, except for the change.
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
"""A change of a graph; it returns the same object if there is nothing to change."""


def map_network(compiled: Compiled, change: Change, *, mode: Mode | None = None) -> Compiled:
    """A network in which every graph is replaced by its `change`, in both modes or in one.

    Blocks come before their callers, and the layers of an op before the graph of the op. Each graph
    is changed once, so that calls, modes and instances share the same graphs as before. The inputs
    of a block must not change; if its result types change, the types of its calls are updated.

    With a `mode`, the weights remain those of both modes: names keep their shapes, and the values
    of buffers, which are computed once, do not change. If both modes are then equal, they become
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
    """The graph of training, with the graphs of inference in place of equal ones."""
    known = {text: graph for graph, text in fingerprints(inference).items()}
    texts = fingerprints(training)
    same = {graph: known[text] for graph, text in texts.items() if text in known}
    if all(one is two for one, two in same.items()):
        return training
    return replaced(training, same)


def mapped(roots: Iterable[Graph], change: Change) -> Mapping[Graph, Graph]:
    """The changed graphs for these and for all graphs below them; see `map_network`."""
    return mapped_from(roots, lambda graph, now: change(now))


def mapped_from(
    roots: Iterable[Graph], change: Callable[[Graph, Graph], Graph]
) -> Mapping[Graph, Graph]:
    """Like `mapped`, but `change` also gets the graph as it was before those below it changed."""
    became: dict[Graph, Graph] = {}
    instances: dict[Instance, Instance] = {}
    for graph in dict.fromkeys(graph for root in roots for graph in walk(root)):
        became[graph] = change(graph, _recalled(graph, became, instances))
    return became


def replaced(root: Graph, others: Mapping[Graph, Graph]) -> Graph:
    """The graph with some graphs, below it or of its own instances, replaced."""
    became: dict[Graph, Graph] = {}
    instances: dict[Instance, Instance] = {}
    for graph in walk(root):
        became[graph] = others.get(graph) or _recalled(graph, became, instances)
    return became[root]


def _recalled(
    graph: Graph, became: Mapping[Graph, Graph], instances: dict[Instance, Instance]
) -> Graph:
    """The graph with the graphs below it replaced by the changed ones."""
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
    """An instance with changed graphs; the same object if they are unchanged."""
    graph = became[old.graph] if old.graph is not None else None
    regions = tuple(replace(region, graph=became[region.graph]) for region in old.regions)
    same = graph is old.graph and all(
        new.graph is region.graph for new, region in zip(regions, old.regions, strict=True)
    )
    return old if same else replace(old, graph=graph, regions=regions)
