"""Hand-built graphs, for tests of layers above `graph` that need no text."""

from __future__ import annotations

from typing import ClassVar, Literal

from archspec.graph.build import Building
from archspec.graph.compiled import Compiled
from archspec.graph.model import Graph, Instance, Port, Region
from archspec.ops.base import Check, Op, Parameter, Window
from archspec.ops.random import Join
from archspec.types.dim import Dim
from archspec.types.tensor import DType, TensorType


def tensor(*shape: int | str) -> TensorType:
    """An f32 type; names are free dims."""
    sizes = (Dim.symbol(s) if isinstance(s, str) else Dim.constant_of(s) for s in shape)
    return TensorType(DType.F32, tuple(sizes))


class Layer(Op):
    """A 3 x 3 convolution without bias and with padding 1."""

    name: ClassVar[str] = "layer"
    category: ClassVar[str] = "convolution"
    weight_layers: ClassVar[int] = 1
    width: int
    stride: int = 1

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        batch, _, *spatial = inputs[0].shape
        after = ((size - 1) // self.stride + 1 for size in spatial)
        return inputs[0].with_shape(batch, Dim.constant_of(self.width), *after)

    def parameters(self, *inputs: TensorType) -> tuple[Parameter, ...]:
        channels = inputs[0].shape[1].constant
        return (Parameter("weight", (self.width, channels, 3, 3)),)

    def macs(self, inputs: tuple[TensorType, ...], outputs: tuple[TensorType, ...]) -> Dim:
        return outputs[0].elements * inputs[0].shape[1] * 9

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> tuple[Window, ...]:
        return tuple(Window(3, self.stride) for _ in inputs[0].shape[2:])


class Pointwise(Op):
    """An elementwise op without weights."""

    name: ClassVar[str] = "pointwise"
    category: ClassVar[str] = "activation"
    pointwise: ClassVar[bool] = True

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        return inputs[0]


class Whole(Op):
    """Has an unlimited receptive field, like attention."""

    name: ClassVar[str] = "whole"
    category: ClassVar[str] = "attention"

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        return inputs[0]

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Literal["all"]:
        return "all"


class Repeat(Op):
    """Runs a region three times; the region named `skipped` may not run at all."""

    name: ClassVar[str] = "repeat"
    category: ClassVar[str] = "control"
    regions: ClassVar[tuple[str, ...]] = ("body",)
    times: int | None = 3

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        return inputs[0]

    def region_runs(self, region: str, inputs: tuple[TensorType, ...]) -> int | None:
        return self.times


class Build(Building):
    """A graph under construction whose ops have one output."""

    def __init__(self, name: str = "net", kind: str = "block") -> None:
        super().__init__(name, kind)

    def input(self, kind: TensorType, name: str = "x") -> Port:
        return super().input(name, kind)

    def op(self, op: Op, *inputs: Port, key: str = "", regions: tuple[Region, ...] = ()) -> Port:
        return super().op(op, *inputs, key=key, regions=regions)[0]

    def one(self, instance: Instance, *inputs: Port) -> Port:
        return self.use(instance, *inputs)[0]

    def graph(self, *outputs: Port, **fields: object) -> Graph:
        self.outputs.clear()
        self.output("output", *outputs)
        return super().graph(**fields)


def compiled(graph: Graph, training: Graph | None = None, **sizes: int) -> Compiled:
    """A network with one graph, or two."""
    return Compiled(graph.name, graph, training or graph, sizes)


def columns(count: int, width: int, channels: int) -> Graph:
    """The columns of a fractal block, before the join, with each block specialised once."""
    return _columns(count, width, channels, {})


def _columns(count: int, width: int, channels: int, memo: dict[tuple[int, int], Graph]) -> Graph:
    if (count, channels) in memo:
        return memo[count, channels]
    build = Build("columns", "rule")
    x = build.input(tensor("B", channels, "H", "W"))
    ports = [build.op(Layer(width=width), x, key="conv")]
    if count > 1:
        first = build.call(_columns(count - 1, width, channels, memo), x, key="columns")
        joined = build.op(Join(draw="column"), *first, key="join") if len(first) > 1 else first[0]
        below = _columns(count - 1, width, width, memo)
        ports += build.call(below, joined, key="columns_1")
    memo[count, channels] = build.graph(*ports)
    return memo[count, channels]


def fractal(count: int, width: int = 16, channels: int = 3) -> Graph:
    """A network of one fractal block and a head that counts as a layer."""
    build = Build("fractal", "network")
    x = build.input(tensor("B", channels, "H", "W"), "image")
    ports = build.call(columns(count, width, channels), x, key="columns")
    joined = build.op(Join(draw="column"), *ports, key="join") if count > 1 else ports[0]
    return build.graph(build.op(Layer(width=10), joined, key="head"))
