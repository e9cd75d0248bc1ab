"""Building a graph without text: for importers, plug-ins and tests.

    building = Building("net", "network")
    x = building.input("image", TensorType(DType.F32, (Dim.symbol("B"), dim(3), dim(8), dim(8))))
    (y,) = building.op(Conv(width=8, kernel=3), x, key="conv")
    building.output("logits", y)
    graph = building.graph()

Types are inferred, and the needs of ops on sizes are stored at their nodes, so that the graph
verifies. Names follow the rules of the language: without a key, the name of the op and a number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from archspec.graph.inference import inferred, kept_needs, own_inputs
from archspec.graph.model import (
    Graph,
    GraphOutput,
    Instance,
    Node,
    Port,
    Region,
    Requirement,
    Structure,
)
from archspec.ops.base import Op, OpError
from archspec.types.condition import TRUE, Condition
from archspec.types.tensor import TensorType


@dataclass(eq=False)
class Building:
    """A graph under construction. `given` is the condition that is promised about the sizes."""

    name: str
    kind: str = "block"
    given: Condition = TRUE
    nodes: list[Node] = field(default_factory=list)
    outputs: list[GraphOutput] = field(default_factory=list)
    _keys: set[str] = field(default_factory=set)

    def input(self, name: str, kind: TensorType) -> Port:
        """Add an input."""
        return self._add(None, (), (kind,), name)[0]

    def op(
        self,
        op: Op,
        *inputs: Port,
        key: str = "",
        regions: Sequence[Region] = (),
        explicit: frozenset[str] = frozenset(),
        name: str = "",
    ) -> tuple[Port, ...]:
        """Add an op with these inputs and return its results; captures of its layers come last.

        `name` is that of the variable to which the result is bound. Raises OpError if the op
        accepts the inputs for no sizes, ValueError if the key is already used.
        """
        key = self._key(key, op.name)
        return self.use(
            Instance(key, op, regions=tuple(regions), explicit=explicit), *inputs, name=name
        )

    def call(self, graph: Graph, *inputs: Port, key: str = "", name: str = "") -> tuple[Port, ...]:
        """Add a call of another graph and return its results.

        Raises OpError if the inputs do not have its input types, ValueError if the key is already
        used.
        """
        return self.use(Instance(self._key(key, graph.name), graph=graph), *inputs, name=name)

    def use(self, instance: Instance, *inputs: Port, name: str = "") -> tuple[Port, ...]:
        """Add a use of an instance; if the instance is already used, its weights are shared.

        Raises OpError if it does not accept the inputs.
        """
        types = tuple(self.type_of(port) for port in inputs)
        if instance.op is not None:
            own = own_inputs(instance.regions, types)
            yielded, needs = inferred(instance.op, instance.regions, own)
            return self._add(
                instance, inputs, yielded, name, kept_needs(needs, self.given, instance.origin)
            )
        assert instance.graph is not None
        wanted = instance.graph.input_types
        if types != wanted:
            shown = [", ".join(map(str, kinds)) or "nothing" for kinds in (wanted, types)]
            raise OpError(f"`{instance.graph.name}` takes {shown[0]}, but got {shown[1]}")
        return self._add(instance, inputs, instance.graph.output_types, name)

    def output(self, name: str, *ports: Port, structure: Structure = None) -> None:
        """Add an output; several ports are a tuple, unless `structure` is given."""
        if structure is None and len(ports) != 1:
            structure = (None,) * len(ports)
        self.outputs.append(GraphOutput(name, ports, structure))

    def type_of(self, port: Port) -> TensorType:
        """The type of a port."""
        return self.nodes[port.node].types[port.index]

    def graph(self, **fields: Any) -> Graph:
        """The graph; `fields` are further fields of `Graph`, such as `init_rules`."""
        return Graph(self.name, self.kind, tuple(self.nodes), tuple(self.outputs), **fields)

    def _add(
        self,
        instance: Instance | None,
        inputs: tuple[Port, ...],
        types: tuple[TensorType, ...],
        name: str = "",
        requirements: tuple[Requirement, ...] = (),
    ) -> tuple[Port, ...]:
        number = len(self.nodes)
        node = Node(number, instance, inputs, types, name=name, requirements=requirements)
        self.nodes.append(node)
        if instance is not None:
            self._keys.add(instance.key)
        return tuple(Port(number, index) for index in range(len(types)))

    def _key(self, key: str, default: str) -> str:
        if key:
            if key in self._keys:
                raise ValueError(f"the key `{key}` is already used")
            return key
        key, number = default, 0
        while key in self._keys:
            number += 1
            key = f"{default}_{number}"
        return key
