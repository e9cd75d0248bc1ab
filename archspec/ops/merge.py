"""Ops that join tensors along an axis, or split one."""

from __future__ import annotations

from typing import ClassVar, Literal

from archspec.ops.advice import Application, Doubt
from archspec.ops.base import Check, Example, Op, OpError
from archspec.ops.broadcasting import require_equal_dims, same_dtype, same_rank
from archspec.ops.shape import exact_division
from archspec.ops.shape_rules import axis_index, fixed
from archspec.types.condition import at_least
from archspec.types.dim import Dim, dim, sum_of
from archspec.types.tensor import TensorType

MOST_OUTPUTS = 4096
"""The largest number of outputs of an op: a size in a spec must not fill the memory."""


def _few(op: str, count: int, attribute: str) -> None:
    if count > MOST_OUTPUTS:
        raise OpError(
            f"`{op}` would return {count} tensors; at most {MOST_OUTPUTS} are allowed",
            attribute=attribute,
        )


def _some(op: str, inputs: tuple[TensorType, ...]) -> None:
    if not inputs:
        raise OpError(f"`{op}` needs at least one tensor, but got an empty tuple")


class Concat(Op):
    """The inputs concatenated along an axis; by default along the channels, axis 1.

    All other dims must be equal.

    axis: the axis along which the inputs are concatenated.
    """

    name: ClassVar[str] = "concat"
    arity: ClassVar[tuple[int, int | None]] = (1, None)
    category: ClassVar[str] = "merge"
    pointwise: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (
        Example(inputs=("f32[2, 8, 16, 16]", "f32[2, 4, 16, 16]", "f32[2, 1, 16, 16]")),
        Example({"axis": -1}, ("f32[2, 8]", "f32[2, 4]")),
    )

    axis: int = 1

    def vanishes(self, *inputs: TensorType) -> bool:
        return len(inputs) == 1

    def doubt(self, use: Application) -> Doubt | None:
        """Images of the same sizes side by side, as where channels are the last axis."""
        rank = use.inputs[0].rank
        if rank < 4 or self.axis not in (-1, rank - 1):
            return None
        if any(one.shape[2:] != use.inputs[0].shape[2:] for one in use.inputs):
            return None
        before = [use.origin(index) for index in range(len(use.inputs))]
        known = [one.channel_axis for one in before if one is not None]
        if not known or any(axis != "first" for axis in known):
            return None
        return Doubt(
            "`concat` joins images along their width; channels are on axis 1",
            "for more channels write `concat`, or `concat(axis=1)`",
        )

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        _some(self.name, inputs)
        rank, kind = same_rank(self.name, inputs), same_dtype(self.name, inputs)
        axis = axis_index(self.name, self.axis, rank)
        shape = list(inputs[0].shape)
        for index, one in enumerate(inputs[1:], start=1):
            for other in range(rank):
                if other == axis:
                    continue
                require_equal_dims(self.name, check, other, inputs[0], one, index)
                if one.shape[other].constant is not None:
                    shape[other] = one.shape[other]
        shape[axis] = sum_of(one.shape[axis] for one in inputs)
        return TensorType(kind, tuple(shape))


class Stack(Op):
    """Inputs of the same shape stacked along a new axis.

    axis: the position of the new axis.
    """

    name: ClassVar[str] = "stack"
    arity: ClassVar[tuple[int, int | None]] = (1, None)
    category: ClassVar[str] = "merge"
    pointwise: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (
        Example(inputs=("f32[2, 8]", "f32[2, 8]")),
        Example({"axis": -1}, ("f32[2, 8]", "f32[2, 8]", "f32[2, 8]")),
    )

    axis: int = 0

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        _some(self.name, inputs)
        rank, kind = same_rank(self.name, inputs), same_dtype(self.name, inputs)
        axis = axis_index(self.name, self.axis, rank + 1)
        shape = list(inputs[0].shape)
        for index, one in enumerate(inputs[1:], start=1):
            for other in range(rank):
                require_equal_dims(self.name, check, other, inputs[0], one, index)
                if one.shape[other].constant is not None:
                    shape[other] = one.shape[other]
        shape.insert(axis, dim(len(inputs)))
        return TensorType(kind, tuple(shape))


class Split(Op):
    """A tuple of parts along an axis: a number of equal parts, or a list of sizes.

    `split(2)` yields two equal parts; `split([8, 24])` yields parts of these sizes, whose sum must
    be the size of the axis.

    parts: the number of equal parts, or a list of sizes.
    axis: the axis to split.
    """

    name: ClassVar[str] = "split"
    category: ClassVar[str] = "merge"
    pointwise: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"parts": 2}),
        Example({"parts": (3, 5)}),
        Example({"parts": 4, "axis": -1}),
        Example({"parts": 1}),
    )

    parts: int | tuple[int | Dim, ...]
    axis: int = 1

    def infer(self, check: Check, *inputs: TensorType) -> tuple[TensorType, ...]:
        (given,) = inputs
        axis = axis_index(self.name, self.axis, given.rank)
        sizes = self._sizes(check, given.shape[axis])
        before, after = given.shape[:axis], given.shape[axis + 1 :]
        return tuple(given.with_shape(*before, size, *after) for size in sizes)

    def _sizes(self, check: Check, total: Dim) -> tuple[Dim, ...]:
        if isinstance(self.parts, int):
            if self.parts < 1:
                raise OpError("`split` needs at least one part", attribute="parts")
            _few(self.name, self.parts, "parts")
            by = dim(self.parts)
            if total.constant is not None and by.constant and total.constant % by.constant:
                message = f"`split` cannot divide {total} into {by} equal parts"
                raise OpError(message, attribute="parts")
            part = exact_division(self.name, check, total, by, attribute="parts")
            if self.parts > 1:  # PyTorch splits an empty axis into one part only
                check.require(at_least(part, 1), "`split` needs parts that are not empty")
            return (part,) * self.parts
        if not self.parts:
            raise OpError("`split` was given an empty list of sizes", attribute="parts")
        sizes = tuple(dim(size) for size in self.parts)
        for size in sizes:
            if size.constant is not None and size.constant < 0:
                raise OpError(f"`split` cannot make a part of size {size}", attribute="parts")
            reason = f"`split` needs the part {size} not to be negative"
            check.require_nonnegative(size, reason, of=total)
        together = sum_of(sizes)
        if together.constant is not None and total.constant is not None and together != total:
            raise OpError(
                f"`split` needs parts that add up to {total}, but "
                f"{' + '.join(map(str, sizes))} is {together}",
                attribute="parts",
            )
        check.require_equal(together, total, f"`split` needs parts that add up to {total}")
        return sizes


class Unbind(Op):
    """A tuple of the slices along an axis, which is removed. Its size must be a fixed number.

    axis: the axis that is removed.
    """

    name: ClassVar[str] = "unbind"
    category: ClassVar[str] = "merge"
    pointwise: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (
        Example(inputs=("f32[3, 2, 8]",)),
        Example({"axis": -1}, ("f32[2, 8, 2]",)),
        Example(inputs=("f32[1, 8]",)),
    )

    axis: int = 0

    def infer(self, check: Check, *inputs: TensorType) -> tuple[TensorType, ...]:
        (given,) = inputs
        axis = axis_index(self.name, self.axis, given.rank)
        count = fixed(given.shape[axis], f"the number of tensors that `{self.name}` returns")
        if count < 1:
            raise OpError(f"`unbind` needs axis {axis} not to be empty", attribute="axis")
        _few(self.name, count, "axis")
        part = given.with_shape(*given.shape[:axis], *given.shape[axis + 1 :])
        return (part,) * count


class MeshGrid(Op):
    """Coordinates of a grid from vectors: one tensor for each, all with the shape of the grid.

    With `indexing="ij"`, axis k corresponds to input k; with "xy" the first two axes are swapped,
    as in NumPy.

    indexing: "ij" or "xy".
    """

    name: ClassVar[str] = "meshgrid"
    arity: ClassVar[tuple[int, int | None]] = (1, None)
    category: ClassVar[str] = "merge"
    pointwise: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (
        Example(inputs=("i64[3]", "i64[4]")),
        Example({"indexing": "xy"}, ("f32[3]", "f32[4]", "f32[5]")),
    )

    indexing: Literal["ij", "xy"] = "ij"

    def infer(self, check: Check, *inputs: TensorType) -> tuple[TensorType, ...]:
        _some(self.name, inputs)
        kind = same_dtype(self.name, inputs)
        for index, one in enumerate(inputs):
            if one.rank != 1:
                raise OpError(f"`meshgrid` takes vectors, but got {one.shape_text}", input=index)
        sizes = [one.shape[0] for one in inputs]
        if self.indexing == "xy" and len(sizes) > 1:
            sizes[0], sizes[1] = sizes[1], sizes[0]
        return (TensorType(kind, tuple(sizes)),) * len(inputs)
