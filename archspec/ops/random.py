"""Ops that are random in training and do nothing, or average, in inference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, TypeAlias

from pydantic import Field

from archspec.ops.arithmetic import Mul, affine
from archspec.ops.base import Check, Example, Op, OpError, ShapeRule
from archspec.ops.broadcasting import require_equal_dims, same_dtype, same_rank
from archspec.ops.choice import Clamp
from archspec.ops.identity import Identity
from archspec.ops.shape_rules import float_input, same_floats
from archspec.types.tensor import TensorType

if TYPE_CHECKING:
    from archspec.ops.channels import ChannelMap
    from archspec.ops.dropping import KeptMean, Skipped

Probability: TypeAlias = Annotated[float, Field(ge=0.0, le=1.0)]


class Dropout(Op):
    """Sets elements to 0 with probability p in training and scales the others by 1 / (1 - p).

    As `torch.nn.Dropout` (Srivastava et al. 2014).

    p: probability with which an element is dropped.
    """

    name: ClassVar[str] = "dropout"
    category: ClassVar[str] = "random"
    pointwise: ClassVar[bool] = True
    shape_rule: ClassVar[ShapeRule | None] = same_floats
    examples: ClassVar[tuple[Example, ...]] = (Example(), Example({"p": 0.0}))

    p: Probability = 0.5

    @property
    def stochastic(self) -> bool:
        return bool(self.p)

    def in_inference(self) -> Op:
        return Identity()


class ChannelDropout(Op):
    """Drops whole channels of a sample in training.

    The others are scaled by 1 / (1 - p). As `torch.nn.Dropout1d`, `2d` and `3d`
    (Tompson et al. 2015). The input is [B, C] with any number of spatial axes.

    p: probability with which a channel is dropped.
    """

    name: ClassVar[str] = "channel_dropout"
    category: ClassVar[str] = "random"
    pointwise: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (
        Example(),
        Example({"p": 0.2}, ("f32[2, 8, 10]",)),
        Example({"p": 0.2}, ("f32[2, 3, 4, 5, 6]",)),
    )

    p: Probability = 0.5

    @property
    def stochastic(self) -> bool:
        return bool(self.p)

    def in_inference(self) -> Op:
        return Identity()

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        x = float_input(self.name, inputs)
        if x.rank < 2:
            raise OpError(f"`channel_dropout` takes [B, C, ...], but its input is `{x}`", input=0)
        return x


class AlphaDropout(Op):
    """Dropout that preserves the mean and variance of activations of `selu`, in training.

    As `torch.nn.AlphaDropout` (Klambauer et al. 2017).

    p: probability with which an element is dropped.
    """

    name: ClassVar[str] = "alpha_dropout"
    category: ClassVar[str] = "random"
    pointwise: ClassVar[bool] = True
    shape_rule: ClassVar[ShapeRule | None] = same_floats
    examples: ClassVar[tuple[Example, ...]] = (Example(), Example({"p": 0.05}))

    p: Probability = 0.5

    @property
    def stochastic(self) -> bool:
        return bool(self.p)

    def in_inference(self) -> Op:
        return Identity()


class DropPath(Op):
    """Stochastic depth: in training the whole input is set to 0 with probability p.

    Used at the end of a residual branch (Huang et al. 2016). A branch that is dropped for the whole
    batch and then added to something is not computed at all.

    p: probability with which the input is dropped.
    mode: `row` drops each sample (axis 0) independently, `batch` all of them together.
    scale: when to scale, so that the means in training and in inference agree. `training` scales
        what is kept by 1 / (1 - p), as most code does; `inference` scales by 1 - p in inference, as
        the paper does.
    """

    name: ClassVar[str] = "drop_path"
    category: ClassVar[str] = "random"
    pointwise: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (
        Example(),
        Example({"p": 0.2}),
        Example({"p": 0.2, "mode": "batch"}, ("f32[2, 5, 8]",)),
        Example({"p": 0.2, "scale": "inference"}),
        Example({"p": 0.2, "mode": "batch", "scale": "inference"}, ("f32[2, 5, 8]",)),
    )

    p: Probability = 0.0
    mode: Literal["row", "batch"] = "row"
    scale: Literal["training", "inference"] = "training"

    @property
    def stochastic(self) -> bool:
        return bool(self.p)

    def skipped(self) -> Skipped | None:
        from archspec.ops.dropping import Skipped  # noqa: PLC0415  (start-up)

        if self.mode != "batch" or not 0.0 < self.p < 1.0:
            return None
        return Skipped(self.p, self.scale == "training")

    def affine_per_channel(self, *inputs: TensorType) -> ChannelMap | None:
        return affine(1.0 - self.p, None) if self.scale == "inference" and self.p else None

    def in_inference(self) -> Op:
        if self.scale == "inference" and self.p:
            return Mul(scalar=1.0 - self.p)
        return Identity()

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        x = float_input(self.name, inputs)
        if not x.rank:
            raise OpError(f"`drop_path` takes at least a batch axis, but its input is `{x}`")
        return x


class Bernoulli(Op):
    """Random zeros and ones: in training, an element is 1 with the probability given by the input.

    In inference, the result is the probability itself, the mean of the random variable.
    Probabilities are clamped to the range from 0 to 1. There is no gradient. The probability can
    depend on sizes or on data, whereas that of dropout is fixed.
    """

    name: ClassVar[str] = "bernoulli"
    category: ClassVar[str] = "random"
    pointwise: ClassVar[bool] = True
    shape_rule: ClassVar[ShapeRule | None] = same_floats
    examples: ClassVar[tuple[Example, ...]] = (Example(), Example(inputs=("f32[4]",)))

    @property
    def stochastic(self) -> bool:
        return True

    def in_inference(self) -> Op:
        return Clamp(low=0.0, high=1.0)


class Join(Op):
    """Elementwise mean of the inputs that survive drop-path, which joins the columns of FractalNet.

    It has any number of inputs of the same type (Larsson et al. 2017). In inference, and if neither
    attribute is set, it is the mean of all inputs. Dropped inputs are not computed.

    Local sampling drops each input with probability `drop`, once for the whole mini-batch; if all
    would be dropped, one that is drawn uniformly survives. The mean is over the survivors, without
    further scaling. Global sampling keeps one column of the whole network: all joins that name the
    same `draw` share it. Columns are counted from the last, deepest input; a join that lacks the
    column has no effect in that pass. The policy of a draw, which is local, global or a mix of both
    per mini-batch, is stated once in the network: `draw column = mixed`.

    drop: probability with which an input is dropped in local sampling.
    draw: name of the draw that the join shares; None for local sampling only.
    """

    name: ClassVar[str] = "join"
    arity: ClassVar[tuple[int, int | None]] = (1, None)
    category: ClassVar[str] = "merge"
    pointwise: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (
        Example({}, ("f32[2, 8, 4, 4]",)),
        Example({}, ("f32[2, 8, 4, 4]", "f32[2, 8, 4, 4]", "f32[2, 8, 4, 4]")),
        Example({"drop": 0.15}, ("f32[2, 8]", "f32[2, 8]")),
        Example({"drop": 0.15, "draw": "column"}, ("f32[2, 8]", "f32[2, 8]", "f32[2, 8]")),
    )

    drop: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    draw: str | None = None

    @property
    def stochastic(self) -> bool:
        return bool(self.drop or self.draw)

    def kept_mean(self) -> KeptMean:
        from archspec.ops.dropping import KeptMean  # noqa: PLC0415  (start-up)

        return KeptMean(self.drop, self.draw)

    def in_inference(self) -> Op:
        return Join()

    def vanishes(self, *inputs: TensorType) -> bool:
        return len(inputs) == 1

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        first = float_input(self.name, inputs)
        rank = same_rank(self.name, inputs)
        same_dtype(self.name, inputs)
        for index, other in enumerate(inputs[1:], start=1):
            for axis in range(rank):
                require_equal_dims(self.name, check, axis, first, other, index)
        return first
