"""Inputs of which only the shape is used."""

from __future__ import annotations

from archspec.graph.model import Graph, Node
from archspec.graph.walk import postorder
from archspec.passes.flat import FlatNode


class ShapeReaders:
    """The inputs of ops and blocks of which only the shape is used."""

    def __init__(self) -> None:
        self._found: dict[Graph, frozenset[int]] = {}

    def of(self, item: FlatNode) -> frozenset[int]:
        """The positions of these inputs of a node."""
        if item.kind == "call" and item.node is None:
            return self._of_block(item.graph) if item.graph is not None else frozenset()
        return self._of_node(item.node) if item.node is not None else frozenset()

    def _of_node(self, node: Node) -> frozenset[int]:
        if node.callee is not None:
            return self._of_block(node.callee)
        return frozenset(node.op.shape_only) if node.op is not None else frozenset()

    def _of_block(self, graph: Graph) -> frozenset[int]:
        for inner in postorder(graph, lambda at: (c for c in at.callees if c not in self._found)):
            if inner not in self._found:
                self._found[inner] = self._unread(inner)
        return self._found[graph]

    def _unread(self, graph: Graph) -> frozenset[int]:
        """The inputs of a block whose values nothing that is computed reads."""
        read = {port.node for port in graph.output_ports}
        for node in graph.nodes:
            if node.id in graph.computed and node.inputs:
                shapes = self._of_node(node)
                read |= {port.node for at, port in enumerate(node.inputs) if at not in shapes}
        return frozenset(at for at, node in enumerate(graph.inputs) if node.id not in read)
