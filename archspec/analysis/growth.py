"""Pieces in sequence that differ only in numbers, each time by the same amount.

In a dense block every layer reads `growth` channels more than the previous one, so no two are
equal, but each differs from the previous one as that one does from its predecessor. Three pieces at
least make a progression: any two numbers differ by something. Numbers are sizes of data and
attributes of ops, also in the blocks that are called.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from itertools import pairwise
from math import isclose
from typing import Any, TypeAlias

from archspec.analysis.repeats import Run, Search
from archspec.graph.model import Graph, Node
from archspec.graph.walk import postorder
from archspec.types.dim import Dim
from archspec.types.tensor import TensorType

LEAST = 3
"""Pieces that differ."""

Graphs: TypeAlias = "tuple[Graph, Graph, Graph]"
Nodes: TypeAlias = "tuple[Node, Node, Node]"
"""Of three consecutive pieces."""


class Growth:
    """Finds runs of growing pieces; `below` gives the structure class of a graph."""

    def __init__(self, below: Callable[[Graph], int]) -> None:
        self._below = below
        self._known: dict[Graphs, bool] = {}

    def runs(self, graph: Graph, equal: tuple[Run, ...]) -> tuple[Run, ...]:
        """The runs in a graph: those of `equal` pieces, and growing ones that remove more nodes."""
        if len(graph.nodes) - len(graph.inputs) < LEAST:
            return equal
        search = Search(
            graph,
            form,
            least=LEAST,
            collecting=True,
            regular=lambda nodes: self._nodes((graph,) * 3, nodes),
        )
        inner = {at for run in equal if run.count >= LEAST for at in run.order}
        found, at = list(equal), 0
        while at < len(search.nodes):
            run = search.best_at(at) if search.nodes[at].id not in inner else None
            if run is None:
                at += 1
                continue
            members = set(run.order)
            replaced = [one for one in found if not members.isdisjoint(one.order)]
            if run.saved > sum(one.saved for one in replaced):
                found = [one for one in found if one not in replaced] + [run]
            at += len(run.order)
        return tuple(sorted(found, key=lambda run: run.start))

    def _nodes(self, graphs: Graphs, nodes: Nodes) -> bool:
        """Whether three nodes of one form differ regularly."""
        read = (graph.types_read(node) for graph, node in zip(graphs, nodes, strict=True))
        one, two, three = (node.instance for node in nodes)
        if one is None or two is None or three is None:
            return one is two is three and _is_regular(*(node.types for node in nodes))
        ops = (one.op, two.op, three.op)
        called = [graph for node in nodes if (graph := node.callee) is not None]
        return (
            one.frozen == two.frozen == three.frozen
            and self._regions(nodes)
            and _is_regular(*(node.types for node in nodes))
            and _is_regular(*read)
            and _is_regular(*(dict(op) if op is not None else {} for op in ops))
            and (not called or self._graphs((called[0], called[1], called[2])))
        )

    def _regions(self, nodes: Nodes) -> bool:
        """Whether the regions of three nodes are equal."""
        forms = [
            [(r.name, r.captured, self._below(r.graph)) for r in node.instance.regions]
            for node in nodes
            if node.instance is not None
        ]
        return all(one == other for one, other in pairwise(forms))

    def _graphs(self, graphs: Graphs) -> bool:
        """Whether three blocks differ regularly."""
        for three in postorder(graphs, self._called):
            if three not in self._known:
                self._known[three] = self._alike(three)
        return self._known[graphs]

    def _called(self, graphs: Graphs) -> Iterator[Graphs]:
        if graphs in self._known or self._equal(graphs):
            return
        for nodes in zip(*(graph.nodes for graph in graphs), strict=False):
            one, two, three = (node.callee for node in nodes)
            if one is not None and two is not None and three is not None:
                yield one, two, three

    def _equal(self, graphs: Graphs) -> bool:
        one, two, three = (self._below(graph) for graph in graphs)
        return one == two == three

    def _alike(self, graphs: Graphs) -> bool:
        if self._equal(graphs):
            return True
        outlines = [_outline(graph) for graph in graphs]
        if any(one != other for one, other in pairwise(outlines)):
            return False
        rows = zip(*(graph.nodes for graph in graphs), strict=True)
        return all(self._nodes(graphs, (one, two, three)) for one, two, three in rows)


def form(node: Node) -> Hashable:
    """What nodes have in common that may differ in numbers."""
    callee, op = node.callee, node.op
    called = (callee.name, len(callee.nodes)) if callee is not None else None
    title = node.instance.title if node.instance is not None else node.name
    return title, type(op), called, len(node.inputs), len(node.types)


def _outline(graph: Graph) -> Hashable:
    """A graph without numbers: the forms of its nodes, and how they are wired."""
    sharing: dict[object, int] = {}
    nodes = tuple(
        (
            form(node),
            node.id in graph.computed,
            graph.places(node.inputs),
            sharing.setdefault(node.instance, len(sharing)) if node.instance else None,
        )
        for node in graph.nodes
    )
    outputs = tuple((o.name, graph.places(o.ports), o.structure) for o in graph.outputs)
    return graph.name, graph.kind, nodes, outputs, repr(graph.draws)


def _is_regular(one: Any, two: Any, three: Any) -> bool:
    """Whether three values are equal, or numbers with equal differences, also inside of lists."""
    if isinstance(one, TensorType):
        return one.dtype == two.dtype == three.dtype and _is_regular(
            one.shape, two.shape, three.shape
        )
    kinds = {type(one), type(two), type(three)}
    if isinstance(one, (tuple, list)):
        same = len(kinds) == 1 and len(one) == len(two) == len(three)
        return same and all(map(_is_regular, one, two, three))
    if isinstance(one, dict):
        same = len(kinds) == 1 and one.keys() == two.keys() == three.keys()
        return same and all(_is_regular(one[key], two[key], three[key]) for key in one)
    if kinds <= {int, Dim}:
        return bool(one == two == three or three - two == two - one)
    if kinds == {float}:
        return isclose(three - two, two - one, rel_tol=1e-6, abs_tol=1e-9)
    return bool(one == two == three)
