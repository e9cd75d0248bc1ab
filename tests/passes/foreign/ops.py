"""Ops of another package, registered by the entry-point group `archspec.ops`."""

from __future__ import annotations

from typing import ClassVar

from archspec.ops.base import Check, Example, Op, Parameter
from archspec.ops.channels import SCALE, SHIFT, ChannelMap, LinearLayer, Owned, exp
from archspec.ops.shape_rules import fixed_channels, float_input
from archspec.types.dim import Dim
from archspec.types.initialiser import Zeros, ones, zeros
from archspec.types.tensor import TensorType


class ActNorm(Op):
    """`(x + bias) * exp(log_scale)` per channel, as in Glow (Kingma and Dhariwal 2018)."""

    name: ClassVar[str] = "act_norm"
    category: ClassVar[str] = "normalisation"
    pointwise: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (Example(),)

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        return float_input(self.name, inputs)

    def parameters(self, *inputs: TensorType) -> tuple[Parameter, ...]:
        width = fixed_channels(self.name, inputs[0])
        return (Parameter("log_scale", (width,), zeros()), Parameter("bias", (width,), zeros()))

    def affine_per_channel(self, *inputs: TensorType) -> ChannelMap:
        scale = exp(Owned("log_scale"))
        return ChannelMap(scale, Owned("bias") * scale, axis=1)


class Gain(Op):
    """`x * gain / 4 + offset` along the last axis, both of shape [1, C]."""

    name: ClassVar[str] = "gain"
    category: ClassVar[str] = "normalisation"
    pointwise: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (Example(),)

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        return float_input(self.name, inputs)

    def parameters(self, *inputs: TensorType) -> tuple[Parameter, ...]:
        shape = (1, fixed_channels(self.name, inputs[0], inputs[0].rank - 1))
        return (Parameter("gain", shape, ones()), Parameter("offset", shape, zeros()))

    def affine_per_channel(self, *inputs: TensorType) -> ChannelMap:
        settings = (("gain", SCALE * 4), ("offset", SHIFT))
        return ChannelMap(Owned("gain") / 4, Owned("offset"), inputs[0].rank - 1, settings)


class Projection(Op):
    """`x @ kernel + shift` over the last axis; the kernel is [inputs, outputs], as in Keras."""

    name: ClassVar[str] = "projection"
    category: ClassVar[str] = "linear"
    weight_layers: ClassVar[int] = 1
    examples: ClassVar[tuple[Example, ...]] = (Example({"width": 4}), Example({"shift": True}))

    width: int
    shift: bool = False

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        x = float_input(self.name, inputs)
        return x.with_shape(*x.shape[:-1], Dim.constant_of(self.width))

    def parameters(self, *inputs: TensorType) -> tuple[Parameter, ...]:
        last = fixed_channels(self.name, inputs[0], inputs[0].rank - 1)
        kernel = Parameter("kernel", (last, self.width), Zeros())
        return (kernel, *([Parameter("shift", (self.width,), zeros())] if self.shift else []))

    def macs(self, inputs: tuple[TensorType, ...], outputs: tuple[TensorType, ...]) -> Dim:
        return inputs[0].elements * self.width

    def linear_layer(self, *inputs: TensorType) -> LinearLayer:
        last = inputs[0].rank - 1
        names = {"weight": "kernel", "bias": "shift"}
        return LinearLayer(last, last, self.width, self.shift, transposed=True, rows=(), **names)

    def with_bias(self) -> Op:
        return Projection(width=self.width, shift=True)


class Rounded(Projection):
    """A `projection` that cannot have a bias."""

    name: ClassVar[str] = "rounded"

    def with_bias(self) -> None:
        return None
