"""Putting the nodes of blocks in place of their calls."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from archspec.diagnostics.model import Frame
from archspec.frozen import frozen
from archspec.graph.model import Graph, Instance, Node, Origin, Port, Requirement
from archspec.graph.names import join_path


@frozen
class Opened:
    """A graph in which calls were opened. `origins` has, by node of it, that which it was in."""

    graph: Graph
    origins: tuple[int, ...]


def opened(graph: Graph, calls: Collection[int]) -> Opened:
    """The graph with the nodes of some of the blocks that it calls in place of the calls."""
    nodes: list[Node] = []
    origins: list[int] = []
    ports: dict[Port, Port] = {}
    requirements = list(graph.requirements)
    for node in graph.nodes:
        inputs = tuple(ports[port] for port in node.inputs)
        if node.id not in calls:
            for index in range(len(node.types)):
                ports[Port(node.id, index)] = Port(len(nodes), index)
            nodes.append(replace(node, id=len(nodes), inputs=inputs))
        else:
            callee = node.callee
            assert callee is not None
            inner = {Port(one.id): port for one, port in zip(callee.inputs, inputs, strict=True)}
            _insert(nodes, inner, node, callee)
            if node.id in graph.computed:
                requirements += (_below(item, callee, node) for item in callee.requirements)
            for index, port in enumerate(callee.output_ports):
                ports[Port(node.id, index)] = inner[port]
        origins += [node.id] * (len(nodes) - len(origins))
    outputs = tuple(
        replace(output, ports=tuple(ports[port] for port in output.ports))
        for output in graph.outputs
    )
    changed = replace(graph, nodes=tuple(nodes), outputs=outputs, requirements=tuple(requirements))
    return Opened(changed, tuple(origins))


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
