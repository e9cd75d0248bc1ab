"""Whether two graphs are the same: the same ops on the same types, wired in the same way."""

from __future__ import annotations

from archspec.graph.model import Graph, Instance, Node, subgraphs


def same_graph(left: Graph, right: Graph) -> bool:
    """Whether two graphs do the same with weights of the same names."""
    pairs = [(left, right)]
    seen: set[tuple[int, int]] = set()
    while pairs:
        one, two = pairs.pop()
        if one is two or (id(one), id(two)) in seen:
            continue
        seen.add((id(one), id(two)))
        if len(one.nodes) != len(two.nodes) or one.outputs != two.outputs:
            return False
        for a, b in zip(one.nodes, two.nodes, strict=True):
            if not _same_node(a, b):
                return False
            if a.instance is not None and b.instance is not None:
                below = zip(subgraphs(a.instance), subgraphs(b.instance), strict=True)
                pairs += [pair for pair in below if pair[0] is not pair[1]]
    return True


def same_instance(left: Instance, right: Instance) -> bool:
    """Whether two instances of one name are the same: op, block, and what the op holds."""
    if left.op != right.op or left.graph is not right.graph:
        return False
    if [(item.name, item.key) for item in left.regions] != [
        (item.name, item.key) for item in right.regions
    ]:
        return False
    pairs = zip(left.regions, right.regions, strict=True)
    return all(same_graph(one.graph, two.graph) for one, two in pairs)


def _same_node(left: Node, right: Node) -> bool:
    if (left.inputs, left.types) != (right.inputs, right.types):
        return False
    one, two = left.instance, right.instance
    if one is None or two is None:
        return one is two
    kinds = [(item.graph is None, [(r.name, r.key) for r in item.regions]) for item in (one, two)]
    return (one.key, one.op) == (two.key, two.op) and kinds[0] == kinds[1]
