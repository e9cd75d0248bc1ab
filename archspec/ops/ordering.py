"""Ops that sort or accumulate the elements along one axis."""

from __future__ import annotations

from typing import ClassVar

from archspec.ops.base import Check, Example, Op, OpError, Seen, ShapeRule
from archspec.ops.broadcasting import NUMBERS, REALS, require_dtype
from archspec.ops.reduction import Reduces, choosing, seen
from archspec.ops.shape_rules import axis_index
from archspec.types.dim import Dim, dim
from archspec.types.tensor import DType, TensorType

_EXAMPLES = (
    Example(),
    Example({"axis": 1}),
    Example({"axis": -1, "keepdim": True}),
)


def _place(op: Reduces, check: Check, inputs: tuple[TensorType, ...]) -> TensorType:
    """Shape rule of an op that yields the position of an element."""
    return choosing(op, check, inputs).with_dtype(DType.I64)


class ArgMax(Op):
    """Index of the largest element (i64): along `axis`, or by default in the flattened tensor.

    axis: the axis to reduce; by default the flattened tensor.
    keepdim: whether reduced axes are kept with size 1.
    """

    name: ClassVar[str] = "argmax"
    category: ClassVar[str] = "reduction"
    shape_rule: ClassVar[ShapeRule | None] = _place
    examples: ClassVar[tuple[Example, ...]] = _EXAMPLES

    axis: int | None = None
    keepdim: bool = False

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Seen:
        return seen(self.axis, inputs)


class ArgMin(Op):
    """Index of the smallest element (i64): along `axis`, or by default in the flattened tensor.

    axis: the axis to reduce; by default the flattened tensor.
    keepdim: whether reduced axes are kept with size 1.
    """

    name: ClassVar[str] = "argmin"
    category: ClassVar[str] = "reduction"
    shape_rule: ClassVar[ShapeRule | None] = _place
    examples: ClassVar[tuple[Example, ...]] = _EXAMPLES

    axis: int | None = None
    keepdim: bool = False

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Seen:
        return seen(self.axis, inputs)


class CumSum(Op):
    """Cumulative sum along an axis. For integers it is i64.

    axis: the axis along which elements are summed.
    """

    name: ClassVar[str] = "cumsum"
    category: ClassVar[str] = "reduction"
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"axis": 1}),
        Example({"axis": -1}, ("i32[2, 8]",)),
    )

    axis: int

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        (given,) = inputs
        kind = require_dtype(
            self.name, given, NUMBERS, fix="to count true elements, write `-> cast(i64)` first"
        )
        axis_index(self.name, self.axis, given.rank)
        return given.with_dtype(DType.I64) if kind is DType.I32 else given

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Seen:
        return seen(self.axis, inputs)


class TopK(Op):
    """The `count` largest elements along an axis, largest first: (values, indices).

    count: number of elements.
    axis: the axis to sort.
    largest: false for the smallest elements.
    """

    name: ClassVar[str] = "topk"
    output_names: ClassVar[tuple[str, ...]] = ("values", "indices")
    category: ClassVar[str] = "reduction"
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"count": 3}),
        Example({"count": 2, "axis": 1, "largest": False}),
    )

    count: int | Dim
    axis: int = -1
    largest: bool = True

    def infer(self, check: Check, *inputs: TensorType) -> tuple[TensorType, ...]:
        (given,) = inputs
        require_dtype(self.name, given, REALS)
        axis = axis_index(self.name, self.axis, given.rank)
        count = dim(self.count)
        if count.constant is not None and count.constant < 1:
            raise OpError("`topk` needs a count of at least 1", attribute="count")
        reason = f"`topk` needs {count} elements on axis {axis}"
        size = given.shape[axis]
        check.require_nonnegative(size - count, reason, of=size)
        check.require_nonnegative(count, "`topk` needs a count that is not negative", of=size)
        shape = (*given.shape[:axis], count, *given.shape[axis + 1 :])
        return TensorType(given.dtype, shape), TensorType(DType.I64, shape)

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Seen:
        return seen(self.axis, inputs)


class Sort(Op):
    """The elements in ascending order along an axis, and their indices: (values, indices).

    axis: the axis to sort.
    descending: whether the largest come first.
    """

    name: ClassVar[str] = "sort"
    output_names: ClassVar[tuple[str, ...]] = ("values", "indices")
    category: ClassVar[str] = "reduction"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(),
        Example({"axis": 1, "descending": True}),
    )

    axis: int = -1
    descending: bool = False

    def infer(self, check: Check, *inputs: TensorType) -> tuple[TensorType, ...]:
        (given,) = inputs
        require_dtype(self.name, given, REALS)
        axis_index(self.name, self.axis, given.rank)
        return given, given.with_dtype(DType.I64)

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Seen:
        return seen(self.axis, inputs)
