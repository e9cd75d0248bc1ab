"""The bodies of loops as blocks, so that a repeated layer is a class with a method.

An iteration of a `for` whose weights are all below one name, such as `layers.3`, that has the same
structure as another iteration and is not a simple chain, becomes a call of a block with that name:
its weights keep their names.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from archspec.graph.compiled import Compiled
from archspec.graph.edit import Edit
from archspec.graph.expression import Name
from archspec.graph.mapping import mapped_from
from archspec.graph.model import Graph, Instance, Node
from archspec.graph.units import Memo, Unit, plan

MOST_WORK = 1_000_000
"""Limit on nodes of a graph times iterations in it; larger graphs are unchanged."""


def with_loop_bodies(networks: Sequence[Compiled]) -> list[Compiled]:
    """The networks with iterations as calls; graphs that they share are still shared."""
    chosen: dict[Graph, frozenset[str]] = {}
    memo: Memo = {}
    for network in networks:
        for unit in plan(network, memo):
            chosen.update(_chosen(unit))

    def change(graph: Graph, now: Graph) -> Graph:
        return _outlined(now, chosen.get(graph, frozenset()))

    roots = [root for network in networks for root in (network.inference, network.training)]
    became = mapped_from(roots, change)
    return [
        replace(network, inference=became[network.inference], training=became[network.training])
        for network in networks
    ]


def _chosen(unit: Unit) -> Iterator[tuple[Graph, frozenset[str]]]:
    """The names of the chosen iterations of each graph of a unit, in both modes and all uses."""
    graphs = unit.all_graphs
    found = [_names(graph) for graph in graphs]
    common = frozenset.intersection(*found) if found else frozenset()
    yield from ((graph, common) for graph in graphs)


def _names(graph: Graph) -> frozenset[str]:
    if graph.kind in ("region", "buffer"):
        return frozenset()
    found: set[str] = set()
    for depth in range(max((len(node.iterations) for node in graph.nodes), default=0)):
        groups = _groups(graph.nodes, depth)
        if len(groups) * len(graph.nodes) > MOST_WORK:
            return frozenset()
        by_loop: dict[object, list[str]] = {}
        for nodes in groups:
            around, last = nodes[0].iterations[:depth], nodes[0].iterations[depth]
            if prefix := _prefix(graph, nodes):
                alike = around, last.loop, _form(graph, nodes, prefix)
                by_loop.setdefault(alike, []).append(prefix)
        found.update(*(some for some in by_loop.values() if len(some) > 1))
    return frozenset(found)


def _groups(nodes: Sequence[Node], depth: int) -> list[list[Node]]:
    """The nodes of each iteration of the loops at nesting level `depth`."""
    groups: dict[object, list[Node]] = {}
    for node in nodes:
        if len(node.iterations) > depth:
            groups.setdefault(node.iterations[: depth + 1], []).append(node)
    return list(groups.values())


def _prefix(graph: Graph, nodes: Sequence[Node]) -> str:
    """The common prefix of all weights of an iteration and of no others; empty if there is none."""
    keys = [_key(node).split(".") for node in nodes if _owns(graph, node)]
    if not all(map(all, keys)) or not keys or _is_chain(nodes):
        return ""
    own = {node.id for node in nodes}
    others = [_key(node).split(".") for node in graph.nodes if node.id not in own]
    for length in range(1, min(map(len, keys))):
        start = keys[0][:length]
        if any(key[:length] != start for key in keys):
            return ""
        if all(other[:length] != start for other in others):
            return ".".join(start)
    return ""


def _form(graph: Graph, nodes: Sequence[Node], prefix: str) -> tuple[tuple[str, str], ...]:
    """The common structure of equal iterations: the kinds of layers, and their relative names."""
    return tuple(
        (
            node.instance.title if node.instance is not None else "",
            _key(node)[len(prefix) :] if _owns(graph, node) else "",
        )
        for node in nodes
    )


def _key(node: Node) -> str:
    return node.instance.key if node.instance is not None else ""


def _owns(graph: Graph, node: Node) -> bool:
    """Whether the name is a part of names of weights."""
    return node.runs_graphs or bool(graph.parameters_of(node))


def _is_chain(nodes: Sequence[Node]) -> bool:
    """Whether it is one layer, or a chain of named layers that reads one input."""
    if len(nodes) == 1:
        return True
    if len(nodes[0].inputs) != 1:
        return False
    for before, node in pairwise(nodes):
        if [port.node for port in node.inputs] != [before.id]:
            return False
    return all(node.instance is not None and node.instance.key for node in nodes)


def _outlined(graph: Graph, prefixes: Collection[str]) -> Graph:
    """The graph with calls for these iterations, inner ones first."""
    if not prefixes:
        return graph
    deepest = max(len(node.iterations) for node in graph.nodes)
    current = graph
    for depth in reversed(range(deepest)):
        found = [(nodes, _prefix(current, nodes)) for nodes in _groups(current.nodes, depth)]
        found = [(nodes, prefix) for nodes, prefix in found if prefix in prefixes]
        edit = Edit(_freed(current, found))
        for nodes, prefix in found:
            _outline(edit, graph, nodes, prefix)
        current = edit.graph()
    return current


def _freed(graph: Graph, groups: Sequence[tuple[list[Node], str]]) -> Graph:
    """The graph without names of nodes that own nothing, except those below their iteration."""
    instances: dict[Instance, Instance] = {}
    nodes = {node.id: node for node in graph.nodes}
    for group, prefix in groups:
        for node in group:
            old = node.instance
            if old is None or _owns(graph, node) or old.key.startswith(f"{prefix}."):
                continue
            unnamed = instances.setdefault(old, replace(old, key=""))
            nodes[node.id] = replace(node, instance=unnamed)
    return replace(graph, nodes=tuple(nodes.values())) if instances else graph


def _outline(edit: Edit, graph: Graph, nodes: Sequence[Node], prefix: str) -> None:
    try:
        call = edit.outline([node.id for node in nodes], _name(prefix, graph), prefix)
    except ValueError:  # a layer that iterations share
        return
    instance = call.instance
    assert instance is not None
    assert instance.graph is not None
    instance.graph = replace(
        instance.graph,
        names=graph.names,
        definitions=graph.definitions,
        decisive=graph.decisive,
    )
    instance.source = {name: Name(name) for name in graph.names}


def _name(prefix: str, graph: Graph) -> str:
    """`encoder.layers.0` is an `encoder_layer`, and so is `layers.0` in a block `encoder`.

    `hidden2` is a `hidden`.
    """
    words = [word for word in prefix.split(".") if not word.isdecimal()]
    if not words:
        return f"{graph.name}_layer"
    last = words[-1] = words[-1].rstrip("0123456789").rstrip("_") or words[-1]
    if last.endswith("s") and not last.endswith("ss"):
        words[-1] = last[:-1]
    if graph.kind != "network" and not words[0].startswith(graph.name):
        words.insert(0, graph.name)
    return "_".join(words[-2:])
