"""How ops act on channels, for passes that move affine maps from one op to another.

The numbers of an affine map are expressions over the tensors that an instance owns, by their names
below it. They are data: a backend computes them (`archspec_torch.folding`), and this module does
not depend on arrays. A norm with running averages is

    scale = rsqrt(Owned("running_var") + eps) * Owned("weight")
    ChannelMap(scale, Owned("bias") - Owned("running_mean") * scale, axis=1)
"""

from __future__ import annotations

from enum import Enum

from archspec.frozen import frozen


class Function(Enum):
    """A function of numbers, applied elementwise."""

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
    """A known number."""

    value: float


@frozen
class Owned(Numbers):
    """A tensor that the instance owns, by its name relative to the instance, flattened."""

    name: str


@frozen
class Wanted(Numbers):
    """A number of the map for which the tensors are set; see `ChannelMap.settings`."""

    name: str


@frozen
class Calculation(Numbers):
    """A function applied to numbers."""

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
    """What an op with one input computes in inference, `x * scale + shift`; the type is unchanged.

    `axis`, from 0, is that of the channels, or None if the map is the same for all channels. A
    scale of None is 1, a shift of None is 0. `settings` gives, for tensors that the instance owns,
    the values that turn the op into any other map, as expressions over `SCALE`, `SHIFT` and its
    other tensors; if it is empty, the map cannot be changed.
    """

    scale: Numbers | None = None
    shift: Numbers | None = None
    axis: int | None = None
    settings: tuple[tuple[str, Numbers], ...] = ()


@frozen
class TapRow:
    """The positions along one spatial axis that a layer reads for the output at position 0.

    The first of `count` taps is at position `first`, and their distance is `every`. They move by
    `stride` from one output to the next; in a transposed layer, the outputs move by `stride`
    from one input to the next.
    """

    first: int
    count: int
    every: int
    stride: int


@frozen
class LinearLayer:
    """A layer that sums its input channels with a weight of its own, and may add a bias.

    `inputs` and `outputs` are the axes of its channels, from 0, and `width` is the number of output
    channels. The weight is [outputs, inputs / groups, ...], or [inputs, outputs / groups, ...]
    if it is `transposed`; the bias, which may be missing, is [outputs]. `weight` and `bias` are
    their names relative to the instance; see also `Op.with_bias`.

    `rows` has a row for each spatial axis of the weight, in order; None if it is unknown, so that
    parallel layers cannot be merged. `edge` is the kind of padding beyond the edge of the input:
    "" for none, otherwise a `padding_mode` of `conv`.
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
        """Whether adding a number to each input adds a number to each output."""
        return self.edge != "zeros"
