"""Ops that draw at random in training and do nothing, or average, otherwise."""

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

    p: probability of an element to be dropped.
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
    """Drops whole channels: all positions of a sample's channel together, in training.

    The others are scaled by 1 / (1 - p). As `torch.nn.Dropout1d`, `2d` and `3d`
    (Tompson et al. 2015). Takes [B, C] and any number of spatial axes.

    p: probability of a channel to be dropped.
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
    """Dropout that keeps mean and variance of inputs activated by `selu`, in training.

    As `torch.nn.AlphaDropout` (Klambauer et al. 2017).

    p: probability of an element to be dropped.
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

    Put at the end of a residual branch (Huang et al. 2016). Of a branch that is dropped for the
    whole batch and then added to something, nothing is computed.

    p: probability to be dropped.
    mode: `row` draws for each sample (axis 0) on its own, `batch` once for all of them.
    scale: what makes the mean in training that in inference. `training` scales what is kept by
        1 / (1 - p), as most code does; `inference` scales by 1 - p there, as the paper does.
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
    """Zeros and ones at random: in training an element is 1 with the probability that it gives.

    Otherwise it stays the probability, which is the mean of the draw. What is below 0 is as 0, and
    above 1 as 1. Nothing goes back through the draw; a number that depends on sizes, or on data,
    can be the probability, where those of dropout are fixed.
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
    """Element-wise mean of those inputs that survive drop-path, as FractalNet joins its columns.

    Takes any number of inputs of one type (Larsson et al. 2017). Outside training, and with
    neither attribute set, it is the mean of all. What was dropped is not computed.

    Local sampling drops each input with probability `drop`, once for the whole mini-batch; if
    all were dropped, one drawn uniformly survives. The mean is over the survivors, without
    further scaling. Global sampling keeps one column of the whole network: all joins that name
    the same `draw` share it. Columns are counted from the last input, the deepest; a join that
    lacks the column is of no effect in that pass. The policy of a draw, local, global or a mix
    of both per mini-batch, is stated once in the network: `draw column = mixed`.

    drop: probability of an input to be dropped in local sampling.
    draw: name of the draw that the join takes part in; None for local sampling only.
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
