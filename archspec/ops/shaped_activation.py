"""Activations with attributes, with weights, or along an axis."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import NonNegativeFloat

from archspec.ops.advice import Application, Doubt
from archspec.ops.base import Check, Example, Op, OpError, Parameter, Seen, ShapeRule
from archspec.ops.shape_rules import (
    along,
    axis_index,
    float_input,
    known_channels,
    same_along_axis,
    same_floats,
)
from archspec.ops.symbols import Count, number
from archspec.types.condition import FALSE, disjunction, equal
from archspec.types.dim import ONE, dim
from archspec.types.initialiser import Constant
from archspec.types.tensor import TensorType


class LeakyRelu(Op):
    """`x` where positive, else `slope * x` (Maas et al. 2013).

    slope: factor on the negative side.
    """

    name: ClassVar[str] = "leaky_relu"
    category: ClassVar[str] = "activation"
    pointwise: ClassVar[bool] = True
    shape_rule: ClassVar[ShapeRule | None] = same_floats
    examples: ClassVar[tuple[Example, ...]] = (Example(), Example({"slope": 0.2}))

    slope: float = 0.01


class Elu(Op):
    """Exponential linear unit: `x` where positive, else `alpha * (exp(x) - 1)`.

    Clevert et al. 2015.

    alpha: minus the limit on the negative side.
    """

    name: ClassVar[str] = "elu"
    category: ClassVar[str] = "activation"
    pointwise: ClassVar[bool] = True
    shape_rule: ClassVar[ShapeRule | None] = same_floats
    examples: ClassVar[tuple[Example, ...]] = (Example(), Example({"alpha": 0.5}))

    alpha: float = 1.0


class Celu(Op):
    """`max(x, 0) + min(alpha * (exp(x / alpha) - 1), 0)`: `elu` with a continuous derivative.

    alpha: minus the limit on the negative side; not 0 (Barron 2017).
    """

    name: ClassVar[str] = "celu"
    category: ClassVar[str] = "activation"
    pointwise: ClassVar[bool] = True
    shape_rule: ClassVar[ShapeRule | None] = same_floats
    examples: ClassVar[tuple[Example, ...]] = (Example(), Example({"alpha": 0.5}))

    alpha: float = 1.0


class Gelu(Op):
    """Gaussian error linear unit, `x * Phi(x)` (Hendrycks and Gimpel 2016).

    approximate: `none` for the exact form, `tanh` for the paper's approximation.
    """

    name: ClassVar[str] = "gelu"
    category: ClassVar[str] = "activation"
    pointwise: ClassVar[bool] = True
    shape_rule: ClassVar[ShapeRule | None] = same_floats
    examples: ClassVar[tuple[Example, ...]] = (Example(), Example({"approximate": "tanh"}))

    approximate: Literal["none", "tanh"] = "none"


class Softplus(Op):
    """`log(1 + exp(beta * x)) / beta`, and `x` itself where `beta * x > threshold`.

    beta: sharpness of the curve.
    threshold: bound above which the function is linear, for numerical stability.
    """

    name: ClassVar[str] = "softplus"
    category: ClassVar[str] = "activation"
    pointwise: ClassVar[bool] = True
    shape_rule: ClassVar[ShapeRule | None] = same_floats
    examples: ClassVar[tuple[Example, ...]] = (Example(), Example({"beta": 2.0, "threshold": 10.0}))

    beta: float = 1.0
    threshold: float = 20.0


class HardTanh(Op):
    """`min(max(x, low), high)`.

    low, high: the bounds; low must be less than high.
    """

    name: ClassVar[str] = "hard_tanh"
    category: ClassVar[str] = "activation"
    pointwise: ClassVar[bool] = True
    shape_rule: ClassVar[ShapeRule | None] = same_floats
    examples: ClassVar[tuple[Example, ...]] = (Example(), Example({"low": 0.0, "high": 6.0}))

    low: float = -1.0
    high: float = 1.0

    @property
    def idempotent(self) -> bool:
        return True


class HardShrink(Op):
    """`x` where `abs(x) > bound`, else 0.

    bound: half the width of the interval that is set to 0.
    """

    name: ClassVar[str] = "hard_shrink"
    category: ClassVar[str] = "activation"
    pointwise: ClassVar[bool] = True
    shape_rule: ClassVar[ShapeRule | None] = same_floats
    examples: ClassVar[tuple[Example, ...]] = (Example(), Example({"bound": 0.1}))

    bound: float = 0.5


class SoftShrink(Op):
    """`x` shifted towards 0 by `bound`, and 0 where `abs(x) <= bound`.

    bound: the amount of the shift.
    """

    name: ClassVar[str] = "soft_shrink"
    category: ClassVar[str] = "activation"
    pointwise: ClassVar[bool] = True
    shape_rule: ClassVar[ShapeRule | None] = same_floats
    examples: ClassVar[tuple[Example, ...]] = (Example(), Example({"bound": 0.1}))

    bound: NonNegativeFloat = 0.5


class Prelu(Op):
    """`x` where positive, else `weight * x` with a learned weight (He et al. 2015).

    weights: 1 for one weight, or the number of channels (axis 1) for one each.
    init: initial value of the weight.
    """

    name: ClassVar[str] = "prelu"
    category: ClassVar[str] = "activation"
    pointwise: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (
        Example(),
        Example({"weights": 8}),
        Example({"init": 0.1}, ("f32[3]",)),
    )

    weights: Count = 1
    init: float = 0.25

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        x = float_input(self.name, inputs)
        weights = dim(self.weights)
        if weights == 1:
            return x
        channels = known_channels(self.name, check, x) if x.rank > 1 else ONE
        says = (
            f"`prelu` takes 1 weight or one per channel, but has {weights} for {channels} channels"
        )
        fits = disjunction([equal(weights, 1), equal(weights, channels)])
        if fits == FALSE:
            raise OpError(says, attribute="weights")
        check.require(fits, says)
        return x

    def parameters(self, *inputs: TensorType) -> tuple[Parameter, ...]:
        return (Parameter("weight", (number(self.weights),), Constant(value=self.init)),)


class Glu(Op):
    """Gated linear unit: splits the axis into halves a and b, and yields `a * sigmoid(b)`.

    Dauphin et al. 2017. The size of the axis must be even.

    axis: the axis that is split.
    """

    name: ClassVar[str] = "glu"
    category: ClassVar[str] = "activation"
    examples: ClassVar[tuple[Example, ...]] = (Example(), Example({"axis": 1}))

    axis: int = -1

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        x = float_input(self.name, inputs)
        axis = axis_index(self.name, self.axis, x.rank)
        size = x.shape[axis]
        check.require_equal(size % 2, 0, f"`glu` needs an even size on axis {axis}")
        return x.with_shape(*x.shape[:axis], size // 2, *x.shape[axis + 1 :])

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Seen:
        return along(self.axis, inputs[0])


class Softmax(Op):
    """`exp(x) / sum(exp(x))` along an axis: positive numbers that sum to 1.

    axis: the axis along which they sum to 1.
    """

    name: ClassVar[str] = "softmax"
    category: ClassVar[str] = "activation"
    shape_rule: ClassVar[ShapeRule | None] = same_along_axis
    examples: ClassVar[tuple[Example, ...]] = (Example(), Example({"axis": 1}))

    axis: int = -1

    @classmethod
    def in_unit_interval(cls) -> bool:
        return True

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Seen:
        return along(self.axis, inputs[0])

    def doubt(self, use: Application) -> Doubt | None:
        return _doubt(self, use, "1")


class LogSoftmax(Op):
    """`x - log(sum(exp(x)))` along an axis: the logarithm of `softmax`.

    axis: the axis along which the exponentials sum to 1.
    """

    name: ClassVar[str] = "log_softmax"
    category: ClassVar[str] = "activation"
    shape_rule: ClassVar[ShapeRule | None] = same_along_axis
    examples: ClassVar[tuple[Example, ...]] = (Example(), Example({"axis": 1}))

    axis: int = -1

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Seen:
        return along(self.axis, inputs[0])

    def doubt(self, use: Application) -> Doubt | None:
        return _doubt(self, use, "0")


def _along_the_width(op: Softmax | LogSoftmax, use: Application) -> Doubt | None:
    """Softmax along the width of an image, whose classes are on axis 1.

    The last two axes of scores of attention that a convolution mixes are of one size.
    """
    x = use.inputs[0]
    if x.rank < 4 or op.axis not in (-1, x.rank - 1) or x.shape[-1] == x.shape[-2]:
        return None
    before = use.origin(0)
    if before is None or before.channel_axis != "first":
        return None
    return Doubt(
        f"`{op.name}` works along the width of `{x}`; channels are on axis 1",
        f"for a distribution over the channels write `{op.name}(axis=1)`",
    )


def _doubt(op: Softmax | LogSoftmax, use: Application, constant: str) -> Doubt | None:
    """Softmax of one number, which is constant, or of probabilities instead of logits."""
    if use.inputs[0].shape[op.axis].constant == 1:
        return Doubt(
            f"`{op.name}` over an axis of size 1 is always {constant}",
            "for the probability of one of two classes, use `sigmoid`",
        )
    if (doubt := _along_the_width(op, use)) is not None:
        return doubt
    if isinstance(use.source(0), Softmax):
        return Doubt(
            f"`{op.name}` takes logits, but its input is the result of a `softmax`",
            "remove the first `softmax`; losses take logits, and the largest logit belongs to the "
            "most probable class",
        )
    return None
