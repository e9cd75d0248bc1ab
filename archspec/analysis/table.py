"""The table of blocks: the ops and calls in the body of a network, and below, with their costs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from archspec.analysis.counting import Counts, count_by_node
from archspec.analysis.macs import macs_by_node
from archspec.analysis.repeats import repeats
from archspec.analysis.structure import structure_classes
from archspec.frozen import frozen
from archspec.graph.forms import Forms
from archspec.graph.model import Graph
from archspec.graph.names import join_path
from archspec.types.dim import Dim, sum_of


@frozen
class Row:
    """One line of the table: an op or call, `level` 0 in the network's own body.

    `count` equal ones in sequence are one line, with the costs of all of them together. The lines
    below it, one level deeper, are those of one of them. `graph` is the block of a call. A node
    that is not `computed`, because no output of its block needs it, has no costs and is not opened.
    One that is `shared` has the weights of a line above it.
    """

    name: str
    what: str
    shapes: tuple[str, ...]
    parameters: int
    macs: Dim
    count: int = 1
    level: int = 0
    graph: Graph | None = None
    computed: bool = True
    shared: bool = False

    @property
    def title(self) -> str:
        """The op or block, its count, and whether it is shared or not computed."""
        what = self.what if self.count == 1 else f"{self.what} × {self.count}"
        what += " (shared)" if self.shared else ""
        return what if self.computed else f"{what} (not computed)"


def rows(graph: Graph, depth: int = 1, sizes: Mapping[str, int] | None = None) -> tuple[Row, ...]:
    """The table of a graph, with calls expanded to a depth; depth 0 is an empty table.

    Shapes are numbers if `sizes` are given.

    A block is expanded at its first use, so the table is never larger than the program. Ops without
    a name and without a cost are omitted.
    """
    if depth < 1:
        return ()
    table = _Table(graph, sizes or {})
    found: list[Row] = []
    opened = {graph}
    stack = [table.lines(graph, "", 0)]
    while stack:
        row = next(stack[-1], None)
        if row is None:
            stack.pop()
            continue
        found.append(row)
        if row.graph is not None and row.level + 1 < depth and row.graph not in opened:
            opened.add(row.graph)
            stack.append(table.lines(row.graph, row.name.partition(" .. ")[0], row.level + 1))
    return tuple(found)


class _Table:
    """Costs of graphs below a root, computed once for all of them."""

    def __init__(self, root: Graph, sizes: Mapping[str, int]) -> None:
        self._sizes = sizes
        self._classes = structure_classes(root)
        self._counts: dict[Forms, Counts] = {}
        self._macs: dict[Graph, Dim] = {}

    def lines(self, graph: Graph, prefix: str, level: int) -> Iterator[Row]:
        """The lines of one graph."""
        weights = count_by_node(graph, self._counts)
        costs = macs_by_node(graph, self._macs)
        runs = [run for run in repeats(graph, self._classes.__getitem__) if run.period == 1]
        together = {run.order[0]: run.order for run in runs}
        later = {at for run in runs for at in run.order[1:]}
        seen: set[str] = set()
        for node in graph.nodes:
            if node.instance is None or node.id in later:
                continue
            group = together.get(node.id, (node.id,))
            parameters = sum(weights[at].parameters for at in group if at in weights)
            cost = sum_of(costs[at] for at in group)
            computed = node.id in graph.computed
            if node.instance.key or parameters or cost.terms:
                yield Row(
                    _name(graph, prefix, group),
                    node.instance.title,
                    tuple(kind.at(self._sizes).shape_text for kind in node.types),
                    parameters,
                    cost,
                    len(group),
                    level,
                    node.callee if computed else None,
                    computed,
                    node.instance.key in seen,
                )
                seen.add(node.instance.key)
                seen.discard("")


def _name(graph: Graph, prefix: str, group: tuple[int, ...]) -> str:
    keys = [
        instance.key
        for instance in (graph.node(group[0]).instance, graph.node(group[-1]).instance)
        if instance is not None
    ]
    first = join_path(prefix, keys[0])
    return first if keys[0] == keys[-1] else f"{first} .. {join_path(prefix, keys[-1])}"
