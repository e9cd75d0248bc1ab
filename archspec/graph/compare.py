"""Whether two graphs are the same: the same ops on the same types, wired in the same way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256

import networkx

from archspec.graph.model import Graph, Instance, Node, Requirement, subgraphs
from archspec.graph.walk import walk
from archspec.ops.base import Op


def fingerprint(graph: Graph) -> str:
    """64 hexadecimal digits that are equal for equal graphs.

    They depend on kinds and names of blocks, ops with their attributes, keys, types, wiring,
    outputs, needs on sizes, initial values, ties and draws, in the graph and in all graphs below
    it. They do not depend on places in the source or on the arguments of a block. They are the same
    in every process, for one version of archspec.
    """
    return fingerprints(graph)[graph]


def fingerprints(graph: Graph) -> dict[Graph, str]:
    """The fingerprints of a graph and of all graphs below it."""
    found: dict[Graph, str] = {}
    for item in walk(graph):
        found[item] = _digest(line for part in _parts(item, found) for line in part)
    return found


def part_fingerprints(graph: Graph) -> dict[Graph, tuple[str, ...]]:
    """Fingerprints of each node, then of the rest, for a graph and its callees, callees first."""
    below: dict[Graph, str] = {}
    found: dict[Graph, tuple[str, ...]] = {}
    for item in walk(graph):
        parts = _parts(item, below)
        below[item] = _digest(line for part in parts for line in part)
        head, *nodes, tail = map(_digest, parts)
        found[item] = (*nodes, head + tail)
    return found


def _digest(lines: Iterable[str]) -> str:
    return sha256("\n".join(lines).encode()).hexdigest()


def _parts(graph: Graph, below: Mapping[Graph, str]) -> list[list[str]]:
    """A graph as lines, each in a canonical form: its header, each node, the rest."""
    used: dict[Instance | None, int] = {}
    parts = [[repr((graph.kind, graph.name, graph.frozen))]]
    for node in graph.nodes:
        one = used.setdefault(node.instance, len(used))
        ports = graph.places(node.inputs)
        name = node.name if node.is_input else ""
        label = repr((one, _owner(node.instance, below), ports, _texts(node.types), name))
        parts.append([label, *_needs(node.requirements)])
    lines: list[str] = []
    for output in graph.outputs:
        ports = graph.places(output.ports)
        lines.append(repr((output.name, ports, output.structure)))
    lines += _needs(graph.requirements)
    for rule in graph.init_rules:
        lines.append(repr((rule.op, rule.parameter, type(rule.initialiser), rule.initialiser)))
    lines += [repr((tie.name, tie.source)) for tie in graph.ties]
    lines += [repr((draw.name, draw.policy, draw.ratio)) for draw in graph.draws]
    return [*parts, lines]


def _owner(instance: Instance | None, below: Mapping[Graph, str]) -> object:
    if instance is None:
        return None
    regions = [
        (region.name, region.key, region.captured, below[region.graph])
        for region in instance.regions
    ]
    callee = below[instance.graph] if instance.graph is not None else None
    own = _op(instance.op) if instance.op is not None else None
    return instance.key, own, callee, regions, sorted(instance.explicit), instance.frozen


def _op(op: Op) -> tuple[str, list[tuple[str, str, str]]]:
    fields = [
        (name, type(getattr(op, name)).__name__, repr(getattr(op, name)))
        for name in type(op).model_fields
    ]
    return op.name, fields


def _texts(items: tuple[object, ...]) -> list[str]:
    return [str(item) for item in items]


def _needs(needs: tuple[Requirement, ...]) -> list[str]:
    return [repr((str(need.condition), need.training_only, need.chosen)) for need in needs]


def isomorphic(left: Graph, right: Graph) -> bool:
    """Whether two graphs are equal except for the order of their nodes.

    For small graphs: the time may grow with the factorial of the number of nodes that look alike.
    """
    below = fingerprints(left) | fingerprints(right)
    if _ends(left) != _ends(right):
        return False
    return networkx.is_isomorphic(
        _marked(left, below),
        _marked(right, below),
        node_match=lambda one, two: one["label"] == two["label"],
        edge_match=lambda one, two: (
            {key: edge["output"] for key, edge in one.items()}
            == {key: edge["output"] for key, edge in two.items()}
        ),
    )


def _ends(graph: Graph) -> object:
    """The parts of a graph besides its nodes."""
    outputs = [(item.name, item.structure, len(item.ports)) for item in graph.outputs]
    return graph.kind, graph.name, graph.frozen, outputs, set(_needs(graph.requirements))


def _marked(graph: Graph, below: Mapping[Graph, str]) -> networkx.MultiDiGraph[int]:
    """The NetworkX graph, with nodes labelled by their contents and their results."""
    marked = graph.wires.copy()
    for node in graph.nodes:
        yields = [
            (at, port.index) for at, port in enumerate(graph.output_ports) if port.node == node.id
        ]
        place = graph.inputs.index(node) if node.is_input else None
        owner = _owner(node.instance, below)
        needs = sorted(_needs(node.requirements))
        marked.nodes[node.id]["label"] = repr((owner, _texts(node.types), needs, yields, place))
    return marked


def same_graph(left: Graph, right: Graph) -> bool:
    """Whether two graphs compute the same with weights of the same names."""
    pairs = [(left, right)]
    seen: set[tuple[Graph, Graph]] = set()
    while pairs:
        one, two = pairs.pop()
        if one is two or (one, two) in seen:
            continue
        seen.add((one, two))
        if len(one.nodes) != len(two.nodes) or _outputs(one) != _outputs(two):
            return False
        for a, b in zip(one.nodes, two.nodes, strict=True):
            if not _same_node(a, b) or one.places(a.inputs) != two.places(b.inputs):
                return False
            if a.instance is not None and b.instance is not None:
                below = zip(subgraphs(a.instance), subgraphs(b.instance), strict=True)
                pairs += [pair for pair in below if pair[0] is not pair[1]]
    return True


def _outputs(graph: Graph) -> list[object]:
    return [(item.name, graph.places(item.ports), item.structure) for item in graph.outputs]


def same_instance(left: Instance, right: Instance) -> bool:
    """Whether two instances of one name are equal: op, block, and the layers of the op."""
    if left.op != right.op or left.graph is not right.graph:
        return False
    if [(item.name, item.key) for item in left.regions] != [
        (item.name, item.key) for item in right.regions
    ]:
        return False
    pairs = zip(left.regions, right.regions, strict=True)
    return all(same_graph(one.graph, two.graph) for one, two in pairs)


def _same_node(left: Node, right: Node) -> bool:
    if left.types != right.types:
        return False
    one, two = left.instance, right.instance
    if one is None or two is None:
        return one is two
    kinds = [(item.graph is None, [(r.name, r.key) for r in item.regions]) for item in (one, two)]
    return (one.key, one.op) == (two.key, two.op) and kinds[0] == kinds[1]
