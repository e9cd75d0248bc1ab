"""A block during folding: its nodes and their readers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from archspec.graph.edit import OUTPUT, Edit
from archspec.graph.model import Graph, Instance, Node, Port, Requirement
from archspec.ops.base import Op
from archspec.types.tensor import TensorType

HANDED_ON = 10
"""The number of needs on sizes that counts as one node when they are moved to other nodes."""


@dataclass
class Effort:
    """How many nodes may still be visited, in the whole network; after that, nothing is folded."""

    left: int

    @property
    def is_exhausted(self) -> bool:
        """Whether no effort is left."""
        return self.left <= 0


class Draft:
    """The current nodes; the graph itself is not changed.

    Nodes that no output needs are ignored as readers. `shared` are the instances that are also used
    elsewhere, as in a region.
    """

    def __init__(self, graph: Graph, shared: Collection[Instance], effort: Effort) -> None:
        self.effort = effort
        self._shared = shared
        self._uses = Counter(node.instance.key for node in graph.nodes if node.instance is not None)
        self.place = graph.place
        self.edit = Edit(graph)
        """The current block; only this class changes it."""
        self.edit.erase_unneeded()

    def node(self, number: int) -> Node:
        """The current node with this number."""
        return self.edit.node(number)

    def type_of(self, port: Port) -> TensorType:
        """Type of a port."""
        return self.edit.type_of(port)

    def is_needed(self, number: int) -> bool:
        """Whether a node is not an input, and is still needed by an output."""
        return number in self.edit and not self.edit.node(number).is_input

    def reads(self, port: Port) -> int:
        """How often a port is read, including outputs of the block."""
        return len(self.edit.readers(port))

    def readers(self, port: Port) -> list[Node | None]:
        """The nodes that read a port, once for each use; None for an output of the block."""
        numbers = self.edit.readers(port)
        return [None if number == OUTPUT else self.edit.node(number) for number in numbers]

    def owns(self, node: Node) -> bool:
        """Whether the weights of a node are used only by it."""
        instance = node.instance
        return (
            instance is not None and self._uses[instance.key] == 1 and instance not in self._shared
        )

    def redirect(self, old: Port, new: Port) -> None:
        """Make the readers of a port read another one with the same value."""
        readers = self.edit.redirect(old, new)
        self.edit.require_to_read(new, readers, self._forget([old]))

    def put(self, node: Node, inputs: tuple[Port, ...], op: Op | None = None) -> None:
        """Replace the inputs of a node, and its op."""
        instance = node.instance
        if op is not None and instance is not None:
            instance = Instance("", op, origin=instance.origin)
        self.edit.put(node.id, inputs=inputs, instance=instance)
        self.edit.require(node.id, self._forget(node.inputs))

    def gain_bias(self, node: Node) -> None:
        """Add a bias to a layer."""
        old = self.node(node.id).instance
        assert old is not None
        assert old.op is not None
        self.edit.put(node.id, instance=replace(old, op=old.op.with_bias()))

    def result(self) -> Graph:
        """The current block."""
        return self.edit.graph()

    def _forget(self, ports: Iterable[Port]) -> list[Requirement]:
        """Remove nodes that are not needed any more; their needs on sizes."""
        stack = [port.node for port in ports]
        found: list[Requirement] = []
        while stack:
            number = stack.pop()
            if number in self.edit and not self.edit.is_read(number):
                node = self.edit.node(number)
                if not node.is_input:
                    self.edit.erase(number)
                    found += node.requirements
                    stack += [one.node for one in node.inputs]
        self.effort.left -= len(found) // HANDED_ON
        return found
