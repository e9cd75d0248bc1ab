"""A network for inference in which batch norms have gone into the layers beside them.

In inference a batch norm multiplies each channel by a number and adds one, and so do LayerScale
and other products with a parameter. Behind a convolution or linear layer, or in front of it,
that is the same layer with other weights: y = s (W x + b) + t = (s W) x + (s b + t) (Jacob et
al., arXiv:1712.05877, section 3.2). Convolutions of one input that are added, as in RepVGG (Ding
et al., arXiv:2101.03697) and UniRepLKNet (arXiv:2311.15599, section 3.2), are one convolution.

Each block is folded once, however often it is called. A call is opened where a block ends in a
layer and a norm follows, or the reverse. Weights used twice, and what stands in regions, stay.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from archspec.analysis.scope import owned
from archspec.diagnostics.model import Frame
from archspec.graph.compiled import Compiled
from archspec.graph.model import (
    Graph,
    Instance,
    Node,
    Origin,
    Port,
    Region,
    Requirement,
    walk,
)
from archspec.graph.names import join_path
from archspec.passes.folding.ends import Ends, Look
from archspec.passes.folding.steps import Step, below
from archspec.passes.folding.sweep import sweep


@dataclass(frozen=True, eq=False)
class Folding:
    """A folded network, the one that it was made of, and per block what happens to its weights."""

    whole: Compiled
    compiled: Compiled
    by_graph: Mapping[Graph, tuple[Step, ...]]

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """All steps, by full names. As many as the network has instances of what was folded."""
        return tuple(self._steps())

    def _steps(self) -> Iterator[Step]:
        stack = [("", self.compiled.inference)]
        while stack:
            prefix, graph = stack.pop()
            for step in self.by_graph.get(graph, ()):
                yield below(step, prefix)
            for item in owned(graph):
                if item.instance.graph is not None:
                    stack.append((join_path(prefix, item.path), item.instance.graph))


def fold(compiled: Compiled) -> Folding:
    """Fold the inference graph, which is then that of training too. Names of weights stay."""
    work = _Folder()
    for graph in walk(compiled.inference):
        work.take(graph)
    graph = work.became[compiled.inference]
    name = f"{compiled.name}_folded"
    folded = replace(compiled, name=name, inference=graph, training=graph)
    return Folding(compiled, folded, work.steps)


class _Folder:
    """Folds graphs, callees before callers."""

    def __init__(self) -> None:
        self.became: dict[Graph, Graph] = {}
        self.steps: dict[Graph, tuple[Step, ...]] = {}
        self._ends: dict[Graph, Ends] = {}

    def take(self, graph: Graph) -> None:
        """Fold one graph whose callees are folded. In what an op holds, only the callees are."""
        now = self._recalled(graph)
        if graph.kind not in ("region", "buffer"):
            now = self._folded(now)
        self.became[graph] = now

    def _folded(self, graph: Graph) -> Graph:
        """What stands in a graph is folded, calls are opened, and what then stands in it folded."""
        steps: list[Step] = []
        while True:
            before = graph
            graph, more = sweep(graph)
            graph = _still_required(before, graph)
            steps += more
            look = Look(graph, self._ends)
            calls = look.to_open()
            if not calls:
                break
            for call in (graph.nodes[at] for at in sorted(calls)):
                assert call.instance is not None
                assert call.callee is not None
                key = call.instance.key
                steps += (below(step, key) for step in self.steps.get(call.callee, ()))
            graph = opened(graph, calls)
        self._ends[graph] = look.ends()
        if steps:
            self.steps[graph] = tuple(steps)
        return graph

    def _recalled(self, graph: Graph) -> Graph:
        """The graph with calls of what the blocks below have become."""
        made: dict[int, Instance] = {}
        nodes: list[Node] = []
        kept = self._inconsistent(graph)
        for node in graph.nodes:
            old = node.instance
            if old is not None and id(old) not in made:
                made[id(old)] = old if old.key in kept else self._instance(old)
            nodes.append(node if old is None else replace(node, instance=made[id(old)]))
        if all(new.instance is old.instance for new, old in zip(nodes, graph.nodes, strict=True)):
            return graph
        return replace(graph, nodes=tuple(nodes))

    def _instance(self, old: Instance) -> Instance:
        graph = self.became[old.graph] if old.graph is not None else None
        regions = tuple(
            Region(item.name, item.key, self.became[item.graph], item.captured)
            for item in old.regions
        )
        same = graph is old.graph and all(
            new.graph is item.graph for new, item in zip(regions, old.regions, strict=True)
        )
        return old if same else replace(old, graph=graph, regions=regions)

    def _inconsistent(self, graph: Graph) -> set[str]:
        """Keys of shared blocks that were folded in different ways for different inputs."""
        found: dict[str, set[tuple[Step, ...]]] = {}
        for node in graph.nodes:
            if node.callee is not None and node.instance is not None:
                steps = self.steps.get(self.became[node.callee], ())
                found.setdefault(node.instance.key, set()).add(steps)
        return {key for key, ways in found.items() if len(ways) > 1}


def opened(graph: Graph, calls: set[int]) -> Graph:
    """The graph with the nodes of some of the blocks that it calls in place of the calls."""
    nodes: list[Node] = []
    ports: dict[Port, Port] = {}
    requirements = list(graph.requirements)
    for node in graph.nodes:
        inputs = tuple(ports[port] for port in node.inputs)
        if node.id not in calls:
            for index in range(len(node.types)):
                ports[Port(node.id, index)] = Port(len(nodes), index)
            nodes.append(replace(node, id=len(nodes), inputs=inputs))
            continue
        callee = node.callee
        assert callee is not None
        inner = {Port(one.id): port for one, port in zip(callee.inputs, inputs, strict=True)}
        _insert(nodes, inner, node, callee)
        if node.id in graph.computed:
            requirements += (_below(item, callee, node) for item in callee.requirements)
        for index, port in enumerate(callee.output_ports):
            ports[Port(node.id, index)] = inner[port]
    outputs = tuple(
        replace(output, ports=tuple(ports[port] for port in output.ports))
        for output in graph.outputs
    )
    return replace(graph, nodes=tuple(nodes), outputs=outputs, requirements=tuple(requirements))


def _still_required(before: Graph, after: Graph) -> Graph:
    """The graph after a sweep, with what the layers that are gone needed of the sizes."""
    kept = {item for node in after.nodes for item in node.requirements}
    lost = tuple(item for item in before.size_requirements if item not in kept)
    return after if lost == after.requirements else replace(after, requirements=lost)


def _insert(nodes: list[Node], ports: dict[Port, Port], call: Node, callee: Graph) -> None:
    assert call.instance is not None
    made: dict[int, Instance] = {}
    for node in callee.nodes:
        if node.instance is None:
            continue
        key = node.instance.key and join_path(call.instance.key, node.instance.key)
        fresh = made.setdefault(id(node.instance), replace(node.instance, key=key))
        for index in range(len(node.types)):
            ports[Port(node.id, index)] = Port(len(nodes), index)
        nodes.append(
            replace(
                node,
                id=len(nodes),
                instance=fresh,
                inputs=tuple(ports[port] for port in node.inputs),
                origin=_called(node.origin, callee, call),
                turns=call.turns,
                requirements=tuple(_below(item, callee, call) for item in node.requirements),
            )
        )


def _below(item: Requirement, callee: Graph, call: Node) -> Requirement:
    return replace(item, origin=_called(item.origin, callee, call))


def _called(origin: Origin, callee: Graph, call: Node) -> Origin:
    frame = Frame(callee.name, call.origin.span)
    return replace(origin, frames=(*origin.frames, frame, *call.origin.frames))
