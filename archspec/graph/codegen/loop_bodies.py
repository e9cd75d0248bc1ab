"""The bodies of loops as blocks, so that a repeated layer is a class with a method.

An iteration of a `for` whose weights are all below one name, such as `layers.3`, that has the same
structure as another iteration and is not a simple chain, becomes a call of a block with that name:
its weights keep their names.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, count, pairwise

from archspec.graph.compiled import Compiled
from archspec.graph.edit import Edit
from archspec.graph.expression import Name
from archspec.graph.mapping import mapped_from
from archspec.graph.model import Graph, Instance, Node, Port
from archspec.graph.names import name_of_value
from archspec.graph.outlining import ports_read
from archspec.graph.units import Memo, Unit, plan

MOST_WORK = 1_000_000
"""Limit on nodes of a graph times iterations in it; larger graphs are unchanged."""

PARTS = ("block", "cell", "layer", "module", "stage", "step", "unit")
"""Words for one of several equal parts; other names get the word `layer`."""


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
        names = _names_of_inputs(current, found)
        edit = Edit(_freed(current, found))
        for nodes, prefix in found:
            _outline(edit, graph, nodes, prefix, names)
        current = edit.graph()
    return current


def _names_of_inputs(
    graph: Graph, groups: Sequence[tuple[list[Node], str]]
) -> dict[tuple[str, int], list[str]]:
    """The names of the inputs of the iterations of each name that read equally many values.

    A value that all iterations of a loop read, such as the memory of a decoder, has its name in the
    spec; one that each iteration gets from the previous one has a generic name.
    """
    loops: dict[tuple[str, int], dict[object, list[tuple[Port, ...]]]] = {}
    for nodes, prefix in groups:
        read = ports_read(nodes)
        loop = nodes[0].iterations[:-1], nodes[0].iterations[-1].loop
        same = loops.setdefault((_name(prefix, graph), len(read)), {})
        same.setdefault(loop, []).append(read)
    return {alike: _input_names(graph, [*same.values()]) for alike, same in loops.items()}


def _input_names(graph: Graph, loops: Sequence[Sequence[tuple[Port, ...]]]) -> list[str]:
    """One name for each position, given the ports that each iteration of each loop reads."""
    found: list[str] = []
    for at in range(len(loops[0][0])):
        by_loop = [{read[at] for read in reads} for reads in loops]
        names = {
            _bound_name(graph, next(iter(ports))) if len(ports) == 1 else "" for ports in by_loop
        }
        name = names.pop() if len(names) == 1 else ""
        found.append(name if name not in found else "")
    generic = (name for name in chain("xyzuvw", map("x{}".format, count())) if name not in found)
    return [name or next(generic) for name in found]


def _bound_name(graph: Graph, port: Port) -> str:
    node = graph.node(port.node)
    name = name_of_value(node.name, port.index, len(node.types))
    return name if name.isidentifier() else ""


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


def _outline(
    edit: Edit,
    graph: Graph,
    nodes: Sequence[Node],
    prefix: str,
    input_names: Mapping[tuple[str, int], Sequence[str]],
) -> None:
    name = _name(prefix, graph)
    try:
        call = edit.outline([node.id for node in nodes], name, prefix)
    except ValueError:  # a layer that iterations share
        return
    instance = call.instance
    assert instance is not None
    assert instance.graph is not None
    body = instance.graph
    bound = [_bound_name(body, port) for port in body.output_ports]
    call.name = ", ".join(bound) if all(bound) else ""
    names = dict(zip(body.inputs, input_names[name, len(body.inputs)], strict=True))
    instance.graph = replace(
        body,
        kind="iteration",
        origin=replace(body.origin, span=nodes[0].iterations[-1].loop),
        nodes=tuple(replace(node, name=names.get(node, node.name)) for node in body.nodes),
        names=graph.names,
        definitions=graph.definitions,
        decisive=graph.decisive,
    )
    instance.source = {name: Name(name) for name in graph.names}


def _name(prefix: str, graph: Graph) -> str:
    """`encoder.layers.0` is an `encoder_layer`, as are `encoder.0`, and `layers.0` in `encoder`.

    `hidden2` is a `hidden`.
    """
    words = [word for word in prefix.split(".") if not word.isdecimal()]
    if not words:
        return f"{graph.name}_layer"
    last = words[-1].rstrip("0123456789").rstrip("_") or words[-1]
    words = [*map(_singular, words[:-1]), _singular(last)]
    is_numbered = prefix.rpartition(".")[2].isdecimal()
    if is_numbered and words[-1] == last and not last.endswith(PARTS):
        words.append("layer")
    if graph.kind != "network" and not words[0].startswith(graph.name):
        words.insert(0, graph.name)
    return "_".join(words[-2:])


def _singular(word: str) -> str:
    """`layer` for `layers`, but `bias` for `bias`."""
    is_plural = word.endswith("s") and not word.endswith(("ss", "us", "is", "as"))
    return word[:-1] if is_plural else word
