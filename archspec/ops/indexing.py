"""Ops that select or place elements by position: slice, take, gather, scatter, roll, triangles."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from archspec.ops.base import Check, Example, Op, OpError, Seen, Window
from archspec.ops.broadcasting import REALS, require_dtype, require_equal_dims, same_dtype
from archspec.ops.channel_layout import ChannelLayout, beside, without
from archspec.ops.shape_rules import axis_index, index_input, mixed, require_entries
from archspec.ops.symbols import Symbol
from archspec.types.dim import ZERO, Dim, ceil_divide, dim
from archspec.types.tensor import TensorType


def bounds(
    op: str, check: Check, size: Dim, start: int | Dim, stop: int | Dim | None, axis: int
) -> tuple[Dim, Dim]:
    """Start and stop of a slice of an axis, both from 0; a negative number counts from the end.

    Requires `0 <= start <= stop <= size`: a slice beyond the end is an error and is not clipped.
    A symbolic bound counts from the start. Raises OpError if numbers are out of range.
    """
    first = _from_front(size, start)
    last = size if stop is None else _from_front(size, stop)
    for low, high, what in (
        (ZERO, first, f"start {start} to be within axis {axis}"),
        (first, last, f"start {start} not to be after stop {stop} on axis {axis}"),
        (last, size, f"stop {stop} to be within axis {axis}"),
    ):
        rest = (high - low).constant
        if rest is not None and rest < 0:
            raise OpError(
                f"`{op}` needs {what}, whose size is {size}",
                attribute="stop" if high is size else "start",
            )
        check.require_nonnegative(high - low, f"`{op}` needs {what}", of=size)
    return first, last


def _from_front(size: Dim, at: int | Dim) -> Dim:
    number = dim(at).constant
    return size + number if number is not None and number < 0 else dim(at)


class Slice(Op):
    """Part of an axis, `x[start:stop:step]` in Python: `slice(axis=1, stop=10)`.

    Unlike in Python, `stop` must not be beyond the end.

    axis: the axis to slice.
    start: first position; negative numbers count from the end.
    stop: the position after the last; negative numbers count from the end; by default the end.
    step: distance between selected positions.
    """

    name: ClassVar[str] = "slice"
    category: ClassVar[str] = "indexing"
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"axis": 1, "start": 2}),
        Example({"axis": 2, "stop": 10}),
        Example({"axis": -1, "start": 1, "stop": -1, "step": 2}),
    )

    axis: int
    start: int | Dim = 0
    stop: int | Dim | None = None
    step: Annotated[int, Field(ge=1)] = 1

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        (given,) = inputs
        axis = axis_index(self.name, self.axis, given.rank)
        first, last = bounds(self.name, check, given.shape[axis], self.start, self.stop, axis)
        size = ceil_divide(last - first, self.step)
        return given.with_shape(*given.shape[:axis], size, *given.shape[axis + 1 :])

    def channel_layout(self, axis: int, *inputs: TensorType) -> ChannelLayout | None:
        return beside(axis, self.axis, inputs[0].rank)

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Seen:
        rank = inputs[0].rank
        axis = self.axis % rank
        if self.step == 1 or axis < 2:
            return "pointwise"
        return tuple(Window(1, self.step if axis == index else 1) for index in range(2, rank))


class Select(Op):
    """One index along an axis, which is removed: `select(axis=1, index=0)`.

    axis: the axis that is removed.
    index: the position; negative numbers count from the end.
    """

    name: ClassVar[str] = "select"
    category: ClassVar[str] = "indexing"
    pointwise: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"axis": 1, "index": 0}),
        Example({"axis": -1, "index": -1}),
    )

    axis: int
    index: int | Dim

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        (given,) = inputs
        axis = axis_index(self.name, self.axis, given.rank)
        size = given.shape[axis]
        at = _from_front(size, self.index)
        reason = f"`select` needs index {self.index} to be within axis {axis}"
        for rest in (at, size - at - 1):
            if rest.constant is not None and rest.constant < 0:
                raise OpError(f"{reason}, whose size is {size}", attribute="index")
            check.require_nonnegative(rest, reason, of=size)
        return given.with_shape(*given.shape[:axis], *given.shape[axis + 1 :])

    def channel_layout(self, axis: int, *inputs: TensorType) -> ChannelLayout | None:
        return without(axis, self.axis, inputs[0].rank)


class Crop(Op):
    """A slice along several axes: `crop([(2, 1, -1), (3, 1, -1)])`, each `(axis, start, stop)`.

    As in `slice`, a negative number counts from the end, and `stop` must not be beyond it.

    ranges: for each axis its number, the first position, and the position after the last.
    """

    name: ClassVar[str] = "crop"
    category: ClassVar[str] = "indexing"
    pointwise: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"ranges": ((2, 1, -1), (3, 0, 10))}),
        Example({"ranges": ((-1, -4, None),)}),
    )

    ranges: tuple[tuple[int, int | Dim, int | Dim | None], ...]

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        (given,) = inputs
        shape = list(given.shape)
        seen: set[int] = set()
        for where, start, stop in self.ranges:
            axis = axis_index(self.name, where, given.rank, attribute="ranges")
            if axis in seen:
                raise OpError(f"`crop` was given axis {axis} twice", attribute="ranges")
            seen.add(axis)
            try:
                first, last = bounds(self.name, check, shape[axis], start, stop, axis)
            except OpError as fault:
                raise OpError(fault.message, attribute="ranges") from fault
            shape[axis] = last - first
        return given.with_shape(*shape)

    def channel_layout(self, axis: int, *inputs: TensorType) -> ChannelLayout | None:
        return beside(axis, (where for where, _, _ in self.ranges), inputs[0].rank)


class Take(Op):
    """`(table, indices) -> take(axis)`: entries of an axis of the table, in any order and shape.

    The axis is replaced by the axes of `indices`, so a table [N, D] and indices [B, T] give
    [B, T, D] on axis 0.

    axis: the axis of the table that is indexed.
    """

    name: ClassVar[str] = "take"
    arity: ClassVar[tuple[int, int | None]] = (2, 2)
    category: ClassVar[str] = "indexing"
    examples: ClassVar[tuple[Example, ...]] = (
        Example({}, ("f32[9, 4]", "i64[2, 3]")),
        Example({"axis": 1}, ("f32[4, 9]", "i64[2, 3]")),
        Example({"axis": -1}, ("f32[4, 9]", "i64[]")),
    )

    axis: int = 0

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        table = inputs[0]
        indices = index_input(self.name, inputs, 1)
        axis = axis_index(self.name, self.axis, table.rank)
        require_entries(self.name, check, table.shape[axis], indices)
        return table.with_shape(*table.shape[:axis], *indices.shape, *table.shape[axis + 1 :])

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Seen:
        return mixed(inputs)


class Gather(Op):
    """`(x, indices) -> gather(axis)`: `out[i, j] = x[i, indices[i, j]]` on axis 1, and so on.

    Both have the same rank; along the other axes `indices` is at most as large as x.

    axis: the axis that is indexed.
    """

    name: ClassVar[str] = "gather"
    arity: ClassVar[tuple[int, int | None]] = (2, 2)
    category: ClassVar[str] = "indexing"
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"axis": 1}, ("f32[2, 9, 4]", "i64[2, 3, 4]")),
        Example({"axis": -1}, ("f32[2, 9]", "i64[1, 12]")),
    )

    axis: int

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        given = inputs[0]
        indices = index_input(self.name, inputs, 1)
        axis = axis_index(self.name, self.axis, given.rank)
        require_entries(self.name, check, given.shape[axis], indices)
        _require_within(self.name, check, indices, given, but=axis)
        return indices.with_dtype(given.dtype)

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Seen:
        return mixed(inputs)


def _require_within(
    op: str, check: Check, indices: TensorType, given: TensorType, *, but: int
) -> None:
    """Require indices with the rank of a tensor, and at most as large on all axes but `but`."""
    if indices.rank != given.rank:
        raise OpError(
            f"`{op}` needs indices of rank {given.rank}, but got {indices.shape_text}", input=1
        )
    for axis, (size, asked) in enumerate(zip(given.shape, indices.shape, strict=True)):
        if axis == but:
            continue
        rest = (size - asked).constant
        if rest is not None and rest < 0:
            raise OpError(
                f"`{op}` needs indices at most {size} long on axis {axis}, but got "
                f"{indices.shape_text}",
                input=1,
            )
        reason = f"`{op}` needs indices within axis {axis}"
        check.require_nonnegative(size - asked, reason, of=size)


class Scatter(Op):
    """`(x, indices, source) -> scatter(axis)`: x with `out[i, indices[i, j]] = source[i, j]`.

    This is the result for axis 1: the reverse of `gather`. `indices` and `source` have the same
    shape, which is at most as large as x on all axes but `axis`.

    axis: the axis of x that is indexed.
    reduction: how the value of x and all values for the same position are combined: `add` sums
        them, and `max` and `min` keep one; with `none` one value of `source` is used, and it is
        undefined which one if there are several.
    """

    name: ClassVar[str] = "scatter"
    arity: ClassVar[tuple[int, int | None]] = (3, 3)
    category: ClassVar[str] = "indexing"
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"axis": 1}, ("f32[2, 9, 4]", "i64[2, 3, 4]", "f32[2, 3, 4]")),
        Example(
            {"axis": 1, "reduction": "add"}, ("f32[2, 9, 4]", "i64[2, 12, 3]", "f32[2, 12, 3]")
        ),
        Example({"axis": -1, "reduction": "add"}, ("i64[9]", "i32[5]", "i64[5]")),
        Example({"axis": 0, "reduction": "max"}, ("f32[9, 2]", "i64[12, 2]", "f32[12, 2]")),
        Example({"axis": 0, "reduction": "min"}, ("f32[9]", "i64[12]", "f32[12]")),
    )

    axis: int
    reduction: Literal["none", "add", "max", "min"] = "none"

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        given, _, source = inputs
        indices = index_input(self.name, inputs, 1)
        axis = axis_index(self.name, self.axis, given.rank)
        if self.reduction != "none":
            require_dtype(self.name, given, REALS)
        if same_dtype(self.name, (given, given, source)) and source.rank != given.rank:
            raise OpError(
                f"`scatter` needs a source of rank {given.rank}, but got {source.shape_text}",
                input=2,
            )
        require_entries(self.name, check, given.shape[axis], indices)
        _require_within(self.name, check, indices, given, but=axis)
        for other in range(given.rank):  # PyTorch has no gradient if they differ
            require_equal_dims(self.name, check, other, indices, source, 2)
        return given

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Literal["all"]:
        """Indices can refer to any position."""
        return "all"


class Roll(Op):
    """Elements shifted along axes, cyclically.

    `roll([-3, -3], axes=[1, 2])` moves element i to i - 3.

    shifts: the number of positions, one for each axis.
    axes: the axis or axes along which elements are shifted.
    """

    name: ClassVar[str] = "roll"
    category: ClassVar[str] = "indexing"
    pointwise: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"shifts": 1, "axes": -1}),
        Example({"shifts": (-3, 2), "axes": (1, 2)}),
    )

    shifts: int | Dim | tuple[int | Dim, ...]
    axes: int | tuple[int, ...]

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        (given,) = inputs
        axes = (self.axes,) if isinstance(self.axes, int) else self.axes
        count = len(self.shifts) if isinstance(self.shifts, tuple) else 1
        if count != len(axes):
            words = f"`roll` needs one shift for each axis, but got {count} for {len(axes)}"
            raise OpError(words, attribute="shifts")
        for axis in axes:
            axis_index(self.name, axis, given.rank, attribute="axes")
        return given

    def permutation(self, rank: int) -> tuple[int, ...] | None:
        shifts = self.shifts if isinstance(self.shifts, tuple) else (self.shifts,)
        return tuple(range(rank)) if all(shift == 0 for shift in shifts) else None

    def channel_layout(self, axis: int, *inputs: TensorType) -> ChannelLayout | None:
        return beside(axis, self.axes, inputs[0].rank)


class Flip(Op):
    """The elements in reverse order along axes.

    axes: the axis or axes to reverse.
    """

    name: ClassVar[str] = "flip"
    category: ClassVar[str] = "indexing"
    pointwise: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"axes": -1}),
        Example({"axes": (2, 3)}),
    )

    axes: int | tuple[int, ...]

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        (given,) = inputs
        axes = (self.axes,) if isinstance(self.axes, int) else self.axes
        found = [axis_index(self.name, axis, given.rank, attribute="axes") for axis in axes]
        if len(set(found)) < len(found):
            raise OpError(f"`flip` was given an axis twice: {list(axes)}", attribute="axes")
        return given

    def channel_layout(self, axis: int, *inputs: TensorType) -> ChannelLayout | None:
        return beside(axis, self.axes, inputs[0].rank)


def _matrix(op: str, given: TensorType) -> TensorType:
    if given.rank < 2:
        raise OpError(f"`{op}` takes matrices, but its input is {given.shape_text}", input=0)
    return given


class Tril(Op):
    """The lower triangle of the last two axes, up to and including a diagonal; 0 above it.

    diagonal: the bounding diagonal, which is kept: 0 is the main one, positive ones are above it.
    """

    name: ClassVar[str] = "tril"
    category: ClassVar[str] = "indexing"
    pointwise: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (Example(), Example({"diagonal": -1}))

    diagonal: int | Symbol = 0

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        return _matrix(self.name, inputs[0])


class Triu(Op):
    """The upper triangle of the last two axes, from a diagonal on; 0 below it.

    diagonal: the bounding diagonal, which is kept: 0 is the main one, positive ones are above it.
    """

    name: ClassVar[str] = "triu"
    category: ClassVar[str] = "indexing"
    pointwise: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (Example(), Example({"diagonal": 1}))

    diagonal: int | Symbol = 0

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        return _matrix(self.name, inputs[0])
