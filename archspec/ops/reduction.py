"""Reductions over one, several or all axes.

`axis` is a number, or a list of numbers; negative numbers count from the end, and by default all
axes are reduced. `keepdim` keeps the reduced axes with size 1.
"""

from __future__ import annotations

from typing import ClassVar, Protocol, TypeAlias

from archspec.ops.base import Check, Example, Op, OpError, Seen, ShapeRule
from archspec.ops.broadcasting import FLOATS, NUMBERS, REALS, require_dtype
from archspec.ops.channel_layout import ChannelLayout, without
from archspec.ops.shape_rules import axis_index
from archspec.ops.symbols import Symbol
from archspec.types.condition import at_least
from archspec.types.dim import ONE
from archspec.types.tensor import DType, TensorType

Axes: TypeAlias = int | tuple[int, ...] | None

_REAL = frozenset({DType.F32})
_BOOL = frozenset({DType.BOOL})
_EXAMPLES = (
    Example(),
    Example({"axis": 1}),
    Example({"axis": (-2, -1), "keepdim": True}),
)


def axes_of(op: str, axis: Axes, rank: int) -> tuple[int, ...]:
    """The axes, from 0, sorted. Raises OpError for one that does not exist or is given twice."""
    if axis is None:
        return tuple(range(rank))
    given = (axis,) if isinstance(axis, int) else axis
    found = sorted(axis_index(op, one, rank) for one in given)
    if len(set(found)) < len(found):
        raise OpError(f"`{op}` was given an axis twice: {list(given)}", attribute="axis")
    if not found:
        raise OpError(f"`{op}` was given no axis", attribute="axis")
    return tuple(found)


def reduced(op: str, given: TensorType, axis: Axes, keepdim: bool) -> TensorType:
    """The type after reducing over `axis`."""
    gone = axes_of(op, axis, given.rank)
    if keepdim:
        shape = [ONE if index in gone else size for index, size in enumerate(given.shape)]
    else:
        shape = [size for index, size in enumerate(given.shape) if index not in gone]
    return TensorType(given.dtype, tuple(shape))


def nonempty(op: str, check: Check, given: TensorType, axis: Axes) -> None:
    """Require at least one element: no size along the axes may be 0."""
    for index in axes_of(op, axis, given.rank):
        size = given.shape[index]
        check.require(at_least(size, 1), f"`{op}` needs an element on axis {index}")


def seen(axis: Axes, inputs: tuple[TensorType, ...]) -> Seen:
    """The receptive field: everything, if a spatial axis is reduced."""
    rank = inputs[0].rank
    gone = range(rank) if axis is None else [axis] if isinstance(axis, int) else axis
    return "all" if any(index % rank >= 2 for index in gone if rank) else "pointwise"


class Reduces(Protocol):
    """An op that reduces axes."""

    name: ClassVar[str]

    @property
    def axis(self) -> Axes:
        """The axis or axes; None for all."""

    @property
    def keepdim(self) -> bool:
        """Whether a 1 stays where an axis was."""


def choosing(op: Reduces, check: Check, inputs: tuple[TensorType, ...]) -> TensorType:
    """Shape rule of an op that selects one of the elements."""
    require_dtype(op.name, inputs[0], REALS)
    nonempty(op.name, check, inputs[0], op.axis)
    return reduced(op.name, inputs[0], op.axis, op.keepdim)


def _of(allowed: frozenset[DType], fix: str | None = None) -> ShapeRule:
    """Shape rule of an op whose result has the element type of the input, one of these types."""

    def rule(op: Reduces, check: Check, inputs: tuple[TensorType, ...]) -> TensorType:
        require_dtype(op.name, inputs[0], allowed, fix=fix)
        return reduced(op.name, inputs[0], op.axis, op.keepdim)

    return rule


class Sum(Op):
    """Sum. For integers it is i64.

    axis: the axis or axes to reduce; by default all.
    keepdim: whether reduced axes are kept with size 1.
    """

    name: ClassVar[str] = "sum"
    category: ClassVar[str] = "reduction"
    examples: ClassVar[tuple[Example, ...]] = (*_EXAMPLES, Example(inputs=("i64[2, 8]",)))

    axis: int | tuple[int, ...] | None = None
    keepdim: bool = False

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        (given,) = inputs
        kind = require_dtype(
            self.name, given, NUMBERS, fix="to count true elements, write `-> cast(i64)` first"
        )
        result = reduced(self.name, given, self.axis, self.keepdim)
        return result.with_dtype(DType.I64) if kind is DType.I32 else result

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Seen:
        return seen(self.axis, inputs)


class Mean(Op):
    """Arithmetic mean.

    axis: the axis or axes to reduce; by default all.
    keepdim: whether reduced axes are kept with size 1.
    """

    name: ClassVar[str] = "mean"
    category: ClassVar[str] = "reduction"
    shape_rule: ClassVar[ShapeRule | None] = _of(FLOATS)
    examples: ClassVar[tuple[Example, ...]] = _EXAMPLES

    axis: int | tuple[int, ...] | None = None
    keepdim: bool = False

    def channel_layout(self, axis: int, *inputs: TensorType) -> ChannelLayout | None:
        gone = axes_of(self.name, self.axis, inputs[0].rank)
        found = without(axis, gone, inputs[0].rank)
        return ChannelLayout(axis) if found is not None and self.keepdim else found

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Seen:
        return seen(self.axis, inputs)


class Max(Op):
    """The largest element; `maximum` compares several tensors.

    axis: the axis or axes to reduce; by default all.
    keepdim: whether reduced axes are kept with size 1.
    """

    name: ClassVar[str] = "max"
    category: ClassVar[str] = "reduction"
    shape_rule: ClassVar[ShapeRule | None] = choosing
    examples: ClassVar[tuple[Example, ...]] = _EXAMPLES

    axis: int | tuple[int, ...] | None = None
    keepdim: bool = False

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Seen:
        return seen(self.axis, inputs)


class Min(Op):
    """The smallest element; `minimum` compares several tensors.

    axis: the axis or axes to reduce; by default all.
    keepdim: whether reduced axes are kept with size 1.
    """

    name: ClassVar[str] = "min"
    category: ClassVar[str] = "reduction"
    shape_rule: ClassVar[ShapeRule | None] = choosing
    examples: ClassVar[tuple[Example, ...]] = _EXAMPLES

    axis: int | tuple[int, ...] | None = None
    keepdim: bool = False

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Seen:
        return seen(self.axis, inputs)


class Any(Op):
    """Whether at least one element is true.

    axis: the axis or axes to reduce; by default all.
    keepdim: whether reduced axes are kept with size 1.
    """

    name: ClassVar[str] = "any"
    category: ClassVar[str] = "reduction"
    shape_rule: ClassVar[ShapeRule | None] = _of(_BOOL, "compare first: `(x > 0)`")
    examples: ClassVar[tuple[Example, ...]] = (
        Example(inputs=("bool[2, 8]",)),
        Example({"axis": 1, "keepdim": True}, ("bool[2, 8]",)),
    )

    axis: int | tuple[int, ...] | None = None
    keepdim: bool = False

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Seen:
        return seen(self.axis, inputs)


class All(Op):
    """Whether all elements are true.

    axis: the axis or axes to reduce; by default all.
    keepdim: whether reduced axes are kept with size 1.
    """

    name: ClassVar[str] = "all"
    category: ClassVar[str] = "reduction"
    shape_rule: ClassVar[ShapeRule | None] = _of(_BOOL, "compare first: `(x > 0)`")
    examples: ClassVar[tuple[Example, ...]] = (
        Example(inputs=("bool[2, 8]",)),
        Example({"axis": 1, "keepdim": True}, ("bool[2, 8]",)),
    )

    axis: int | tuple[int, ...] | None = None
    keepdim: bool = False

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Seen:
        return seen(self.axis, inputs)


class Std(Op):
    """Standard deviation; the sum of squares is divided by the number of elements - `correction`.

    axis: the axis or axes to reduce; by default all.
    keepdim: whether reduced axes are kept with size 1.
    correction: 1 for an estimate from a sample, 0 for the whole population.
    """

    name: ClassVar[str] = "std"
    category: ClassVar[str] = "reduction"
    positions: ClassVar[int | None] = 1
    shape_rule: ClassVar[ShapeRule | None] = _of(_REAL)
    examples: ClassVar[tuple[Example, ...]] = (*_EXAMPLES, Example({"correction": 0}))

    axis: int | tuple[int, ...] | None = None
    keepdim: bool = False
    correction: int | Symbol = 1

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Seen:
        return seen(self.axis, inputs)


class Var(Op):
    """Variance; the sum of squares is divided by the number of elements - `correction`.

    axis: the axis or axes to reduce; by default all.
    keepdim: whether reduced axes are kept with size 1.
    correction: 1 for an estimate from a sample, 0 for the whole population.
    """

    name: ClassVar[str] = "var"
    category: ClassVar[str] = "reduction"
    positions: ClassVar[int | None] = 1
    shape_rule: ClassVar[ShapeRule | None] = _of(_REAL)
    examples: ClassVar[tuple[Example, ...]] = (*_EXAMPLES, Example({"correction": 0}))

    axis: int | tuple[int, ...] | None = None
    keepdim: bool = False
    correction: int | Symbol = 1

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Seen:
        return seen(self.axis, inputs)


class Norm(Op):
    """The p-norm, `sum(|x| ** p) ** (1 / p)`; over several axes it is not a matrix norm.

    p: the power; 2 is the Euclidean norm, 0 counts the elements that are not 0.
    axis: the axis or axes to reduce; by default all.
    keepdim: whether reduced axes are kept with size 1.
    """

    name: ClassVar[str] = "norm"
    category: ClassVar[str] = "reduction"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(),
        Example({"p": 1.0, "axis": 1}),
        Example({"p": 2, "axis": (2, 3), "keepdim": True}),
    )

    p: int | float = 2
    axis: int | tuple[int, ...] | None = None
    keepdim: bool = False

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        require_dtype(self.name, inputs[0], _REAL)
        if self.p < 0:
            nonempty(self.name, check, inputs[0], self.axis)
        return reduced(self.name, inputs[0], self.axis, self.keepdim)

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Seen:
        return seen(self.axis, inputs)


class LogSumExp(Op):
    """`log(sum(exp(x)))`, computed so that it does not overflow.

    axis: the axis or axes to reduce; by default all.
    keepdim: whether reduced axes are kept with size 1.
    """

    name: ClassVar[str] = "logsumexp"
    category: ClassVar[str] = "reduction"
    shape_rule: ClassVar[ShapeRule | None] = _of(_REAL)
    examples: ClassVar[tuple[Example, ...]] = _EXAMPLES

    axis: int | tuple[int, ...] | None = None
    keepdim: bool = False

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Seen:
        return seen(self.axis, inputs)
