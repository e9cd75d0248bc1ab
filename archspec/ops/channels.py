"""What an op says of its channels, for passes that move their numbers from one op to another.

The numbers of an affine map are expressions over the tensors that an instance owns, by their names
below it. They are data: a backend computes them (`archspec_torch.folding`), and nothing here knows
arrays. A norm with running averages is

    scale = rsqrt(Owned("running_var") + eps) * Owned("weight")
    ChannelMap(scale, Owned("bias") - Owned("running_mean") * scale, axis=1)
"""

from __future__ import annotations

from enum import Enum

from archspec.frozen import frozen


class Function(Enum):
    """A function of numbers, element by element."""

    ADD = "+"
    SUBTRACT = "-"
    MULTIPLY = "*"
    DIVIDE = "/"
    NEGATIVE = "negative"
    SQRT = "sqrt"
    RSQRT = "rsqrt"  # 1 / sqrt
    EXP = "exp"


class Numbers:
    """One number for each channel, or one for all, as an expression."""

    __slots__ = ()

    def __add__(self, other: Numbers | float) -> Numbers:
        return Calculation(Function.ADD, (self, _numbers(other)))

    def __sub__(self, other: Numbers | float) -> Numbers:
        return Calculation(Function.SUBTRACT, (self, _numbers(other)))

    def __mul__(self, other: Numbers | float) -> Numbers:
        return Calculation(Function.MULTIPLY, (self, _numbers(other)))

    def __truediv__(self, other: Numbers | float) -> Numbers:
        return Calculation(Function.DIVIDE, (self, _numbers(other)))

    def __neg__(self) -> Numbers:
        return Calculation(Function.NEGATIVE, (self,))


@frozen
class Number(Numbers):
    """A number that is known."""

    value: float


@frozen
class Owned(Numbers):
    """A tensor that the instance owns, by its name below the instance; it is flattened."""

    name: str


@frozen
class Wanted(Numbers):
    """A number of the map that tensors are to be set for; see `ChannelMap.settings`."""

    name: str


@frozen
class Calculation(Numbers):
    """What a function makes of numbers."""

    function: Function
    arguments: tuple[Numbers, ...]


SCALE, SHIFT = Wanted("scale"), Wanted("shift")


def sqrt(numbers: Numbers) -> Numbers:
    """The square root."""
    return Calculation(Function.SQRT, (numbers,))


def rsqrt(numbers: Numbers) -> Numbers:
    """1 / sqrt."""
    return Calculation(Function.RSQRT, (numbers,))


def exp(numbers: Numbers) -> Numbers:
    """The exponential."""
    return Calculation(Function.EXP, (numbers,))


def _numbers(value: Numbers | float) -> Numbers:
    return value if isinstance(value, Numbers) else Number(float(value))


@frozen
class ChannelMap:
    """What an op of one input does in inference, `x * scale + shift`; the type stays.

    `axis`, from 0, is that of the channels; None where all are changed alike. A scale of None is
    1, a shift of None is 0. `settings` says for tensors that the instance owns how they are to be
    set so that the op is any other map, as expressions over `SCALE`, `SHIFT` and what else it
    owns; without any it cannot be another.
    """

    scale: Numbers | None = None
    shift: Numbers | None = None
    axis: int | None = None
    settings: tuple[tuple[str, Numbers], ...] = ()


@frozen
class TapRow:
    """Where a layer reads along one spatial axis of its input, for the output at position 0.

    The first of `count` taps is at position `first`, and they are `every` apart. From output to
    output they move by `stride`, or where the layer is transposed, outputs from input to input.
    """

    first: int
    count: int
    every: int
    stride: int


@frozen
class LinearLayer:
    """A layer that sums its input channels with a weight of its own, and may add a bias.

    `inputs` and `outputs` are the axes of its channels, from 0, and `width` is the number of its
    outputs. The weight is [outputs, inputs / groups, ...], or [inputs, outputs / groups, ...]
    where it is `transposed`; the bias, which may be missing, is [outputs]. `weight` and `bias` are
    their names below the instance; see `Op.with_bias` too.

    `rows` has a row for each spatial axis of the weight, in order; None where that is not said,
    so that layers of one input are not added up. `edge` is what is read beyond the edge of the
    input: "" for nothing, else zeros or what `padding_mode` of `conv` calls it.
    """

    inputs: int
    outputs: int
    width: int
    biased: bool
    groups: int = 1
    transposed: bool = False
    rows: tuple[TapRow, ...] | None = None
    edge: str = ""
    weight: str = "weight"
    bias: str = "bias"

    @property
    def takes_shift(self) -> bool:
        """Whether a number added to each of its inputs is one added to each output."""
        return self.edge != "zeros"
