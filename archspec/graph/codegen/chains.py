"""Containers of names whose layers run in sequence, which can be sequential modules."""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterable, Sequence

from archspec.graph.model import Graph, Node, Port
from archspec.graph.names import prefixes
from archspec.graph.units import Unit


def chains(
    unit: Unit, chainable: Container[str], allowed: Callable[[Collection[str]], bool]
) -> frozenset[str]:
    """Paths of containers that are chains in every mode in which they occur.

    `chainable` are the keys of possible links, which map one tensor to one tensor. `allowed` says
    whether a sequential module can have children with these names.
    """
    taken = {owned.key for owned in unit.owned}
    wanted: dict[str, set[str]] = {}
    for owned in unit.owned:
        for prefix in prefixes(owned.key):
            wanted.setdefault(prefix, set()).add(owned.key)
    found = {
        prefix
        for prefix, keys in wanted.items()
        if prefix not in taken and not _nested(keys) and allowed(_children(prefix, keys))
    }
    for graph in unit.all_graphs:
        below, links = nodes_below(graph), _links(graph)
        for prefix in list(found):
            nodes = below.get(prefix, [])
            keys = [node.instance.key for node in nodes if node.instance is not None]
            whole = set(keys) == wanted[prefix] and len(keys) == len(wanted[prefix])
            fits = whole and _is_chain(nodes, links, chainable) and _is_grouped(keys, prefix)
            if nodes and not fits:
                found.discard(prefix)
    return frozenset(found)


def nodes_below(graph: Graph) -> dict[str, list[Node]]:
    """For each prefix of keys, the nodes whose instances are below it."""
    found: dict[str, list[Node]] = {}
    for node in graph.nodes:
        if node.instance is not None:
            for prefix in prefixes(node.instance.key):
                found.setdefault(prefix, []).append(node)
    return found


def is_inside(key: str, containers: Container[str]) -> bool:
    """Whether a key is below one of these paths."""
    return any(prefix in containers for prefix in prefixes(key))


def _nested(keys: Collection[str]) -> bool:
    """Whether one of them is inside another one: a module does not run modules added to it."""
    return any(prefix in keys for key in keys for prefix in prefixes(key))


def _children(prefix: str, keys: Iterable[str]) -> set[str]:
    """Names directly below a path."""
    return {key[len(prefix) + 1 :].split(".")[0] for key in keys}


def _links(graph: Graph) -> frozenset[int]:
    """Nodes whose one output has one reader and is not an output of the graph."""
    readers = graph.consumers
    results = {port.node for port in graph.output_ports}
    return frozenset(
        node.id
        for node in graph.nodes
        if len(node.types) == 1
        and node.id not in results
        and len(readers.get(Port(node.id), ())) == 1
    )


def _is_chain(nodes: Sequence[Node], links: frozenset[int], chainable: Container[str]) -> bool:
    """Whether each node reads only the previous one, and has no other reader."""
    for at, node in enumerate(nodes):
        if node.instance is None or node.instance.key not in chainable:
            return False
        if len(node.inputs) != 1 or len(node.types) != 1:
            return False
        if at and (node.inputs[0].node != nodes[at - 1].id or nodes[at - 1].id not in links):
            return False
    return True


def _is_grouped(keys: Sequence[str], prefix: str) -> bool:
    """Whether the layers below each child are contiguous."""
    components = [key[len(prefix) + 1 :].split(".")[0] for key in keys]
    starts = [name for at, name in enumerate(components) if not at or components[at - 1] != name]
    return len(starts) == len(set(starts))
