"""A block while it is being folded: its nodes, and who reads what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, replace

from archspec.graph.model import Graph, Instance, Node, Port
from archspec.graph.selection import pruned
from archspec.ops.base import Op
from archspec.types.tensor import TensorType

_OUTPUT = -1  # the reader that stands for an output of the block


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

    Nodes keep their numbers and their order. What no output needs reads nothing. `shared` are the
    instances, by identity, that are used elsewhere too, as in a region.
    """

    def __init__(self, graph: Graph, shared: Collection[int], effort: Effort) -> None:
        self._graph = graph
        self.effort = effort
        self._shared = shared
        self.nodes = list(graph.nodes)
        self.outputs = list(graph.output_ports)
        self._uses = Counter(node.instance.key for node in graph.nodes if node.instance is not None)
        self._readers: dict[Port, list[int]] = {}
        for port in self.outputs:
            self._readers.setdefault(port, []).append(_OUTPUT)
        for node in reversed(self.nodes):
            if self.is_alive(node):
                self._read(node)

    def type_of(self, port: Port) -> TensorType:
        """Type of a port."""
        return self.nodes[port.node].types[port.index]

    def is_alive(self, node: Node) -> bool:
        """Whether an output needs a node."""
        return any(self._readers.get(Port(node.id, index)) for index in range(len(node.types)))

    def reads(self, port: Port) -> int:
        """How often a port is read, outputs of the block included."""
        return len(self._readers.get(port, ()))

    def readers(self, port: Port) -> list[Node | None]:
        """The nodes that read a port, once for each time; None for an output of the block."""
        numbers = self._readers.get(port, ())
        return [None if number == _OUTPUT else self.nodes[number] for number in numbers]

    def owns(self, node: Node) -> bool:
        """Whether the weights of a node are used by it alone."""
        instance = node.instance
        return (
            instance is not None
            and self._uses[instance.key] == 1
            and id(instance) not in self._shared
        )

    def redirect(self, old: Port, new: Port) -> None:
        """Let all that reads one port read another one of the same value."""
        for number in list(self._readers.get(old, ())):
            if number == _OUTPUT:
                self.outputs = [new if port == old else port for port in self.outputs]
            else:
                inputs = self.nodes[number].inputs
                moved = tuple(new if port == old else port for port in inputs)
                self.nodes[number] = replace(self.nodes[number], inputs=moved)
            self._readers.setdefault(new, []).append(number)
        self._readers[old] = []
        self._forget(old)

    def put(self, node: Node, inputs: tuple[Port, ...], op: Op | None = None) -> None:
        """Give a node other inputs, and another op in place of its own."""
        before, instance = node.inputs, node.instance
        if op is not None and instance is not None:
            instance = Instance("", op, origin=instance.origin)
        made = replace(node, inputs=inputs, instance=instance)
        self.nodes[node.id] = made
        self._read(made)
        for port in before:
            self._readers[port].remove(node.id)
            self._forget(port)

    def gain_bias(self, node: Node) -> None:
        """Give a layer a bias."""
        node = self.nodes[node.id]
        old = node.instance
        assert old is not None
        assert old.op is not None
        op = old.op.model_copy(update={"bias": True})
        self.nodes[node.id] = replace(node, instance=replace(old, op=op))

    def result(self) -> Graph:
        """The block as it is now."""
        places = iter(self.outputs)
        outputs = tuple(
            replace(output, ports=tuple(next(places) for _ in output.ports))
            for output in self._graph.outputs
        )
        return pruned(replace(self._graph, nodes=tuple(self.nodes)), outputs)

    def _read(self, node: Node) -> None:
        for port in node.inputs:
            self._readers.setdefault(port, []).append(node.id)

    def _forget(self, port: Port) -> None:
        """Where nothing reads a node any more, it reads nothing."""
        stack = [port]
        while stack:
            node = self.nodes[stack.pop().node]
            if self.is_alive(node):
                continue
            for one in node.inputs:
                readers = self._readers.get(one, [])
                if node.id in readers:
                    readers.remove(node.id)
                    stack.append(one)
