"""The instances of a block and those in the regions of its ops, without duplicates.

A region has no name of its own: its weights are named below the op. A `shared` instance may be used
in the block and in regions; it is listed once, at its first use.
"""

from __future__ import annotations

from collections.abc import Iterator

from archspec.frozen import frozen
from archspec.graph.model import Graph, InitRule, Instance, Node
from archspec.graph.names import join_path
from archspec.ops.base import Parameter


@frozen
class Owned:
    """An instance, the path of its region below the block, its first use, and the rules between."""

    prefix: str
    instance: Instance
    node: Node
    graph: Graph  # that contains the node: the block, or a region in it
    root: Node  # the node of the block itself: `node`, or the op that has the region
    rules: tuple[tuple[InitRule, ...], ...] = ()  # of the block and the regions, innermost first

    @property
    def path(self) -> str:
        """Its path below the block."""
        return join_path(self.prefix, self.instance.key)

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Tensors of the op itself; none for a call."""
        return self.graph.parameters_of(self.node)


def owned(graph: Graph) -> Iterator[Owned]:
    """The instances of a block; those of regions follow their op."""
    seen: set[Instance] = set(graph.instances)
    stack = [_uses(graph, "", (graph.init_rules,), None)]
    while stack:
        item = next(stack[-1], None)
        if item is None:
            stack.pop()
            continue
        if item.graph is not graph:
            if item.instance in seen:
                continue
            seen.add(item.instance)
        yield item
        for region in reversed(item.instance.regions):
            rules = (region.graph.init_rules, *item.rules)
            path = join_path(item.path, region.key)
            stack.append(_uses(region.graph, path, rules, item.root))


def _uses(
    graph: Graph, prefix: str, rules: tuple[tuple[InitRule, ...], ...], root: Node | None
) -> Iterator[Owned]:
    met: set[str | Instance] = set()
    for node in graph.nodes:
        instance = node.instance
        name = (instance.key or instance) if instance is not None else ""
        if instance is not None and name not in met:
            met.add(name)
            yield Owned(prefix, instance, node, graph, root or node, rules)
