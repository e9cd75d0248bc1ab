"""Normalisation over the batch: with running statistics, frozen, or per instance."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from archspec.ops.advice import Application, Doubt
from archspec.ops.base import Check, Example, Op, OpError, Parameter, Seen
from archspec.ops.shape_rules import axis_index, fixed_channels, float_input, images, known_channels
from archspec.ops.symbols import Count
from archspec.types.condition import at_least, unequal
from archspec.types.dim import product
from archspec.types.initialiser import Constant, Initialiser, Ones, Zeros, ones, zeros
from archspec.types.tensor import DType, TensorType

if TYPE_CHECKING:
    from archspec.ops.channels import ChannelMap


class BatchNorm(Op):
    """Batch normalisation: `(x - mean) / sqrt(var + eps) * weight + bias` per channel.

    In training, mean and variance are those of the batch over all axes but `axis`, and running
    averages are updated; in inference, the running averages are used. As `torch.nn.BatchNorm1d`,
    `2d` and `3d` (Ioffe and Szegedy 2015). The rank is 2 to 5. In training, PyTorch needs more than
    one value per channel, so this is a condition on the sizes of the training graph.

    eps: added to the variance.
    momentum: weight of the new batch in the running averages; None for a cumulative average.
    affine: whether there are a learned `weight` and `bias`.
    track: whether running averages are kept; without them, the batch statistics are always used.
    axis: the axis of the channels.
    weight_init, bias_init: initialisers; by default ones and zeros.
    """

    name: ClassVar[str] = "batch_norm"
    category: ClassVar[str] = "normalisation"
    positions: ClassVar[int | None] = 0
    inferred: ClassVar[int | None] = 0
    examples: ClassVar[tuple[Example, ...]] = (
        Example(),
        Example({"eps": 1e-3, "momentum": 0.01}, ("f32[4, 8]",)),
        Example({"affine": False}, ("f32[2, 8, 16]",)),
        Example({"track": False, "momentum": None}, ("f32[2, 8, 4, 5, 6]",)),
        Example({"axis": -1}, ("f32[2, 5, 8]",)),
        Example({"weight_init": Zeros(), "bias_init": Constant(value=0.1)}),
    )

    eps: float = 1e-5
    momentum: float | None = 0.1
    affine: bool = True
    track: bool = True
    axis: int = 1
    weight_init: Initialiser | None = None
    bias_init: Initialiser | None = None

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        x = float_input(self.name, inputs)
        if not 2 <= x.rank <= 5:
            raise OpError(f"`batch_norm` takes an input of rank 2 to 5, but it is `{x}`", input=0)
        axis = axis_index(self.name, self.axis, x.rank)
        if axis == 0:
            raise OpError("`batch_norm` takes axis 0 as the batch", attribute="axis")
        if self.affine or self.track:
            known_channels(self.name, check, x, axis)
        check.require(
            unequal(product(x.shape[:axis] + x.shape[axis + 1 :]), 1),
            "`batch_norm` needs more than one value per channel for the statistics of a batch",
            training_only=self.track,
        )
        return x

    def doubt(self, use: Application) -> Doubt | None:
        """Sequences of vectors, [B, N, D], normalised along their positions, as by default."""
        return along_positions(self, use, "takes the channels on axis 1, but those")

    def parameters(self, *inputs: TensorType) -> tuple[Parameter, ...]:
        if not (self.affine or self.track):
            return ()
        x = inputs[0]
        width = fixed_channels(self.name, x, axis_index(self.name, self.axis, x.rank))
        learned = scale_and_shift((width,), self.weight_init, self.bias_init)
        return (*(learned if self.affine else ()), *(running(width) if self.track else ()))

    def affine_per_channel(self, *inputs: TensorType) -> ChannelMap | None:
        return (
            running_map(self.eps, self.axis % inputs[0].rank, self.affine) if self.track else None
        )

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Seen:
        return "pointwise" if self.track else "all"


class FrozenBatchNorm(Op):
    """Batch normalisation with fixed statistics and scale, as in torchvision's detectors.

    `(x - running_mean) / sqrt(running_var + eps) * weight + bias` per channel (axis 1), with
    all four as buffers, as `torchvision.ops.FrozenBatchNorm2d`.

    eps: added to the variance.
    """

    name: ClassVar[str] = "frozen_batch_norm"
    category: ClassVar[str] = "normalisation"
    pointwise: ClassVar[bool] = True
    positions: ClassVar[int | None] = 0
    inferred: ClassVar[int | None] = 0
    examples: ClassVar[tuple[Example, ...]] = (
        Example(),
        Example({"eps": 1e-3}, ("f32[2, 8]",)),
    )

    eps: float = 1e-5

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        x = float_input(self.name, inputs)
        if x.rank < 2:
            raise OpError(f"`frozen_batch_norm` takes [B, C, ...], but its input is `{x}`", input=0)
        known_channels(self.name, check, x)
        return x

    def parameters(self, *inputs: TensorType) -> tuple[Parameter, ...]:
        shape = (fixed_channels(self.name, inputs[0]),)
        return tuple(
            Parameter(name, shape, first, learnable=False)
            for name, first in (
                ("weight", ones()),
                ("bias", zeros()),
                ("running_mean", zeros()),
                ("running_var", ones()),
            )
        )

    def affine_per_channel(self, *inputs: TensorType) -> ChannelMap:
        return running_map(self.eps, 1, affine=True)


class InstanceNorm(Op):
    """Instance normalisation: each channel of each sample by its own mean and variance.

    As `torch.nn.InstanceNorm1d`, `2d` and `3d` (Ulyanov et al. 2016), without weights and
    running averages by default. If the statistics come from the input, PyTorch needs more than one
    spatial position, H * W > 1; with `track` this applies only to training.

    eps: added to the variance.
    momentum: weight of the new batch in the running averages.
    affine: whether there are a learned `weight` and `bias` per channel.
    track: whether running averages are kept, and used in inference.
    weight_init, bias_init: initialisers; by default ones and zeros.
    """

    name: ClassVar[str] = "instance_norm"
    category: ClassVar[str] = "normalisation"
    positions: ClassVar[int | None] = 0
    inferred: ClassVar[int | None] = 0
    examples: ClassVar[tuple[Example, ...]] = (
        Example(),
        Example({"eps": 1e-3, "affine": True}, ("f32[2, 8, 16]",)),
        Example({"track": True, "momentum": 0.2}, ("f32[2, 8, 3, 4, 5]",)),
        Example({"affine": True, "weight_init": Zeros(), "bias_init": Ones()}),
    )

    eps: float = 1e-5
    momentum: float = 0.1
    affine: bool = False
    track: bool = False
    weight_init: Initialiser | None = None
    bias_init: Initialiser | None = None

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        x = images(self.name, inputs)
        if self.affine or self.track:
            known_channels(self.name, check, x)
        check.require(at_least(x.shape[0], 1), "`instance_norm` needs an image")
        check.require(
            unequal(product(x.shape[2:]), 1),
            "`instance_norm` needs more than one spatial position",
            training_only=self.track,
        )
        return x

    def parameters(self, *inputs: TensorType) -> tuple[Parameter, ...]:
        if not (self.affine or self.track):
            return ()
        width = fixed_channels(self.name, inputs[0])
        learned = scale_and_shift((width,), self.weight_init, self.bias_init)
        return (*(learned if self.affine else ()), *(running(width) if self.track else ()))

    def affine_per_channel(self, *inputs: TensorType) -> ChannelMap | None:
        return running_map(self.eps, 1, self.affine) if self.track else None

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Seen:
        return "pointwise" if self.track else "all"


class GroupNorm(Op):
    """Group normalisation: each group of channels of a sample by its own mean and variance.

    As `torch.nn.GroupNorm` (Wu and He 2018); one group is a layer norm over all axes but the batch.
    PyTorch needs batch * channels / groups * positions > 1.

    groups: number of groups, which must divide the number of channels.
    eps: added to the variance.
    affine: whether there are a learned `weight` and `bias` per channel.
    weight_init, bias_init: initialisers; by default ones and zeros.
    """

    name: ClassVar[str] = "group_norm"
    category: ClassVar[str] = "normalisation"
    positions: ClassVar[int | None] = 1
    inferred: ClassVar[int | None] = 1
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"groups": 4}),
        Example({"groups": 1, "eps": 1e-12}, ("f32[2, 8, 16]",)),
        Example({"groups": 8, "affine": False}, ("f32[2, 8]",)),
        Example({"groups": 2, "weight_init": Zeros(), "bias_init": Ones()}),
    )

    groups: Count
    eps: float = 1e-5
    affine: bool = True
    weight_init: Initialiser | None = None
    bias_init: Initialiser | None = None

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        x = float_input(self.name, inputs)
        if x.rank < 2:
            raise OpError(f"`group_norm` takes [B, C, ...], but its input is `{x}`", input=0)
        channels = known_channels(self.name, check, x) if self.affine else x.shape[1]
        numbers = f"`group_norm` cannot divide {channels} channels into {self.groups} equal groups"
        divides = "`group_norm` needs channels that `groups` divides"
        reason = divides if channels.constant is None else numbers
        check.require_equal(channels % self.groups, 0, reason)
        values = x.shape[0] * (channels // self.groups) * product(x.shape[2:])
        check.require(unequal(values, 1), "`group_norm` needs more than one value per group")
        for size in x.shape[1:]:
            check.require(at_least(size, 1), "`group_norm` needs values in every group")
        return x

    def parameters(self, *inputs: TensorType) -> tuple[Parameter, ...]:
        if not self.affine:
            return ()
        width = fixed_channels(self.name, inputs[0])
        return scale_and_shift((width,), self.weight_init, self.bias_init)

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Seen:
        return "all" if inputs[0].rank > 2 else "pointwise"


def along_positions(op: Op, use: Application, works: str) -> Doubt | None:
    """The doubt that an op, which has axis 1 by default, is meant for [B, N, D].

    `works` says what it does there, and to what.
    """
    before = use.origin(0)
    if "axis" in use.explicit or use.inputs[0].rank != 3 or before is None:
        return None
    if before.channel_axis != "last" and before.name != "linear":
        return None
    return Doubt(
        f"`{op.name}` {works} of `{use.inputs[0]}`, from `{before.name}`, are on the last axis",
        f"write `{op.name}(axis=-1)`; if the positions are meant, `axis=1`",
    )


def scale_and_shift(
    shape: tuple[int, ...], weight: Initialiser | None, bias: Initialiser | None
) -> tuple[Parameter, ...]:
    """`weight` and `bias` of a normalisation."""
    return (Parameter("weight", shape, weight or ones()), Parameter("bias", shape, bias or zeros()))


def running(width: int) -> tuple[Parameter, ...]:
    """The buffers of running statistics, with PyTorch's names."""
    return (
        Parameter("running_mean", (width,), zeros(), learnable=False),
        Parameter("running_var", (width,), ones(), learnable=False),
        Parameter("num_batches_tracked", (), zeros(), DType.I64, learnable=False),
    )


def running_map(eps: float, axis: int, affine: bool) -> ChannelMap:
    """The map of a norm with running averages, (x - mean) / sqrt(var + eps) * weight + bias.

    Weight and bias are 1 and 0 unless it is `affine` (Ioffe and Szegedy 2015, algorithm 2).
    """
    from archspec.ops.channels import (  # noqa: PLC0415  (start-up)
        SCALE,
        SHIFT,
        ChannelMap,
        Owned,
        rsqrt,
        sqrt,
    )

    mean, spread = Owned("running_mean"), Owned("running_var") + eps
    scale = rsqrt(spread)
    if not affine:
        return ChannelMap(scale, -mean * scale, axis)
    scale = scale * Owned("weight")
    settings = (("weight", SCALE * sqrt(spread)), ("bias", mean * SCALE + SHIFT))
    return ChannelMap(scale, -mean * scale + Owned("bias"), axis, settings)
