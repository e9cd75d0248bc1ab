"""Graphs made by hand, for tests that need no spec."""

import re
from dataclasses import dataclass, field

from archspec.graph.compiled import Compiled
from archspec.graph.model import Graph, GraphOutput, Instance, Node, Port, Region
from archspec.ops.base import Check
from archspec.ops.registry import all_ops
from archspec.types.dim import Dim, dim
from archspec.types.tensor import DType, TensorType


def tensor(text):
    """`f32[B, 3, H//2]` as a type."""
    dtype, inner = re.fullmatch(r"(\w+)\[(.*)\]", text).groups()
    names = {name: Dim.symbol(name) for name in re.findall(r"[A-Za-z]\w*", inner)}
    sizes = [eval(part, {}, names) for part in inner.split(",") if part.strip()]
    return TensorType(DType(dtype), tuple(dim(size) for size in sizes))


@dataclass
class Builder:
    name: str
    kind: str = "block"
    arguments: dict = field(default_factory=dict)
    nodes: list = field(default_factory=list)

    def add(self, instance, inputs, types, name="", structure=None):
        node = Node(len(self.nodes), instance, tuple(inputs), tuple(types), name=name)
        node.output_structure = structure
        self.nodes.append(node)
        ports = tuple(Port(node.id, index) for index in range(len(types)))
        return ports[0] if len(ports) == 1 else ports

    def input(self, type_, name="x"):
        return self.add(None, (), [tensor(type_) if isinstance(type_, str) else type_], name)

    def type_of(self, port):
        return self.nodes[port.node].types[port.index]

    def op(
        self, name, inputs=(), key="", bind="", explicit=(), regions=(), share=None, **attributes
    ):
        inputs = (inputs,) if isinstance(inputs, Port) else tuple(inputs)
        op = all_ops()[name](**attributes)
        types = [self.type_of(port) for port in inputs]
        if regions:
            captured = sum(region.captured for region in regions)
            own = types[: len(types) - captured]
            yielded = {region.name: region.graph.output_types for region in regions}
            made = op.infer_regions(Check(), tuple(own), yielded)
        else:
            made = op.infer(Check(), *types)
        made = made if isinstance(made, tuple) else (made,)
        instance = share or Instance(key, op, regions=tuple(regions), explicit=frozenset(explicit))
        return self.add(instance, inputs, made, bind)

    def call(self, graph, inputs=(), key="", bind="", share=None):
        inputs = (inputs,) if isinstance(inputs, Port) else tuple(inputs)
        instance = share or Instance(key, graph=graph)
        return self.add(instance, inputs, graph.output_types, bind)

    def build(self, *outputs, **more):
        made = []
        for output in outputs:
            if isinstance(output, GraphOutput):
                made.append(output)
            elif isinstance(output, tuple):
                made.append(GraphOutput("output", output, (None,) * len(output)))
            else:
                made.append(GraphOutput("output", (output,)))
        return Graph(self.name, self.kind, tuple(self.nodes), tuple(made), self.arguments, **more)


def compiled(graph, training=None, name=None):
    return Compiled(name or graph.name, graph, training or graph)


def region(name, graph, key="", captured=0):
    return Region(name, key or name, graph, captured)
