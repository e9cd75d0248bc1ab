"""Hand-built graphs, for tests that need no spec."""

import re

from archspec.graph.build import Building
from archspec.graph.compiled import Compiled
from archspec.graph.model import GraphOutput, Instance, Port, Region
from archspec.ops.registry import all_ops
from archspec.types.dim import Dim, dim
from archspec.types.tensor import DType, TensorType


def tensor(text):
    """`f32[B, 3, H//2]` as a type."""
    dtype, inner = re.fullmatch(r"(\w+)\[(.*)\]", text).groups()
    names = {name: Dim.symbol(name) for name in re.findall(r"[A-Za-z]\w*", inner)}
    sizes = [eval(part, {}, names) for part in inner.split(",") if part.strip()]
    return TensorType(DType(dtype), tuple(dim(size) for size in sizes))


class Builder(Building):
    """A graph under construction: ops by name, types as text, one port if there is only one."""

    def __init__(self, name, kind="block", arguments=None):
        super().__init__(name, kind)
        self.arguments = arguments or {}

    def input(self, type_, name="x"):
        return super().input(name, tensor(type_) if isinstance(type_, str) else type_)

    def op(
        self, name, inputs=(), key="", bind="", explicit=(), regions=(), share=None, **attributes
    ):
        op = all_ops()[name](**attributes)
        made = Instance(key, op, regions=tuple(regions), explicit=frozenset(explicit))
        return _one(self.use(share or made, *_ports(inputs), name=bind))

    def call(self, graph, inputs=(), key="", bind="", share=None):
        return _one(self.use(share or Instance(key, graph=graph), *_ports(inputs), name=bind))

    def build(self, *outputs, **more):
        for output in outputs:
            if isinstance(output, GraphOutput):
                self.outputs.append(output)
            else:
                self.output("output", *_ports(output))
        return self.graph(arguments=self.arguments, **more)


def _ports(inputs):
    return (inputs,) if isinstance(inputs, Port) else tuple(inputs)


def _one(ports):
    return ports[0] if len(ports) == 1 else ports


def compiled(graph, training=None, name=None):
    return Compiled(name or graph.name, graph, training or graph)


def region(name, graph, key="", captured=0):
    return Region(name, key or name, graph, captured)
