"""Ops that rearrange elements without computing: flatten, reshape, permute, expand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from archspec.ops.base import Check, Example, Op, OpError, Seen
from archspec.ops.channel_layout import ChannelLayout, regrouped
from archspec.ops.shape_rules import axis_index, exchanged
from archspec.types.atoms import OutsideFragment
from archspec.types.dim import ONE, Dim, dim, exact_quotient, product
from archspec.types.tensor import TensorType


class Flatten(Op):
    """Merges the axes from `start` to `stop`, both included; by default all but the first.

    start: first axis.
    stop: last axis.
    """

    name: ClassVar[str] = "flatten"
    category: ClassVar[str] = "shape"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(),
        Example({"start": 0}),
        Example({"start": 1, "stop": 2}),
        Example({"start": -2, "stop": -1}),
    )

    start: int = 1
    stop: int = -1

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        (given,) = inputs
        if given.rank == 0:
            return given.with_shape(ONE)
        start = axis_index(self.name, self.start, given.rank, attribute="start")
        stop = axis_index(self.name, self.stop, given.rank, attribute="stop")
        if stop < start:
            raise OpError(f"`flatten` cannot go from axis {start} back to {stop}", attribute="stop")
        shape = given.shape
        return given.with_shape(
            *shape[:start], product(shape[start : stop + 1]), *shape[stop + 1 :]
        )

    def channel_layout(self, axis: int, *inputs: TensorType) -> ChannelLayout | None:
        return regrouped(axis, inputs[0].shape, self.infer(Check(), *inputs).shape)

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Seen:
        (given,) = inputs
        if given.rank == 0:
            return "pointwise"
        start, stop = self.start % given.rank, self.stop % given.rank
        return "all" if start < stop and stop >= 2 else "pointwise"


def with_one_unknown(
    op: str, check: Check, total: Dim, sizes: Sequence[int | Dim], *, attribute: str
) -> tuple[Dim, ...]:
    """`sizes`, whose product must be `total`; at most one is -1 and computed by exact division.

    Raises OpError if the sizes cannot fit, or if that cannot be decided.
    """
    asked = [dim(size) for size in sizes]
    unknown = [index for index, size in enumerate(asked) if size == -1]
    if len(unknown) > 1:
        raise OpError(f"`{op}` can infer one size, not {len(unknown)}", attribute=attribute)
    for size in asked:
        _not_negative(op, check, size, attribute)
    known = product(size for size in asked if size != -1)
    if not unknown:
        _same_number(op, check, total, known, attribute)
        return tuple(asked)
    asked[unknown[0]] = exact_division(op, check, total, known, attribute=attribute)
    return tuple(asked)


def _not_negative(op: str, check: Check, size: Dim, attribute: str) -> None:
    if size == -1:
        return
    if size.constant is not None and size.constant < 0:
        raise OpError(f"`{op}` cannot make an axis of size {size}", attribute=attribute)
    check.require_nonnegative(size, f"`{op}` needs the size {size} not to be negative", of=None)


def _same_number(op: str, check: Check, total: Dim, known: Dim, attribute: str) -> None:
    if total.constant is not None and known.constant is not None and total != known:
        raise OpError(
            f"`{op}` keeps the number of elements, but {total} is not {known}",
            attribute=attribute,
        )
    reason = (
        f"`{op}` keeps the number of elements: the input has {total}, the result would have {known}"
    )
    check.require_equal(total, known, reason)


def exact_division(op: str, check: Check, total: Dim, by: Dim, *, attribute: str) -> Dim:
    """`total / by`, which must have no remainder. Raises OpError if that is undecidable."""
    if by.constant is None:
        check.require_nonnegative(by - 1, f"`{op}` divides {total} by {by}", of=None)
        total, by = _without_common_factor(total, by)
    try:
        quotient = total // by
        rest = total % by
    except ZeroDivisionError:
        raise OpError(f"`{op}` cannot infer a size next to a 0", attribute=attribute) from None
    except OutsideFragment:
        raise OpError(
            f"`{op}` cannot divide {total} by {by} for all sizes",
            code="E0411",
            attribute=attribute,
            fix="give this size instead of -1, or fix the sizes",
        ) from None
    if rest.constant is not None and rest != 0:
        number = f"a multiple of {by}, but it gets {total}"
        raise OpError(f"`{op}` needs {number}", attribute=attribute)
    check.require_equal(rest, 0, f"`{op}` divides {total} by {by}")
    return quotient


def _without_common_factor(total: Dim, by: Dim) -> tuple[Dim, Dim]:
    """Both divided by their common symbols, so that the rest is a number if possible."""
    if len(by.terms) != 1:
        return total, by
    ((symbols, number),) = by.terms
    shared = exact_quotient(total, Dim({symbols: 1}))
    return (total, by) if shared is None else (shared, dim(number))


class Reshape(Op):
    """The same elements with another shape: `reshape(B, -1)`. One size may be -1, to be inferred.

    shape: the new sizes, one of which may be -1.
    """

    name: ClassVar[str] = "reshape"
    category: ClassVar[str] = "shape"
    variadic: ClassVar[str | None] = "shape"
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"shape": (2, 8, -1)}),
        Example({"shape": (4, 4, 16, 16)}),
        Example({"shape": ()}, ("f32[1, 1]",)),
    )

    shape: tuple[int | Dim, ...]

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        (given,) = inputs
        total = given.elements
        return given.with_shape(
            *with_one_unknown(self.name, check, total, self.shape, attribute="shape")
        )

    def channel_layout(self, axis: int, *inputs: TensorType) -> ChannelLayout | None:
        return regrouped(axis, inputs[0].shape, self.infer(Check(), *inputs).shape)

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Seen:
        return "all" if inputs[0].rank > 2 else "pointwise"


class Unflatten(Op):
    """Splits an axis into several: `unflatten(axis=1, sizes=[4, -1])`. One size may be -1.

    axis: the axis to split.
    sizes: the sizes of the new axes.
    """

    name: ClassVar[str] = "unflatten"
    category: ClassVar[str] = "shape"
    pointwise: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"axis": 1, "sizes": (4, -1)}),
        Example({"axis": -1, "sizes": (2, 2, 4)}),
    )

    axis: int
    sizes: tuple[int | Dim, ...]

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        (given,) = inputs
        axis = axis_index(self.name, self.axis, given.rank)
        if not self.sizes:
            raise OpError("`unflatten` needs at least one size", attribute="sizes")
        total = given.shape[axis]
        sizes = with_one_unknown(self.name, check, total, self.sizes, attribute="sizes")
        return given.with_shape(*given.shape[:axis], *sizes, *given.shape[axis + 1 :])

    def channel_layout(self, axis: int, *inputs: TensorType) -> ChannelLayout | None:
        return regrouped(axis, inputs[0].shape, self.infer(Check(), *inputs).shape)


class Transpose(Op):
    """Swaps two axes; by default the last two.

    axis_a: one axis.
    axis_b: the other.
    """

    name: ClassVar[str] = "transpose"
    category: ClassVar[str] = "shape"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(),
        Example({"axis_a": 1, "axis_b": 2}),
    )

    axis_a: int = -2
    axis_b: int = -1

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        (given,) = inputs
        a = axis_index(self.name, self.axis_a, given.rank, attribute="axis_a")
        b = axis_index(self.name, self.axis_b, given.rank, attribute="axis_b")
        shape = list(given.shape)
        shape[a], shape[b] = shape[b], shape[a]
        return given.with_shape(*shape)

    def permutation(self, rank: int) -> tuple[int, ...] | None:
        order = list(range(rank))
        order[self.axis_a], order[self.axis_b] = order[self.axis_b], order[self.axis_a]
        return tuple(order)

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Seen:
        return exchanged(self.permutation(inputs[0].rank))


class Permute(Op):
    """Reorders all axes: `permute(0, 2, 3, 1)`.

    axes: for each axis of the result, the axis of the input.
    """

    name: ClassVar[str] = "permute"
    category: ClassVar[str] = "shape"
    variadic: ClassVar[str | None] = "axes"
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"axes": (0, 2, 3, 1)}),
        Example({"axes": (0, -1, 1, 2)}),
    )

    axes: tuple[int, ...]

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        (given,) = inputs
        order = [axis_index(self.name, axis, given.rank, attribute="axes") for axis in self.axes]
        if sorted(order) != list(range(given.rank)):
            raise OpError(
                f"`permute` needs each of the {given.rank} axes once, but got {list(self.axes)}",
                attribute="axes",
            )
        return given.with_shape(*(given.shape[axis] for axis in order))

    def permutation(self, rank: int) -> tuple[int, ...] | None:
        return tuple(axis % rank for axis in self.axes)

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Seen:
        return exchanged(self.permutation(inputs[0].rank))


class Unsqueeze(Op):
    """Inserts a new axis of size 1.

    axis: the position of the new axis.
    """

    name: ClassVar[str] = "unsqueeze"
    category: ClassVar[str] = "shape"
    pointwise: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (Example({"axis": 0}), Example({"axis": -1}))

    axis: int

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        (given,) = inputs
        axis = axis_index(self.name, self.axis, given.rank + 1)
        return given.with_shape(*given.shape[:axis], ONE, *given.shape[axis:])

    def channel_layout(self, axis: int, *inputs: TensorType) -> ChannelLayout | None:
        return regrouped(axis, inputs[0].shape, self.infer(Check(), *inputs).shape)


class Squeeze(Op):
    """Removes one or more axes of size 1. Another size is an error.

    axis: the axis or axes to remove.
    """

    name: ClassVar[str] = "squeeze"
    category: ClassVar[str] = "shape"
    pointwise: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"axis": 1}, ("f32[2, 1, 16]",)),
        Example({"axis": (-2, -1)}, ("f32[2, 8, 1, 1]",)),
    )

    axis: int | tuple[int, ...]

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        (given,) = inputs
        axes = (self.axis,) if isinstance(self.axis, int) else self.axis
        gone = [axis_index(self.name, axis, given.rank) for axis in axes]
        if len(set(gone)) < len(gone):
            raise OpError(f"`squeeze` was given an axis twice: {list(axes)}", attribute="axis")
        for axis in gone:
            size = given.shape[axis]
            if size.constant is not None and size != 1:
                raise OpError(
                    f"`squeeze` needs size 1 on axis {axis}, but the input is {given.shape_text}",
                    attribute="axis",
                )
            check.require_equal(size, 1, f"`squeeze` needs size 1 on axis {axis}")
        return given.with_shape(*(s for i, s in enumerate(given.shape) if i not in gone))

    def channel_layout(self, axis: int, *inputs: TensorType) -> ChannelLayout | None:
        return regrouped(axis, inputs[0].shape, self.infer(Check(), *inputs).shape)


class Expand(Op):
    """Repeats along axes of size 1 without copying: `class_token -> expand(B)`.

    The sizes are those of the leading axes; the axes after them are unchanged. More sizes than the
    input has axes add new axes at the front: `t -> expand(B, 1, H, W)` for a scalar t. An axis that
    is not literally 1 must have the given size; -1 keeps the size of an axis.

    sizes: sizes of the leading axes, or of new axes followed by all axes.
    """

    name: ClassVar[str] = "expand"
    category: ClassVar[str] = "shape"
    pointwise: ClassVar[bool] = True
    variadic: ClassVar[str | None] = "sizes"
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"sizes": (4,)}, ("f32[1, 1, 8]",)),
        Example({"sizes": (4, 1, 16, 16)}, ("f32[]",)),
        Example({"sizes": (3, 2, -1, 16)}, ("f32[2, 8, 1]",)),
    )

    sizes: tuple[int | Dim, ...]

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        (given,) = inputs
        new = max(0, len(self.sizes) - given.rank)
        shape: list[Dim] = []
        for axis, asked in enumerate(map(dim, self.sizes)):
            if axis < new:
                shape.append(self._new(check, asked))
            else:
                shape.append(self._size(check, given, axis - new, asked))
        return given.with_shape(*shape, *given.shape[len(shape) - new :])

    @staticmethod
    def _new(check: Check, asked: Dim) -> Dim:
        if asked == -1:
            raise OpError("`expand` cannot keep the size of a new axis", attribute="sizes")
        _not_negative("expand", check, asked, "sizes")
        return asked

    def _size(self, check: Check, given: TensorType, axis: int, asked: Dim) -> Dim:
        size = given.shape[axis]
        if asked in (-1, size):
            return size
        if size == 1:
            _not_negative(self.name, check, asked, "sizes")
            return asked
        if size.constant is not None and asked.constant is not None:
            raise OpError(
                f"`expand` can only repeat axes of size 1, but axis {axis} of {given.shape_text} "
                f"would become {asked}",
                attribute="sizes",
            )
        check.require_equal(size, asked, f"`expand` needs axis {axis} to be {asked}")
        return asked if asked.constant is not None else size
