"""A graph of blocks inlined to a depth: calls are replaced by the nodes of the called blocks."""

from __future__ import annotations

from collections.abc import Callable

from archspec.graph.build import Building
from archspec.graph.edit import Edit
from archspec.graph.model import Graph, Instance
from archspec.passes.expand import NODE_BUDGET, levels_within


def flatten(
    graph: Graph,
    depth: int | None = 1,
    *,
    budget: int = NODE_BUDGET,
    opens: Callable[[Graph], bool] = lambda _: True,
) -> Graph:
    """The graph with blocks inlined to a depth: 0 is one call of it, 1 itself, None inlines all.

    Nodes of inlined blocks have the full names of their instances as keys. A block for which
    `opens` is false remains a call. Raises CompileFailed (E0521) if there would be more than
    `budget` nodes.
    """
    levels = levels_within(graph, depth, budget)
    if levels == 0:
        return _whole(graph)
    edit = Edit(graph)
    calls = [(node.id, levels) for node in graph.nodes]
    while calls:
        number, left = calls.pop()
        callee = edit.node(number).callee
        if callee is not None and left > 1 and opens(callee):
            calls += [(one, left - 1) for one in edit.inline(number)]
    return edit.graph()


def _whole(graph: Graph) -> Graph:
    building = Building(graph.name, graph.kind)
    inputs = []
    for node in graph.inputs:
        inputs.append(building.input(node.name, node.types[0]))
        building.nodes[-1].origin = node.origin
    results = iter(building.use(Instance("", graph=graph, origin=graph.origin), *inputs))
    building.nodes[-1].origin = graph.origin
    for output in graph.outputs:
        ports = [next(results) for _ in output.ports]
        building.output(output.name, *ports, structure=output.structure)
    return building.graph(origin=graph.origin)
