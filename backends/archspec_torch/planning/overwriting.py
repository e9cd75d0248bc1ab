"""Activations that are written over their input.

That takes no memory of its own. It is right where nobody else reads the input, where that is a
tensor of its own and no view, and where no backward pass reads what was in it: neither that of the
activation nor that of what made the input. The lowerings say so (`Lowered.fresh`, `in_place`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from archspec.graph.codegen.demand import Demand, Demands
from archspec.graph.model import Graph, Instance, Node, Port
from archspec.graph.units import Unit
from archspec_torch.lowering.base import Lowered

Place: TypeAlias = tuple[Graph, int]
"""A node among those of all graphs: its graph, and its number there."""

At: TypeAlias = Callable[[Unit, Graph, Node], Lowered]
"""How an op of a unit is lowered."""


def written_over(
    unit: Unit, lowered: Mapping[Place, Lowered], demands: Demands, at: At
) -> dict[Place, Lowered]:
    """The ops of a unit that are written over their input, in that form.

    An instance is, where it may be at all places where it stands, in all uses and in both modes.
    `at` is asked for ops of this unit and of callees.
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
    """Whether a port is fresh, and is read once; where it is a result, it is read by no node."""
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
    """Whether a join or a sum may hand on one of its inputs, since the others were dropped."""
    return node.id in demand.masks or any(node.id == gate.add for gate in demand.gates.values())
