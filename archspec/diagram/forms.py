"""Blocks of one form: the same ops and calls with the same wiring, whatever their numbers.

The bottlenecks of a ResNet have two forms, with and without a projection, but many widths.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import TypeAlias

from archspec.analysis.fold import fold
from archspec.graph.model import Graph, Node, Port
from archspec.passes.expand import listed
from archspec.passes.pieces import Runs

Kind: TypeAlias = "tuple[bool, str]"
"""Whether it is a block, and the name of the block or op."""


class Forms:
    """The form of each graph and what is in it, computed lazily; pieces of a run are one."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        self._forms: dict[Graph, int] = {}
        self._kinds: dict[Graph, frozenset[Kind]] = {}
        self._numbers: dict[Hashable, int] = {}

    def of(self, graph: Graph) -> int:
        """The number of a form."""

        def form(graph: Graph, below: Callable[[Graph], int]) -> int:
            return self._numbers.setdefault(self._signature(graph, below), len(self._numbers))

        return self._forms[graph] if graph in self._forms else fold(graph, form, self._forms)

    def variety(self, graph: Graph) -> tuple[int, int]:
        """The numbers of different blocks and ops in a graph and the blocks that it calls."""
        known = graph in self._kinds
        kinds = self._kinds[graph] if known else fold(graph, _kinds, self._kinds)
        blocks = sum(is_block for is_block, _ in kinds)
        return blocks, len(kinds) - blocks

    def _signature(self, graph: Graph, below: Callable[[Graph], int]) -> Hashable:
        represented = dict(self._represented(graph))
        places = {node.id: at for at, node in enumerate(graph.inputs)}
        rows = []
        for node in listed(graph, self._runs.of):
            places[node.id] = len(places)
            rows.append((_title(node, below), _wires(node.inputs, represented, places)))
        return graph.name, graph.kind, tuple(rows), _wires(graph.output_ports, represented, places)

    def _represented(self, graph: Graph) -> Iterator[tuple[int, int]]:
        """The nodes of later pieces of a run, each with the one of the first piece."""
        for run in self._runs.of(graph):
            yield from ((at, run.nodes[place % run.period]) for place, at in enumerate(run.order))


def _title(node: Node, below: Callable[[Graph], int]) -> Hashable:
    instance = node.instance
    regions = () if instance is None else tuple(below(item.graph) for item in instance.regions)
    return (below(node.callee),) if node.callee is not None else (_op(node), *regions)


def _op(node: Node) -> str:
    return node.op.name if node.op is not None else ""


def _wires(
    ports: tuple[Port, ...], represented: Mapping[int, int], places: Mapping[int, int]
) -> tuple[tuple[int, int], ...]:
    """The places of nodes that are read; those of several pieces of a run are read once."""
    found = ((places[represented.get(port.node, port.node)], port.index) for port in ports)
    return tuple(dict.fromkeys(found))


def _kinds(graph: Graph, below: Callable[[Graph], frozenset[Kind]]) -> frozenset[Kind]:
    own = {(False, _op(node)) for node in graph.nodes if node.op is not None}
    own |= {(True, item.name) for item in graph.callees}
    called = (below(node.callee) for node in graph.nodes if node.callee is not None)
    regions = (
        below(item.graph)
        for node in graph.nodes
        if node.instance is not None
        for item in node.instance.regions
    )
    return frozenset(own).union(*called, *regions)
