"""Normalisation within a sample: layer, RMS, local response, and L2 normalisation."""

from __future__ import annotations

from typing import ClassVar, TypeAlias

from archspec.ops.advice import Application, Doubt
from archspec.ops.base import Check, Example, Op, OpError, Parameter, Seen, ShapeRule
from archspec.ops.normalisation import along_positions, scale_and_shift
from archspec.ops.shape_rules import (
    along,
    axis_index,
    fixed_axis,
    float_input,
    known_axis,
    same_along_axis,
)
from archspec.ops.symbols import Count
from archspec.types.initialiser import Constant, Initialiser, Ones, Zeros
from archspec.types.tensor import TensorType

Axes: TypeAlias = int | tuple[int, ...]


def _normalised(
    op: LayerNorm | RMSNorm, check: Check, inputs: tuple[TensorType, ...]
) -> TensorType:
    """Shape rule of an op that normalises over axes, with weights for each of their positions."""
    x = float_input(op.name, inputs)
    axes = normalised_axes(op.name, op.axis, x.rank)
    for axis in axes if op.affine else ():
        known_axis(op.name, check, x, axis, what=NORMALISED)
    return x


class LayerNorm(Op):
    """Layer normalisation: `(x - mean) / sqrt(var + eps) * weight + bias` over the given axes.

    As `torch.nn.LayerNorm` (Ba et al. 2016), which supports only the last axes; `axis=1` is the
    channels-first form of ConvNeXt.

    axis: the axis, or a list of axes, over which mean and variance are computed. `weight` and
        `bias` have the sizes of these axes, in the order of the input.
    eps: added to the variance.
    affine: whether there are a learned `weight` and `bias`.
    bias: whether there is a `bias`.
    weight_init, bias_init: initialisers; by default ones and zeros.
    """

    name: ClassVar[str] = "layer_norm"
    category: ClassVar[str] = "normalisation"
    positions: ClassVar[int | None] = 0
    inferred: ClassVar[int | None] = 0
    shape_rule: ClassVar[ShapeRule | None] = _normalised
    examples: ClassVar[tuple[Example, ...]] = (
        Example({}, ("f32[2, 5, 8]",)),
        Example({"axis": 1, "eps": 1e-6}),
        Example({"axis": (1, 2, 3)}, ("f32[2, 3, 4, 5]",)),
        Example({"axis": (-1, 1)}, ("f32[2, 3, 4, 5]",)),
        Example({"affine": False}, ("f32[2, 8]",)),
        Example({"bias": False}, ("f32[2, 8]",)),
        Example({"weight_init": Constant(value=0.5), "bias_init": Ones()}, ("f32[2, 8]",)),
    )

    axis: Axes = -1
    eps: float = 1e-5
    affine: bool = True
    bias: bool = True
    weight_init: Initialiser | None = None
    bias_init: Initialiser | None = None

    def parameters(self, *inputs: TensorType) -> tuple[Parameter, ...]:
        if not self.affine:
            return ()
        x = inputs[0]
        shape = normalised_shape(self.name, x, normalised_axes(self.name, self.axis, x.rank))
        both = scale_and_shift(shape, self.weight_init, self.bias_init)
        return both if self.bias else both[:1]

    def doubt(self, use: Application) -> Doubt | None:
        return _along_the_width(self, use)

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Seen:
        return along(self.axis, inputs[0])


class RMSNorm(Op):
    """Root-mean-square normalisation: `x / sqrt(mean(x**2) + eps) * weight` over the given axes.

    As `torch.nn.RMSNorm` (Zhang and Sennrich 2019).

    axis: the axis, or a list of axes, over which the mean is computed.
    eps: added to the mean square; None for the machine epsilon of the element type, as in PyTorch.
    affine: whether there is a learned `weight`.
    weight_init: initialiser; by default ones.
    """

    name: ClassVar[str] = "rms_norm"
    category: ClassVar[str] = "normalisation"
    positions: ClassVar[int | None] = 0
    inferred: ClassVar[int | None] = 0
    shape_rule: ClassVar[ShapeRule | None] = _normalised
    examples: ClassVar[tuple[Example, ...]] = (
        Example({}, ("f32[2, 5, 8]",)),
        Example({"axis": 1, "eps": 1e-6}),
        Example({"axis": (-2, -1), "affine": False}, ("f32[2, 3, 4]",)),
        Example({"weight_init": Zeros()}, ("f32[2, 8]",)),
    )

    axis: Axes = -1
    eps: float | None = None
    affine: bool = True
    weight_init: Initialiser | None = None

    def parameters(self, *inputs: TensorType) -> tuple[Parameter, ...]:
        if not self.affine:
            return ()
        x = inputs[0]
        shape = normalised_shape(self.name, x, normalised_axes(self.name, self.axis, x.rank))
        return scale_and_shift(shape, self.weight_init, None)[:1]

    def doubt(self, use: Application) -> Doubt | None:
        return _along_the_width(self, use)

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Seen:
        return along(self.axis, inputs[0])


class LocalResponseNorm(Op):
    """Local response normalisation over neighbouring channels, as in AlexNet.

    `y = x / (k + alpha / size * sum of x**2 over the `size` channels around)**beta`, as
    `torch.nn.LocalResponseNorm` (Krizhevsky et al. 2012). The rank is at least 3.

    size: number of neighbouring channels.
    alpha: factor of the mean square.
    beta: exponent.
    k: added to the mean square.
    """

    name: ClassVar[str] = "local_response_norm"
    category: ClassVar[str] = "normalisation"
    pointwise: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"size": 5}),
        Example({"size": 2, "alpha": 1e-3, "beta": 0.5, "k": 2.0}, ("f32[2, 8, 16]",)),
    )

    size: Count
    alpha: float = 1e-4
    beta: float = 0.75
    k: float = 1.0

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        x = float_input(self.name, inputs)
        if x.rank < 3:
            raise OpError(
                f"`local_response_norm` takes [B, C, ...] of rank 3 and more, but its input is "
                f"`{x}`",
                input=0,
            )
        return x


class L2Normalize(Op):
    """Scales vectors to length 1: `x / max(norm(x), eps)`, as `torch.nn.functional.normalize`.

    axis: the axis of the vectors.
    eps: lower bound of the divisor.
    """

    name: ClassVar[str] = "l2_normalize"
    category: ClassVar[str] = "normalisation"
    positions: ClassVar[int | None] = 0
    shape_rule: ClassVar[ShapeRule | None] = same_along_axis
    examples: ClassVar[tuple[Example, ...]] = (
        Example(),
        Example({"axis": -1, "eps": 1e-6}, ("f32[2, 8]",)),
    )

    axis: int = 1
    eps: float = 1e-12

    def doubt(self, use: Application) -> Doubt | None:
        """Sequences of vectors, [B, N, D], that are scaled along their positions by default."""
        return along_positions(self, use, "scales along axis 1, but the vectors")

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Seen:
        return along(self.axis, inputs[0])


def _along_the_width(op: LayerNorm | RMSNorm, use: Application) -> Doubt | None:
    """Images that are normalised along their last axis, their width, because none is given."""
    if "axis" in use.explicit or use.inputs[0].rank != 4:
        return None
    before = use.origin(0)
    if before is None or before.channel_axis != "first":
        return None
    return Doubt(
        f"`{op.name}` normalises the last axis, here the width of the images from `{before.name}`",
        f"along the channels write `{op.name}(axis=1)`; over a whole image `{op.name}(axis=[1, 2, "
        "3])`; if the width is meant, `axis=-1`",
    )


NORMALISED = "normalised features"


def normalised_axes(op: str, axis: Axes, rank: int) -> tuple[int, ...]:
    """The axes counted from 0, in the order of the input. Raises OpError if empty or repeated."""
    given = (axis,) if isinstance(axis, int) else axis
    axes = sorted({axis_index(op, each, rank) for each in given})
    if not axes or len(axes) < len(given):
        raise OpError(f"`{op}` takes one axis or several different ones", attribute="axis")
    return tuple(axes)


def normalised_shape(op: str, x: TensorType, axes: tuple[int, ...]) -> tuple[int, ...]:
    """The fixed sizes of the axes that `weight` and `bias` have."""
    return tuple(fixed_axis(op, x, axis, what=NORMALISED) for axis in axes)
