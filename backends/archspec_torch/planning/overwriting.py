"""Activations that are computed in place, which takes no additional memory.

This is valid if nothing else reads the input, if the input is a new tensor and not a view, and if
no backward pass reads its value: neither that of the activation nor that of the op before it. The
lowerings declare this (`Lowered.fresh`, `in_place`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from archspec.graph.codegen.demand import Demand, Demands
from archspec.graph.model import Graph, Instance, Node, Port
from archspec.graph.units import Unit
from archspec_torch.lowering.base import Lowered

Place: TypeAlias = tuple[Graph, int]
"""A node in one of several graphs: its graph, and its number there."""

At: TypeAlias = Callable[[Unit, Graph, Node], Lowered]
"""The lowering of an op of a unit."""


def written_over(
    unit: Unit, lowered: Mapping[Place, Lowered], demands: Demands, at: At
) -> dict[Place, Lowered]:
    """The in-place lowerings of ops of a unit.

    An instance has one if all of its nodes may be in place, in all uses and in both modes. `at`
    returns the lowering of ops of this unit and of callees.
    """
    found: dict[Place, Lowered] = {}
    for standing in _places(unit):
        forms = [lowered[graph, node.id].in_place for _, graph, node in standing]
        if all(forms) and all(
            _is_fresh(use, graph, node.inputs[0], demands, at) for use, graph, node in standing
        ):
            for (_, graph, node), form in zip(standing, forms, strict=True):
                assert form is not None
                found[graph, node.id] = form
    return found


def _places(unit: Unit) -> Iterable[list[tuple[Unit, Graph, Node]]]:
    """The nodes of each op, in all graphs of a unit."""
    found: dict[str | Instance, list[tuple[Unit, Graph, Node]]] = {}
    for use in unit.uses:
        for graph in use.graphs:
            for node in graph.nodes:
                if node.op is not None and node.instance is not None:
                    kept = node.instance.key or node.instance
                    found.setdefault(kept, []).append((use, graph, node))
    return found.values()


def _is_fresh(use: Unit, graph: Graph, port: Port, demands: Demands, at: At) -> bool:
    """Whether a port is fresh, and is read once; an output of the graph must not be read at all."""
    node, demand = graph.node(port.node), demands.of(use, graph)
    readers = len(graph.consumers.get(port, ())) + graph.output_ports.count(port)
    if node.instance is None or readers != 1 or _may_be_its_input(demand, node):
        return False
    if node.op is not None:
        return at(use, graph, node).fresh
    callee = use.callee(node.instance)
    if callee.owner in demands.asked or not callee.yields_one:
        return False
    return all(
        _is_fresh(callee, inner, inner.output_ports[0], demands, at) for inner in callee.graphs
    )


def _may_be_its_input(demand: Demand, node: Node) -> bool:
    """Whether a join or a sum may return one of its inputs, because the others were dropped."""
    return node.id in demand.masks or any(node.id == gate.add for gate in demand.gates.values())
