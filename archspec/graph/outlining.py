"""Moving some nodes of a graph into a block."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from archspec.frozen import frozen
from archspec.graph.model import Graph, GraphOutput, Instance, Iteration, Node, Port
from archspec.graph.walk import walk
from archspec.types.tensor import TensorType


@frozen
class Outline:
    """A block, the inputs of its call, and the ports that its results replace."""

    graph: Graph
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]


def outline(
    nodes: Sequence[Node],
    name: str,
    key: str,
    type_of: Callable[[Port], TensorType],
    is_read: Callable[[Port], bool],
) -> Outline:
    """The block of these nodes, which are in order; `is_read` says which ports other nodes read.

    Nodes keep their numbers, and their keys without the prefix `key`, that of the call. Raises
    ValueError if a key does not have this prefix.
    """
    own = {node.id for node in nodes}
    read = ports_read(nodes)
    first = max(own | {port.node for port in read}) + 1
    names = [f"x{at}" for at in range(len(read))] if len(read) > 1 else ["x"]
    inputs = [
        Node(first + at, None, (), (type_of(port),), name=names[at], rank=(-1, at))
        for at, port in enumerate(read)
    ]
    ports = {port: Port(node.id) for port, node in zip(read, inputs, strict=True)}
    instances: dict[Instance, Instance] = {}
    iterations = shared_iterations(nodes)
    inside = [
        replace(
            node,
            instance=_below(node.instance, key, instances),
            inputs=tuple(ports.get(port, port) for port in node.inputs),
            iterations=node.iterations[len(iterations) :],
        )
        for node in nodes
    ]
    made = [Port(node.id, index) for node in nodes for index in range(len(node.types))]
    outputs = tuple(port for port in made if is_read(port))
    structure = None if len(outputs) == 1 else (None,) * len(outputs)
    graph = Graph(
        name,
        "block",
        (*inputs, *inside),
        (GraphOutput("output", outputs, structure),),
        input_structures=(None,) * len(inputs),
        origin=nodes[0].origin,
    )
    return Outline(graph, read, outputs)


def ports_read(nodes: Sequence[Node]) -> tuple[Port, ...]:
    """The ports of other nodes that these nodes read, in the order in which they do."""
    own = {node.id for node in nodes}
    found = dict.fromkeys(port for node in nodes for port in node.inputs if port.node not in own)
    return tuple(found)


def shared_iterations(nodes: Sequence[Node]) -> tuple[Iteration, ...]:
    """The iterations of loops that contain all of the nodes, outermost first."""
    found = nodes[0].iterations
    for node in nodes:
        same = [one == two for one, two in zip(found, node.iterations, strict=False)]
        found = found[: same.index(False) if False in same else len(same)]
    return found


def used(nodes: Iterable[Node]) -> Mapping[Instance | str, Node]:
    """The named instances of nodes and of the layers of their ops, and their own names."""
    found: dict[Instance | str, Node] = {}
    for node in nodes:
        if node.instance is None:
            continue
        if node.instance.key:
            found[node.instance] = found[node.instance.key] = node
        for region in node.instance.regions:
            for graph in walk(region.graph):
                found.update({one: node for one in graph.instances if one.key})
    return found


def _below(old: Instance | None, key: str, instances: dict[Instance, Instance]) -> Instance:
    assert old is not None
    if old not in instances:
        if old.key and not old.key.startswith(f"{key}."):
            raise ValueError(f"the key `{old.key}` does not lead through `{key}`")
        rest = old.key[len(key) + 1 :]
        instances[old] = replace(old, key=rest) if rest != old.key else old
    return instances[old]
