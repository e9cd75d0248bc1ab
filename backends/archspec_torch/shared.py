"""Shared blocks on several shapes: one set of weights, and one class that must serve all.

Such a block is specialised once for each shape, with an instance each under one key. The class is
written for the first; the others call it, which is right where only sizes differ.
"""

from __future__ import annotations

from collections.abc import Iterator

from archspec.diagnostics.model import CompileFailed, diagnostic
from archspec.graph.model import Graph, Instance, Node
from archspec.ops.base import Op
from archspec.types.dim import Dim


def aliases(graph: Graph) -> Iterator[tuple[Instance, Instance]]:
    """Further instances of what is shared, each with the one that stands for it.

    Raises CompileFailed (E0822) where a shape would need other code than the first.
    """
    first = {instance.key: instance for instance in graph.instances if instance.key}
    seen: set[int] = set()
    for node in graph.nodes:
        instance = node.instance
        if instance is None or not instance.key or first[instance.key] is instance:
            continue
        if id(instance) not in seen:
            seen.add(id(instance))
            yield _matched(instance, first[instance.key]), first[instance.key]


def _matched(instance: Instance, first: Instance) -> Instance:
    assert instance.graph is not None
    assert first.graph is not None
    if same_code(instance.graph, first.graph):
        return instance
    raise CompileFailed(
        [
            diagnostic(
                "E0822",
                f"`{instance.graph.name}` is shared, but differs here in more than sizes",
                instance.origin.span,
                secondary=[(first.origin.span, "its first use")],
            )
        ]
    )


def same_code(left: Graph, right: Graph) -> bool:
    """Whether two graphs differ in sizes of data only."""
    pairs = [(left, right)]
    seen: set[tuple[int, int]] = set()
    while pairs:
        one, two = pairs.pop()
        if (id(one), id(two)) in seen or one is two:
            continue
        seen.add((id(one), id(two)))
        if len(one.nodes) != len(two.nodes) or one.output_ports != two.output_ports:
            return False
        for a, b in zip(one.nodes, two.nodes, strict=True):
            if not _same_node(a, b):
                return False
            if a.callee is not None and b.callee is not None:
                pairs.append((a.callee, b.callee))
    return True


def _same_node(left: Node, right: Node) -> bool:
    if left.inputs != right.inputs or len(left.types) != len(right.types):
        return False
    if (left.callee is None) != (right.callee is None):
        return False
    one, two = left.op, right.op
    if one is None or two is None:
        return one is two
    return type(one) is type(two) and _constants(one) == _constants(two)


def _constants(op: Op) -> dict[str, object]:
    """Attributes, without sizes that are read from the data at run time."""
    return {name: _without_sizes(getattr(op, name)) for name in type(op).model_fields}


def _without_sizes(value: object) -> object:
    if isinstance(value, tuple):  # as of `rearrange` and `crop`
        return tuple(map(_without_sizes, value))
    return "size" if isinstance(value, Dim) else value
