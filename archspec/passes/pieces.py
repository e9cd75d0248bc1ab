"""The consecutive pieces of graphs that are listed once: equal ones, and those that grow."""

from __future__ import annotations

from archspec.analysis.growth import Growth
from archspec.analysis.repeats import Run, repeats
from archspec.analysis.structure import structure_classes
from archspec.graph.model import Graph, Port
from archspec.passes.flat import Step


def growth(graph: Graph, run: Run) -> tuple[Step, ...]:
    """How the data grows that the pieces of a run pass on."""
    found: dict[Step, None] = {}
    for before, port in run.carried if run.growing else ():
        at = run.nodes.index(port.node)
        ports = [Port(run.segment(number)[at], port.index) for number in (0, 1, run.count - 1)]
        shapes = [graph.type_of(one).shape for one in (before, *ports)]
        if len({len(shape) for shape in shapes}) == 1:
            for start, one, two, end in zip(*shapes, strict=True):
                if one != two:
                    found[Step(start, end, two - one)] = None
    return tuple(found)


class Runs:
    """The runs of consecutive pieces in each graph below a root, computed lazily.

    Pieces are equal, or they grow regularly.
    """

    def __init__(self, root: Graph) -> None:
        self._classes = structure_classes(root)
        self._growth = Growth(self._classes.__getitem__)
        self._found: dict[Graph, tuple[Run, ...]] = {}

    def of(self, graph: Graph) -> tuple[Run, ...]:
        """The runs in a graph, without those that consist of calls of rules."""
        if graph not in self._found:
            runs = self._growth.runs(
                graph, repeats(graph, self._classes.__getitem__, collecting=True)
            )
            self._found[graph] = tuple(run for run in runs if not _of_rules(graph, run))
        return self._found[graph]


def _of_rules(graph: Graph, run: Run) -> bool:
    """Whether only calls of rules repeat: halves of an expansion, which are all drawn."""
    callees = (graph.node(at).callee for at in run.nodes)
    return all(callee is not None and callee.kind == "rule" for callee in callees)


def places(graph: Graph, run: Run) -> tuple[int, tuple[int, ...]]:
    """A run without the numbers of nodes, to compare it with one in a graph of the same form."""
    return run.period, tuple(graph.place[at] for at in run.order)
