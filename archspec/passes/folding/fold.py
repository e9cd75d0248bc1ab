"""A network for inference in which batch norms are folded into adjacent layers.

In inference a batch norm multiplies each channel by a number and adds one, and so do LayerScale and
other products with a parameter. After or before a convolution or linear layer, that is equivalent
to the layer with other weights: y = s (W x + b) + t = (s W) x + (s b + t) (Jacob et al.,
arXiv:1712.05877, section 3.2). A sum of convolutions of one input, as in RepVGG (Ding et al.,
arXiv:2101.03697) and UniRepLKNet (arXiv:2311.15599, section 3.2), is one convolution, even with the
identity or a batch norm as a term, whose kernels are diagonal.

Each block, and each region of an op, is folded once, however often it is used. A call is inlined if
something in the block can be folded with nodes around the call: calls whose ends may be folded are
inlined tentatively, and those whose nodes are then folded remain inlined. Weights that are used
twice are not folded.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from archspec.analysis.parameters import table
from archspec.diagnostics.failure import CompileFailed
from archspec.graph.compiled import Compiled
from archspec.graph.mapping import with_graphs
from archspec.graph.model import Graph, Instance, Node, subgraphs
from archspec.graph.names import join_path
from archspec.graph.owned import owned
from archspec.graph.ties import tied_instances
from archspec.graph.walk import walk
from archspec.passes.folding.draft import Effort
from archspec.passes.folding.ends import Boundaries, Ends, held
from archspec.passes.folding.inlining import inlined
from archspec.passes.folding.steps import Step, below
from archspec.passes.folding.sweep import sweep

OPENED_NODES = 20_000
"""Maximum total number of nodes of inlined calls; the other calls are not inlined."""

SEARCH_LIMIT = 40_000
"""Maximum total number of visited nodes; the rest is left unchanged."""


@dataclass(frozen=True, eq=False)
class Folding:
    """A folded network, the original one, and the changes of weights for each block."""

    whole: Compiled
    compiled: Compiled
    by_graph: Mapping[Graph, tuple[Step, ...]]

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """All steps, with full names; as many as there are folded instances in the network."""
        return tuple(self._steps())

    def _steps(self) -> Iterator[Step]:
        stack = [("", self.compiled.inference)]
        while stack:
            prefix, graph = stack.pop()
            for step in self.by_graph.get(graph, ()):
                yield below(step, prefix)
            for item in owned(graph):
                path = join_path(prefix, item.path)
                if item.instance.graph is not None:
                    stack.append((path, item.instance.graph))
                for region in item.instance.regions:
                    for step in self.by_graph.get(region.graph, ()):
                        yield below(step, join_path(path, region.key))


def fold(compiled: Compiled) -> Folding:
    """Fold the inference graph, which is then used for training too. Names of weights are kept.

    If no name or shape would change, nothing is folded: a file of weights would not show whether
    they are folded, and they could be folded again.
    """
    graphs = walk(compiled.inference)
    work = _Folder(graphs)
    for graph in graphs:
        work.take(graph)
    folded = _in_one_mode(compiled, work.became[compiled.inference])
    if work.steps and _shapes(folded) == _shapes(compiled):
        return Folding(compiled, _in_one_mode(compiled, compiled.inference), {})
    return Folding(compiled, folded, work.steps)


def _in_one_mode(compiled: Compiled, graph: Graph) -> Compiled:
    return replace(compiled, name=f"{compiled.name}_folded", inference=graph, training=graph)


def _shapes(compiled: Compiled) -> Hashable:
    """The shapes in a state dict; a unique value if it is too large."""
    try:
        entries = table(compiled)
    except CompileFailed:
        return object()
    return frozenset((entry.name, entry.shape) for entry in entries if entry.persistent)


class _Folder:
    """Folds graphs, callees and regions first."""

    def __init__(self, graphs: tuple[Graph, ...]) -> None:
        self.became: dict[Graph, Graph] = {}
        self.steps: dict[Graph, tuple[Step, ...]] = {}
        self._ends: dict[Graph, Ends] = {}
        self._ways: dict[Graph, int] = {}
        self._numbers: dict[Hashable, int] = {}
        self._made: dict[Instance, Instance] = {}
        self._room = OPENED_NODES
        self._effort = Effort(SEARCH_LIMIT)
        self._shared = _across(graphs) | tied_instances(graphs)

    def take(self, graph: Graph) -> None:
        """Fold one graph; those below it are folded. The value of a buffer is not changed."""
        now = self._recalled(graph)
        if graph.kind != "buffer":
            now = self._folded(now)
        self.became[graph] = now
        if now not in self._ends:
            self._ends[now] = Boundaries(now, self._ends, self._shared).ends()
        self._ways[now] = self._way(now)

    def _folded(self, graph: Graph) -> Graph:
        """Fold the nodes of a graph, inline calls, and fold the nodes after that."""
        steps: list[Step] = []
        while True:
            swept = sweep(graph, self._shared, self._effort)
            graph = swept.graph
            steps += swept.steps
            calls = self._worth_inlining(graph)
            if not calls:
                break
            while calls:
                for call in graph.in_order(calls):
                    steps += self._steps_of(call)
                graph = inlined(graph, calls).graph
                calls = self._worth_inlining(graph)
        if steps:
            self.steps[graph] = tuple(steps)
        return graph

    def _steps_of(self, call: Node) -> Iterator[Step]:
        assert call.instance is not None
        assert call.callee is not None
        for step in self.steps.get(call.callee, ()):
            yield below(step, call.instance.key)

    def _worth_inlining(self, graph: Graph) -> set[int]:
        """The calls whose nodes are folded when calls are inlined."""
        trial, origins = graph, {node.id: node.id for node in graph.nodes}
        empty: set[int] | None = None
        while True:
            boundaries = Boundaries(trial, self._ends, self._shared)
            empty = boundaries.empty() if empty is None else empty
            calls = self._within_limit(trial, boundaries.to_inline())
            if not calls:
                break
            step = inlined(trial, calls)
            trial = step.graph
            origins = {now: origins[before] for now, before in step.origins.items()}
        if trial is graph:
            return set()
        touched = {origins[at] for at in sweep(trial, self._shared, self._effort).touched}
        found = {at for at in touched if graph.node(at).callee is not None}
        return found | empty if touched else set()

    def _within_limit(self, graph: Graph, calls: set[int]) -> set[int]:
        found: set[int] = set()
        for at in sorted(calls):
            callee = graph.node(at).callee
            assert callee is not None
            if len(callee.nodes) <= self._room:
                self._room -= len(callee.nodes)
                found.add(at)
        return found

    def _recalled(self, graph: Graph) -> Graph:
        """The graph with calls of the folded blocks."""
        nodes: list[Node] = []
        kept = self._inconsistent(graph)
        for node in graph.nodes:
            old = node.instance
            if old is None or old.key in kept:
                nodes.append(node)
                continue
            nodes.append(replace(node, instance=self._instance(old)))
        if all(new.instance is old.instance for new, old in zip(nodes, graph.nodes, strict=True)):
            return graph
        return replace(graph, nodes=tuple(nodes))

    def _instance(self, old: Instance) -> Instance:
        """The instance with folded graphs: one object for all of its uses."""
        if old in self._made:
            return self._made[old]
        made = self._made[old] = with_graphs(old, self.became)
        if old in self._shared:
            self._shared.add(made)
        return made

    def _inconsistent(self, graph: Graph) -> set[str]:
        """Keys of shared blocks that were folded differently for different inputs."""
        found: dict[str, set[int]] = {}
        for node in graph.nodes:
            if node.callee is not None and node.instance is not None and node.instance.key:
                way = self._ways[self.became[node.callee]]
                found.setdefault(node.instance.key, set()).add(way)
        return {key for key, ways in found.items() if len(ways) > 1}

    def _way(self, graph: Graph) -> int:
        """A number for the way in which a graph and all below it were folded."""
        ways = [
            (item.path, self._ways.get(below_it))
            for item in owned(graph)
            for below_it in subgraphs(item.instance)
        ]
        return self._numbers.setdefault(
            (self.steps.get(graph, ()), tuple(ways)), len(self._numbers)
        )


def _across(graphs: tuple[Graph, ...]) -> set[Instance]:
    """The instances that a block uses in several graphs: its own and those of regions."""
    found: set[Instance] = set()
    for graph in graphs:
        met: set[Instance] = set()
        for item in dict.fromkeys((graph, *held(graph))):
            mine = {node.instance for node in item.nodes if node.instance is not None}
            found |= met & mine
            met |= mine
    return found
