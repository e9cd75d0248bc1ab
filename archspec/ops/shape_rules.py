"""Shape arithmetic and input checks shared by several families of ops.

Everything here is exact: a size is a `Dim`, a restriction of sizes becomes a need of `Check`, and
a mismatch for all sizes is an `OpError`.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd
from typing import TYPE_CHECKING, ClassVar, Protocol, TypeAlias

from pydantic import NonNegativeInt, PositiveInt

from archspec.frozen import frozen
from archspec.ops.base import Check, Op, OpError, Seen, Window
from archspec.ops.broadcasting import require_dtype
from archspec.types.atoms import OutsideFragment
from archspec.types.condition import at_least, disjunction, equal
from archspec.types.dim import Dim, DimLike, dim
from archspec.types.tensor import DType, TensorType

if TYPE_CHECKING:
    from archspec.ops.channels import TapRow

Sizes: TypeAlias = PositiveInt | tuple[PositiveInt, ...]
"""One positive number for all spatial axes, or one for each."""

Amounts: TypeAlias = NonNegativeInt | tuple[NonNegativeInt, ...]
"""One non-negative number for all spatial axes, or one for each."""


# ---------------------------------------------------------------------- inputs


def float_input(op: str, inputs: Sequence[TensorType], index: int = 0) -> TensorType:
    """Input `index`, which must be floating-point. Raises OpError naming the op otherwise."""
    given = inputs[index]
    ids = given.dtype.is_integer and given.rank <= 2
    fix = "did you mean `embedding`, which looks indices up in a table?" if ids else None
    require_dtype(op, given, frozenset({DType.F32}), input=index, fix=fix)
    return given


def same_floats(op: Op, check: Check, inputs: tuple[TensorType, ...]) -> TensorType:
    """Shape rule of an op that keeps the type of its one input, which must be floating-point."""
    return float_input(op.name, inputs)


class AlongAxis(Protocol):
    """An op that works along an axis."""

    name: ClassVar[str]

    @property
    def axis(self) -> int:
        """The axis, from 0 or negative from the end."""


def same_along_axis(op: AlongAxis, check: Check, inputs: tuple[TensorType, ...]) -> TensorType:
    """The same for an op that works along an `axis`, which must exist."""
    x = float_input(op.name, inputs)
    axis_index(op.name, op.axis, x.rank)
    return x


def index_input(op: str, inputs: Sequence[TensorType], index: int = 0) -> TensorType:
    """Input `index`, which must hold integers. Raises OpError otherwise."""
    given = inputs[index]
    fix = "did you mean `linear`?" if given.dtype.is_float else None
    require_dtype(op, given, frozenset({DType.I64, DType.I32}), input=index, fix=fix)
    return given


def images(op: str, inputs: Sequence[TensorType], *, fix: str | None = None) -> TensorType:
    """The first input: floating-point, [B, C] followed by one to three spatial axes."""
    x = float_input(op, inputs)
    if 3 <= x.rank <= 5:
        return x
    if x.rank == 2 and fix is None:
        size = ", ".join(map(str, x.shape))
        fix = f"for images of one position write `reshape({size}, 1, 1) -> {op}(..)`"
    raise OpError(
        f"`{op}` takes [B, C, L], [B, C, H, W] or [B, C, D, H, W], but its input is `{x}`",
        input=0,
        fix=fix,
    )


def require_filled(op: str, check: Check, x: TensorType, first: int = 1) -> None:
    """Require each axis but the batch to be non-empty, if PyTorch rejects empty tensors."""
    for axis, size in enumerate(x.shape[first:], start=first):
        check.require(at_least(size, 1), f"`{op}` needs axis {axis} not to be empty")


def axis_index(op: str, axis: int, rank: int, *, attribute: str = "axis") -> int:
    """`axis` counted from 0; negative ones count from the end. Raises OpError outside."""
    if -rank <= axis < rank:
        return axis % rank
    ends = f"axes are 0 to {rank - 1}, or from the end -1 to -{rank}"
    raise OpError(
        f"`{op}` has no axis {axis} in an input of rank {rank}",
        attribute=attribute,
        fix=ends if rank > 1 else None,
    )


def fixed_axis(op: str, x: TensorType, axis: int, *, what: str, input: int = 0) -> int:
    """The size of an axis as a number, for parameters. Raises E0403 naming free dims."""
    number = x.shape[axis].constant
    if number is None:
        raise _not_fixed(op, x, axis, what, input)
    return number


def known_axis(
    op: str, check: Check, x: TensorType, axis: int, *, what: str, input: int = 0
) -> Dim:
    """The size of an axis that parameters depend on, for a shape rule. Raises E0403 as above."""
    size = x.shape[axis]
    if not check.is_number(size):
        raise _not_fixed(op, x, axis, what, input)
    return size


def _not_fixed(op: str, x: TensorType, axis: int, what: str, input: int) -> OpError:
    size = x.shape[axis]
    free = free_names(size)
    fix = f"give {free} a fixed size, or remove {free} before it, for example with a pool"
    if axis == 1 and x.rank > 3 and x.shape[-1].constant is not None:
        sizes = ", ".join(map(str, (x.shape[0], x.shape[-1], *x.shape[1:-1])))
        fix = f"channels are on axis 1: declare the input as `{x.dtype.value}[{sizes}]`"
    return OpError(
        f"`{op}` needs a fixed number of {what}, but axis {axis} of `{x}` is `{size}`",
        code="E0403",
        input=input,
        notes=(f"the weights of `{op}` depend on this size, so it must be fixed",),
        fix=fix,
    )


def fixed_channels(op: str, x: TensorType, axis: int = 1) -> int:
    """The number of channels, for parameters. Raises E0403."""
    return fixed_axis(op, x, axis, what="channels")


def known_channels(op: str, check: Check, x: TensorType, axis: int = 1) -> Dim:
    """The number of channels, which parameters depend on, for a shape rule. Raises E0403."""
    return known_axis(op, check, x, axis, what="channels")


def divides(op: str, attribute: str, value: DimLike, number: DimLike, what: str) -> None:
    """Raise OpError unless `value` (of `attribute`) divides `number`, OutsideFragment if open."""
    if not is_multiple(number, value):
        raise OpError(
            f"`{op}` needs {what} divisible by `{attribute}`, but {number} is not divisible "
            f"by {value}",
            attribute=attribute,
        )


def is_multiple(number: DimLike, of: DimLike) -> bool:
    """Whether one number is a multiple of another. Raises OutsideFragment if undecided."""
    number, of = dim(number), dim(of)
    if number.constant is not None and of.constant is not None:
        return number.constant % of.constant == 0
    rest = (number % of).constant
    if rest is None:
        raise OutsideFragment(f"whether {number} is a multiple of {of}")
    return rest == 0


def free_names(size: Dim) -> str:
    """The free dims of a size for a message: `H` and `W`, quoted."""
    quoted = [f"`{name}`" for name in sorted(size.symbols)]
    return quoted[0] if len(quoted) == 1 else ", ".join(quoted[:-1]) + f" and {quoted[-1]}"


# ---------------------------------------------------------------------- windows


@frozen
class Slide:
    """The movement of a window along one axis; `before` and `after` count padded positions."""

    kernel: int
    stride: int = 1
    dilation: int = 1
    before: int = 0
    after: int = 0

    @property
    def reach(self) -> int:
        """Number of positions from the first to the last tap of the window."""
        return self.dilation * (self.kernel - 1) + 1

    @property
    def window(self) -> Window:
        """What an output position sees."""
        return Window(self.reach, self.stride)

    @property
    def row(self) -> TapRow:
        """The positions of its taps."""
        from archspec.ops.channels import TapRow  # noqa: PLC0415  (start-up)

        every = self.dilation if self.kernel > 1 else 1
        return TapRow(-self.before, self.kernel, every, self.stride)


def per_axis(op: str, attribute: str, value: int | tuple[int, ...], axes: int) -> tuple[int, ...]:
    """One number for each spatial axis. Raises OpError if there are too many or too few."""
    if isinstance(value, int):
        return (value,) * axes
    if len(value) == axes:
        return value
    raise OpError(
        f"`{op}` takes one number or {axes} (one per spatial axis) for `{attribute}`, "
        f"but got {len(value)}",
        attribute=attribute,
    )


def slides_of(
    op: str,
    axes: int,
    kernel: int | tuple[int, ...],
    stride: int | tuple[int, ...],
    padding: int | tuple[int, ...],
    dilation: int | tuple[int, ...] = 1,
) -> tuple[Slide, ...]:
    """The movement of a window along each axis, with symmetric padding. Raises OpError."""
    kernels = per_axis(op, "kernel", kernel, axes)
    strides = per_axis(op, "stride", stride, axes)
    paddings = per_axis(op, "padding", padding, axes)
    dilations = per_axis(op, "dilation", dilation, axes)
    return tuple(map(Slide, kernels, strides, dilations, paddings, paddings))


def convolved(
    op: str, check: Check, size: Dim, slide: Slide, axis: int, *, asked: bool = False
) -> Dim:
    """Size after a convolution: `(size + padding - reach) // stride + 1`.

    Requires the padded axis to be at least as large as the window, and the axis to be non-empty, as
    PyTorch does. The axis is one of the input, or one that was requested (`asked`).
    """
    padding = slide.before + slide.after
    padded = size + padding
    check.require_nonnegative(
        size - max(1, slide.reach - padding),
        f"`{op}` needs axis {axis} to have at least {slide.reach} positions with its padding",
        of=None if asked else size,
    )
    return (padded - slide.reach) // slide.stride + 1


def pooled(op: str, check: Check, size: Dim, slide: Slide, axis: int, *, ceil: bool) -> Dim:
    """Size after a pool, as `pooling_output_shape` of PyTorch computes it.

    With `ceil`, PyTorch rounds up and then omits a last window that would start in the right
    padding. Let n = size + before - 1. The number of windows that start before it is
    n // stride + 1, and rounding up gives (n + stride - (reach - after)) // stride + 1, at most one
    more. So the first is smaller if stride > reach - after, otherwise the second: the case does not
    depend on the size.
    """
    more = slide.before + slide.after - slide.reach
    if ceil and slide.stride > slide.reach - slide.after:
        more = slide.before - 1
    elif ceil:
        more += slide.stride - 1
    reason = f"`{op}` needs axis {axis} to be large enough for one window"
    check.require(at_least(size, max(1, -more)), reason)
    return (size + more) // slide.stride + 1


def transposed(size: Dim, slide: Slide, extra: int) -> Dim:
    """Size after a transposed convolution; `extra` is PyTorch's output padding."""
    cut = slide.before + slide.after
    return (size - 1) * slide.stride + (slide.reach - cut + extra)


def transposed_window(slide: Slide) -> Window:
    """Upper bound of what an output position of a transposed convolution sees.

    Output o reads the inputs i with o + before = i * stride + dilation * j for some tap j; taps
    that share an o are at a distance of stride / gcd(stride, dilation).
    """
    step = slide.stride // gcd(slide.stride, slide.dilation)
    farthest = (slide.kernel - 1) // step * step
    return Window(slide.dilation * farthest // slide.stride + 1, 1, scale=slide.stride)


# ---------------------------------------------------------------------- receptive fields


def along(axis: int | tuple[int, ...], x: TensorType) -> Seen:
    """The receptive field if each position depends on the whole of some axes."""
    axes = {one % x.rank for one in ((axis,) if isinstance(axis, int) else axis)}
    spatial = set(range(2, x.rank))
    if not axes & spatial:
        return "pointwise"
    return "all" if spatial <= axes else "unknown"


def mixed(inputs: Sequence[TensorType]) -> Seen:
    """The receptive field if axes are summed or indexed; without spatial axes, one position."""
    return "pointwise" if all(one.rank <= 2 for one in inputs) else "unknown"


def exchanged(order: tuple[int, ...] | None) -> Seen:
    """The receptive field if axes are reordered: one position if the spatial ones stay in place."""
    stay = order is not None and order[2:] == tuple(range(2, len(order)))
    return "pointwise" if stay else "unknown"


def require_entries(op: str, check: Check, size: Dim, indices: TensorType) -> None:
    """Require an axis of this size to be non-empty, unless there are no indices to look up."""
    nothing = (equal(one, 0) for one in indices.shape)
    needed = disjunction([at_least(size, 1), *nothing])
    check.require(needed, f"`{op}` needs at least one entry for its indices")


def fixed(size: Dim, what: str, *, fix: str | None = None, code: str = "E0403") -> int:
    """The number that `size` is. Raises OpError naming `what` when it depends on a free dim."""
    if size.constant is None:
        raise OpError(f"{what} must be a fixed number, but it is `{size}`", code=code, fix=fix)
    return size.constant
