"""Removal of nodes that no output needs, across block boundaries and in regions.

A block of which a caller needs fewer outputs is specialised again, once per set of outputs. Keys
of instances are kept, so a state dict of the result is a subset of the old one, with the same
names. Unchanged parts remain the same objects. A region keeps its outputs and the inputs that its
op passes to it, and loses captures that it no longer needs; a buffer keeps its value.

The needs of a node on sizes are removed with the node. A call that only returns its inputs is
removed; its needs are then added to the readers of these inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from archspec.analysis.fold import memoised
from archspec.frozen import frozen
from archspec.graph.edit import below_call
from archspec.graph.inference import other_needs
from archspec.graph.model import (
    Graph,
    GraphOutput,
    Instance,
    Node,
    Port,
    Region,
    Requirement,
    Structure,
    leaves,
)
from archspec.graph.ties import with_ties_left

Bypass: TypeAlias = Callable[[Node], "int | None"]
"""For an op node, the index of the input that replaces its output; None keeps the node."""


@frozen
class Demand:
    """A graph and its needed outputs (flattened), in order.

    The first `kept` inputs are kept, even if they are not needed.
    """

    graph: Graph
    outputs: tuple[int, ...]
    kept: int = 0


@frozen
class Pruned:
    """The remaining graph.

    `inputs` are the indices of the remaining inputs; `forwards` maps outputs of the new graph to
    the inputs of the old one that they return.
    """

    graph: Graph
    inputs: tuple[int, ...]
    forwards: Mapping[int, int]


class Pruner:
    """Prunes graphs that share blocks, with one memo; used for both modes of a network."""

    def __init__(self, bypass: Bypass = lambda node: None) -> None:
        self._bypass = bypass
        self._memo: dict[Demand, Pruned] = {}

    def network(self, graph: Graph) -> Graph:
        """A whole network: all outputs are needed, and all inputs are kept."""
        demand = _everything(graph, len(graph.inputs))
        return memoised(demand, self._step, self._memo).graph

    def _step(self, demand: Demand) -> Generator[Demand, Pruned, Pruned]:
        graph, outputs = demand.graph, demand.outputs
        needed = {graph.output_ports[index] for index in outputs}
        needed |= {Port(node.id) for node in graph.inputs[: demand.kept]}
        calls: dict[int, tuple[tuple[int, ...], Pruned]] = {}
        held: dict[int, tuple[Pruned, ...]] = {}
        for node in reversed(graph.nodes):
            asked = tuple(i for i in range(len(node.types)) if Port(node.id, i) in needed)
            if not asked:
                continue
            if node.callee is not None:
                if _is_shared(graph, node):
                    asked = tuple(range(len(node.types)))
                below = yield Demand(node.callee, asked)
                calls[node.id] = asked, below
                needed |= {node.inputs[index] for index in below.inputs}
                continue
            one = self._bypass(node) if node.instance is not None else None
            if one is not None:
                needed.add(node.inputs[one])
                continue
            parts: list[Pruned] = []
            for region in _regions(node):
                own = len(region.graph.inputs) - region.captured
                parts.append((yield _everything(region.graph, own)))
            held[node.id] = tuple(parts)
            needed |= {node.inputs[index] for index in _inputs_read(node, held[node.id])}
        return _rebuild(graph, outputs, needed, calls, held, self._bypass)


def _everything(graph: Graph, kept: int) -> Demand:
    return Demand(graph, tuple(range(len(graph.output_ports))), kept)


def _regions(node: Node) -> tuple[Region, ...]:
    """The layers of an op; the value of a buffer is not one."""
    regions = node.instance.regions if node.instance is not None else ()
    return tuple(region for region in regions if region.graph.kind != "buffer")


def _inputs_read(node: Node, held: tuple[Pruned, ...]) -> tuple[int, ...]:
    """The inputs of an op that are needed after its regions were pruned."""
    regions = _regions(node)
    place = len(node.inputs) - sum(region.captured for region in regions)
    found = [*range(place)]
    for region, part in zip(regions, held, strict=True):
        own = len(region.graph.inputs) - region.captured
        found += [place + at - own for at in part.inputs if at >= own]
        place += region.captured
    return tuple(found)


def _is_shared(graph: Graph, node: Node) -> bool:
    """Whether it represents one of several uses: of one instance, or of one name."""
    assert node.instance is not None
    key = node.instance.key
    return (
        sum(other.instance is not None and other.instance.key == key for other in graph.nodes) > 1
    )


@dataclass(slots=True)
class _Body:
    """The remaining nodes, and the new ports for the old ones."""

    nodes: dict[int, Node] = field(default_factory=dict)
    ports: dict[Port, Port] = field(default_factory=dict)
    instances: dict[Instance, Instance] = field(default_factory=dict)  # by the old one
    needs: dict[Port, tuple[Requirement, ...]] = field(default_factory=dict)
    """The additional needs for reading an old port."""

    def add(self, node: Node, inputs: Iterable[Port], **changes: object) -> None:
        """Keep a node; `inputs` are those old inputs that it still reads."""
        read = tuple(inputs)
        ports = tuple(self.ports[port] for port in read)
        self.nodes[node.id] = replace(node, inputs=ports, **changes)  # type: ignore[arg-type]
        self.require(node.id, [need for port in read for need in self.needs.get(port, ())])

    def require(self, number: int, needs: Iterable[Requirement]) -> None:
        """Add needs on sizes to a node."""
        node = self.nodes[number]
        if more := other_needs(needs, node.requirements):
            self.nodes[number] = replace(node, requirements=node.requirements + more)

    def replace_port(self, old: Port, source: Port, needs: Iterable[Requirement] = ()) -> None:
        """Replace an old port by another old one for its readers; they get the needs `needs`."""
        self.ports[old] = self.ports[source]
        if found := (*self.needs.get(source, ()), *needs):
            self.needs[old] = tuple(dict.fromkeys(found))


def _rebuild(
    graph: Graph,
    outputs: tuple[int, ...],
    needed: set[Port],
    calls: Mapping[int, tuple[tuple[int, ...], Pruned]],
    held: Mapping[int, tuple[Pruned, ...]],
    bypass: Bypass,
) -> Pruned:
    if _unchanged(graph, outputs, needed, calls, held, bypass):
        return Pruned(graph, tuple(range(len(graph.inputs))), _forwards(graph))
    body = _Body()
    for node in graph.nodes:
        if not any(Port(node.id, index) in needed for index in range(len(node.types))):
            continue
        if node.id in calls:
            _take_call(body, node, *calls[node.id])
            continue
        one = bypass(node) if node.instance is not None else None
        if one is not None:
            body.replace_port(Port(node.id), node.inputs[one])
            continue
        _take_op(body, node, held.get(node.id, ()))
        for output in range(len(node.types)):
            body.ports[Port(node.id, output)] = Port(node.id, output)
    kept = tuple(at for at, node in enumerate(graph.inputs) if Port(node.id) in needed)
    own = dict.fromkeys(graph.requirements)
    for port in (graph.output_ports[index] for index in outputs):
        needs, at = body.needs.get(port, ()), body.ports[port].node
        if body.nodes[at].is_input:
            own.update(dict.fromkeys(needs))
        else:
            body.require(at, needs)
    result = replace(
        graph,
        nodes=tuple(body.nodes.values()),
        requirements=tuple(own),
        outputs=_outputs(graph, outputs, body.ports),
        input_structures=_input_structures(graph, kept),
    )
    result = with_ties_left(result)
    forwards = {new: kept[old] for new, old in _forwards(result).items()}
    return Pruned(result, kept, forwards)


def _unchanged(
    graph: Graph,
    outputs: tuple[int, ...],
    needed: set[Port],
    calls: Mapping[int, tuple[tuple[int, ...], Pruned]],
    held: Mapping[int, tuple[Pruned, ...]],
    bypass: Bypass,
) -> bool:
    if len(outputs) != len(graph.output_ports):
        return False
    for node in graph.nodes:
        if not any(Port(node.id, index) in needed for index in range(len(node.types))):
            return False
        if node.id in calls and calls[node.id][1].graph is not node.callee:
            return False
        if node.op is not None and bypass(node) is not None:
            return False
        parts = zip(_regions(node), held.get(node.id, ()), strict=False)
        if any(part.graph is not region.graph for region, part in parts):
            return False
    return True


def _take_op(body: _Body, node: Node, held: tuple[Pruned, ...]) -> None:
    """Keep an input or an op, with its pruned regions."""
    instance = node.instance
    if instance is None or not held:
        body.add(node, node.inputs)
        return
    inputs = [node.inputs[at] for at in _inputs_read(node, held)]
    became: dict[str, Region] = {}
    for region, part in zip(_regions(node), held, strict=True):
        own = len(region.graph.inputs) - region.captured
        captured = len(part.inputs) - own
        became[region.name] = replace(region, graph=part.graph, captured=captured)
    regions = tuple(became.get(region.name, region) for region in instance.regions)
    if regions != instance.regions:
        fresh = replace(instance, regions=regions)
        instance = body.instances.setdefault(instance, fresh)
    body.add(node, inputs, instance=instance)


def _take_call(body: _Body, node: Node, asked: tuple[int, ...], below: Pruned) -> None:
    if len(below.forwards) == len(asked):  # its regions are empty
        assert node.callee is not None
        needs = (*node.requirements, *below_call(node, node.callee.requirements))
        for new, old in enumerate(asked):
            body.replace_port(Port(node.id, old), node.inputs[below.forwards[new]], needs)
        return
    instance = node.instance
    assert instance is not None
    if below.graph is not node.callee:
        fresh = replace(instance, graph=below.graph)
        instance = body.instances.setdefault(instance, fresh)
    whole = len(asked) == len(node.types)
    body.add(
        node,
        [node.inputs[at] for at in below.inputs],
        instance=instance,
        types=tuple(node.types[at] for at in asked),
        discarded=frozenset(new for new, old in enumerate(asked) if old in node.discarded),
        measured=tuple((asked.index(at), *one) for at, *one in node.measured if at in asked),
        output_structure=node.output_structure if whole else _plain(len(asked)),
    )
    for new, old in enumerate(asked):
        body.ports[Port(node.id, old)] = Port(node.id, new)


def _plain(count: int) -> Structure:
    return None if count == 1 else (None,) * count


def _outputs(
    graph: Graph, outputs: tuple[int, ...], ports: Mapping[Port, Port]
) -> tuple[GraphOutput, ...]:
    wanted, place = set(outputs), 0
    found: list[GraphOutput] = []
    for output in graph.outputs:
        here = range(place, place + len(output.ports))
        place += len(output.ports)
        kept = [graph.output_ports[index] for index in here if index in wanted]
        if not kept and output.ports:
            continue
        structure = output.structure if len(kept) == len(here) else _plain(len(kept))
        found.append(GraphOutput(output.name, tuple(ports[port] for port in kept), structure))
    return tuple(found)


def _input_structures(graph: Graph, kept: tuple[int, ...]) -> tuple[Structure, ...]:
    """Structures of the remaining inputs; one that lost a tensor becomes a flat tuple."""
    found: list[Structure] = []
    place = 0
    for structure in graph.input_structures:
        size = leaves(structure)
        left = sum(place <= at < place + size for at in kept)
        place += size
        if left:
            found.append(structure if left == size else _plain(left))
    return tuple(found)


def _forwards(graph: Graph) -> Mapping[int, int]:
    places = {Port(node.id): index for index, node in enumerate(graph.inputs)}
    return {index: places[port] for index, port in enumerate(graph.output_ports) if port in places}


def prune(graph: Graph) -> Graph:
    """The graph without nodes that none of its outputs needs."""
    return Pruner().network(graph)
