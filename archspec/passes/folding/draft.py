"""A block while it is being folded: its nodes, and who reads what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from archspec.graph.edit import OUTPUT, Edit
from archspec.graph.model import Graph, Instance, Node, Port, Requirement
from archspec.ops.base import Op
from archspec.types.tensor import TensorType

HANDED_ON = 10
"""Needs of sizes that count as one node, where what takes the place of nodes takes them over."""


@dataclass
class Effort:
    """How many nodes may still be looked at, over all that is folded; then nothing more is."""

    left: int

    @property
    def is_spent(self) -> bool:
        """Whether nothing is left."""
        return self.left <= 0


class Draft:
    """The nodes as they are by now; the graph itself stays as it is.

    What no output needs reads nothing. `shared` are the instances that are used elsewhere
    too, as in a region.
    """

    def __init__(self, graph: Graph, shared: Collection[Instance], effort: Effort) -> None:
        self.effort = effort
        self._shared = shared
        self._uses = Counter(node.instance.key for node in graph.nodes if node.instance is not None)
        self.place = graph.place
        self.edit = Edit(graph)
        """The block as it is by now; only this class changes it."""
        self.edit.erase_unneeded()

    def node(self, number: int) -> Node:
        """The node of this number, as it is by now."""
        return self.edit.node(number)

    def type_of(self, port: Port) -> TensorType:
        """Type of a port."""
        return self.edit.type_of(port)

    def is_alive(self, number: int) -> bool:
        """Whether a node is no input, and still needed by an output."""
        return number in self.edit and not self.edit.node(number).is_input

    def reads(self, port: Port) -> int:
        """How often a port is read, outputs of the block included."""
        return len(self.edit.readers(port))

    def readers(self, port: Port) -> list[Node | None]:
        """The nodes that read a port, once for each time; None for an output of the block."""
        numbers = self.edit.readers(port)
        return [None if number == OUTPUT else self.edit.node(number) for number in numbers]

    def owns(self, node: Node) -> bool:
        """Whether the weights of a node are used by it alone."""
        instance = node.instance
        return (
            instance is not None and self._uses[instance.key] == 1 and instance not in self._shared
        )

    def redirect(self, old: Port, new: Port) -> None:
        """Let all that reads one port read another one of the same value."""
        readers = self.edit.redirect(old, new)
        self.edit.require_to_read(new, readers, self._forget([old]))

    def put(self, node: Node, inputs: tuple[Port, ...], op: Op | None = None) -> None:
        """Give a node other inputs, and another op in place of its own."""
        instance = node.instance
        if op is not None and instance is not None:
            instance = Instance("", op, origin=instance.origin)
        self.edit.put(node.id, inputs=inputs, instance=instance)
        self.edit.require(node.id, self._forget(node.inputs))

    def gain_bias(self, node: Node) -> None:
        """Give a layer a bias."""
        old = self.node(node.id).instance
        assert old is not None
        assert old.op is not None
        self.edit.put(node.id, instance=replace(old, op=old.op.with_bias()))

    def result(self) -> Graph:
        """The block as it is now."""
        return self.edit.graph()

    def _forget(self, ports: Iterable[Port]) -> list[Requirement]:
        """Take out what nothing needs any more; what that needed of the sizes."""
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
