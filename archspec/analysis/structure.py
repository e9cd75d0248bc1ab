"""Blocks that are equal except for the names of their instances."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping

from archspec.analysis.fold import fold
from archspec.graph.model import Graph, Instance, Node


def structure_classes(graph: Graph, known: dict[Graph, int] | None = None) -> Mapping[Graph, int]:
    """A number for each graph below; two graphs with the same number are structurally equal.

    Graphs are equal if they have the same name, ops, wiring and types, whatever the names of
    their instances. `known` is filled, so that several roots can be numbered together.
    """
    classes: dict[Graph, int] = {} if known is None else known
    numbers: dict[Hashable, int] = {}
    for item in classes:
        numbers[_signature(item, classes.__getitem__)] = classes[item]

    def step(item: Graph, below: Callable[[Graph], int]) -> int:
        return numbers.setdefault(_signature(item, below), len(numbers))

    fold(graph, step, classes)
    return classes


def node_signature(graph: Graph, node: Node, below: Callable[[Graph], int]) -> Hashable:
    """What makes two nodes equal, without wiring and names; `below` gives the class of a graph."""
    inputs = graph.types_read(node)
    if node.instance is None:
        return ("input", node.types)
    callee = below(node.callee) if node.callee is not None else None
    regions = tuple(
        (region.name, region.captured, below(region.graph)) for region in node.instance.regions
    )
    # repr, because attributes of an op need not be hashable
    return (node.instance.title, repr(node.op), callee, regions, inputs, node.types)


def _signature(graph: Graph, below: Callable[[Graph], int]) -> Hashable:
    sharing: dict[Instance, int] = {}
    nodes = tuple(
        (
            node_signature(graph, node, below),
            graph.places(node.inputs),
            sharing.setdefault(node.instance, len(sharing)) if node.instance else None,
        )
        for node in graph.nodes
    )
    outputs = tuple(
        (output.name, graph.places(output.ports), output.structure) for output in graph.outputs
    )
    return (graph.name, graph.kind, nodes, outputs, repr(graph.draws))
