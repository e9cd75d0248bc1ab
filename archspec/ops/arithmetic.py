"""Arithmetic on tensors: the operators `+ - * / // % **`, which are also available as layers.

Two inputs are broadcast; with one input, `scalar` is the other operand, on the left if `reverse`.
There are no implicit conversions: both operands have the same element type, and a literal takes
the type of the tensor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from archspec.ops.base import Arithmetic, Check, Example, Op, OpError
from archspec.ops.broadcasting import (
    FLOATS,
    NUMBERS,
    REALS,
    broadcast,
    literal_dtype,
    require_dtype,
    same_dtype,
)
from archspec.types.dim import Dim
from archspec.types.tensor import DType, TensorType

if TYPE_CHECKING:
    from archspec.ops.channels import ChannelMap

_PAIR = ("f32[2, 8, 16, 16]", "f32[2, 8, 16, 16]")
_BROADCAST = ("f32[2, 8, 16, 16]", "f32[8, 1, 1]")
_INTEGERS = ("i64[4]",)


def operands(
    op: str,
    check: Check,
    inputs: tuple[TensorType, ...],
    scalar: int | float | Dim | None,
    allowed: frozenset[DType] = NUMBERS,
    fix: str | None = None,
) -> TensorType:
    """The type of the result for these inputs, or for one input and `scalar`.

    Raises OpError if there are too many or too few operands, or if their types do not fit.
    """
    if scalar is not None and len(inputs) != 1:
        raise OpError(
            f"`{op}` takes two tensors, or one tensor and `scalar`, not both", attribute="scalar"
        )
    for index, one in enumerate(inputs):
        require_dtype(op, one, allowed, input=index, fix=fix)
    kind = same_dtype(op, inputs)
    if scalar is not None:
        return inputs[0].with_dtype(literal_dtype(op, scalar, kind))
    return TensorType(kind, broadcast(op, check, inputs))


def pair(
    op: str,
    check: Check,
    inputs: tuple[TensorType, ...],
    scalar: int | float | Dim | None,
    allowed: frozenset[DType] = NUMBERS,
    fix: str | None = None,
) -> TensorType:
    """Like `operands`, for ops of exactly two operands."""
    if scalar is None and len(inputs) != 2:
        raise OpError(
            f"`{op}` takes two tensors, but got one",
            fix=f"give it a tuple, `(a, b) -> {op}`, or a number, `{op}(scalar=2)`",
        )
    return operands(op, check, inputs, scalar, allowed, fix)


def known(scalar: int | float | Dim | None) -> float | None:
    """The number in place of the second tensor, if it does not depend on sizes."""
    return float(scalar) if isinstance(scalar, int | float) else None


def kept(rank: int, number: float | None, neutral: float) -> tuple[int, ...] | None:
    """The order of all axes if the operation with this number changes nothing, otherwise None."""
    return tuple(range(rank)) if number == neutral else None


def affine(scale: float | None, shift: float | None) -> ChannelMap:
    """The map that multiplies all channels by `scale` and adds `shift`."""
    from archspec.ops.channels import ChannelMap, Number  # noqa: PLC0415  (start-up)

    return ChannelMap(
        scale=Number(scale) if scale is not None else None,
        shift=Number(shift) if shift is not None else None,
    )


class Add(Op):
    """Sum of all inputs, `a + b`. Shapes must be equal; only a literal 1 broadcasts.

    For one input without `scalar`, the result is that input: a sum over branches may have only one.

    scalar: a number in place of the second tensor.
    reverse: whether `scalar` is the left operand.
    """

    name: ClassVar[str] = "add"
    arity: ClassVar[tuple[int, int | None]] = (1, None)
    category: ClassVar[str] = "arithmetic"
    pointwise: ClassVar[bool] = True
    positions: ClassVar[int | None] = 1
    examples: ClassVar[tuple[Example, ...]] = (
        Example(inputs=_PAIR),
        Example(inputs=(*_BROADCAST, "f32[16]")),
        Example({"scalar": 1.5}),
        Example({"scalar": 2, "reverse": True}, _INTEGERS),
        Example({"scalar": 0}),
    )

    scalar: int | float | Dim | None = None
    reverse: bool = False

    @property
    def arithmetic(self) -> Arithmetic:
        return "sum"

    def vanishes(self, *inputs: TensorType) -> bool:
        return len(inputs) == 1 and self.scalar is None

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        return operands(self.name, check, inputs, self.scalar)

    def permutation(self, rank: int) -> tuple[int, ...] | None:
        return kept(rank, known(self.scalar), 0)

    def affine_per_channel(self, *inputs: TensorType) -> ChannelMap | None:
        number = known(self.scalar)
        return affine(None, number) if number is not None else None


class Sub(Op):
    """Difference, `a - b`; `scalar - a` with `reverse`.

    scalar: a number in place of the second tensor.
    reverse: whether `scalar` is the left operand.
    """

    name: ClassVar[str] = "sub"
    arity: ClassVar[tuple[int, int | None]] = (1, 2)
    category: ClassVar[str] = "arithmetic"
    pointwise: ClassVar[bool] = True
    positions: ClassVar[int | None] = 1
    examples: ClassVar[tuple[Example, ...]] = (
        Example(inputs=_BROADCAST),
        Example({"scalar": 1}),
        Example({"scalar": 1, "reverse": True}),
    )

    scalar: int | float | Dim | None = None
    reverse: bool = False

    @property
    def arithmetic(self) -> Arithmetic:
        return "difference"

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        return pair(self.name, check, inputs, self.scalar)

    def permutation(self, rank: int) -> tuple[int, ...] | None:
        return kept(rank, None if self.reverse else known(self.scalar), 0)

    def affine_per_channel(self, *inputs: TensorType) -> ChannelMap | None:
        number = known(self.scalar)
        if number is None:
            return None
        return affine(-1.0, number) if self.reverse else affine(None, -number)


class Mul(Op):
    """Product of all inputs, elementwise, `a * b`.

    scalar: a number in place of the second tensor.
    reverse: whether `scalar` is the left operand.
    """

    name: ClassVar[str] = "mul"
    arity: ClassVar[tuple[int, int | None]] = (1, None)
    category: ClassVar[str] = "arithmetic"
    pointwise: ClassVar[bool] = True
    positions: ClassVar[int | None] = 1
    examples: ClassVar[tuple[Example, ...]] = (
        Example(inputs=_BROADCAST),
        Example({"scalar": 0.5}),
        Example({"scalar": 2, "reverse": True}),
        Example({"scalar": 1, "reverse": True}),
    )

    scalar: int | float | Dim | None = None
    reverse: bool = False

    @property
    def arithmetic(self) -> Arithmetic:
        return "product"

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        return operands(self.name, check, inputs, self.scalar)

    def permutation(self, rank: int) -> tuple[int, ...] | None:
        return kept(rank, known(self.scalar), 1)

    def affine_per_channel(self, *inputs: TensorType) -> ChannelMap | None:
        number = known(self.scalar)
        return affine(number, None) if number is not None else None


class Div(Op):
    """Quotient, `a / b`, of floating-point tensors.

    scalar: a number in place of the second tensor.
    reverse: whether `scalar` is the left operand.
    """

    name: ClassVar[str] = "div"
    arity: ClassVar[tuple[int, int | None]] = (1, 2)
    category: ClassVar[str] = "arithmetic"
    pointwise: ClassVar[bool] = True
    positions: ClassVar[int | None] = 1
    examples: ClassVar[tuple[Example, ...]] = (
        Example(inputs=_BROADCAST),
        Example({"scalar": 2}),
        Example({"scalar": 1.0, "reverse": True}),
    )

    scalar: int | float | Dim | None = None
    reverse: bool = False

    @property
    def arithmetic(self) -> Arithmetic:
        return "quotient"

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        fix = "use `//` for whole quotients, or `-> cast(f32)` first"
        return pair(self.name, check, inputs, self.scalar, FLOATS, fix)

    def permutation(self, rank: int) -> tuple[int, ...] | None:
        return kept(rank, None if self.reverse else known(self.scalar), 1)

    def affine_per_channel(self, *inputs: TensorType) -> ChannelMap | None:
        number = known(self.scalar)
        return affine(1.0 / number, None) if number and not self.reverse else None


class FloorDiv(Op):
    """Quotient rounded down, `a // b`, as in Python.

    scalar: a number in place of the second tensor.
    reverse: whether `scalar` is the left operand.
    """

    name: ClassVar[str] = "floor_div"
    arity: ClassVar[tuple[int, int | None]] = (1, 2)
    category: ClassVar[str] = "arithmetic"
    pointwise: ClassVar[bool] = True
    positions: ClassVar[int | None] = 1
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"scalar": 2}, _INTEGERS),
        Example({"scalar": 2.0}),
        Example({"scalar": 7.0, "reverse": True}),
        Example(inputs=_BROADCAST),
    )

    scalar: int | float | Dim | None = None
    reverse: bool = False

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        return pair(self.name, check, inputs, self.scalar, REALS)


class Mod(Op):
    """Remainder of the floored quotient, `a % b`, with the sign of `b`, as in Python.

    scalar: a number in place of the second tensor.
    reverse: whether `scalar` is the left operand.
    """

    name: ClassVar[str] = "mod"
    arity: ClassVar[tuple[int, int | None]] = (1, 2)
    category: ClassVar[str] = "arithmetic"
    pointwise: ClassVar[bool] = True
    positions: ClassVar[int | None] = 1
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"scalar": 3}, _INTEGERS),
        Example({"scalar": 3.0, "reverse": True}),
        Example(inputs=_BROADCAST),
    )

    scalar: int | float | Dim | None = None
    reverse: bool = False

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        return pair(self.name, check, inputs, self.scalar, REALS)


class Pow(Op):
    """Power, `a ** b`. An integer cannot have a negative exponent.

    scalar: a number in place of the second tensor.
    reverse: whether `scalar` is the left operand.
    """

    name: ClassVar[str] = "pow"
    arity: ClassVar[tuple[int, int | None]] = (1, 2)
    category: ClassVar[str] = "arithmetic"
    pointwise: ClassVar[bool] = True
    positions: ClassVar[int | None] = 1
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"scalar": 2}),
        Example({"scalar": 2.0, "reverse": True}),
        Example({"scalar": 3}, _INTEGERS),
        Example(inputs=_BROADCAST),
    )

    scalar: int | float | Dim | None = None
    reverse: bool = False

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        result = pair(self.name, check, inputs, self.scalar)
        negative = isinstance(self.scalar, int) and self.scalar < 0 and not self.reverse
        if negative and result.dtype.is_integer:
            raise OpError(
                f"`pow` of integers needs an exponent that is not negative, but `scalar` is "
                f"{self.scalar}",
                attribute="scalar",
                fix="`-> cast(f32)` first",
            )
        return result


class Neg(Op):
    """Negation, `-a`."""

    name: ClassVar[str] = "neg"
    category: ClassVar[str] = "arithmetic"
    pointwise: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (Example(), Example(inputs=_INTEGERS))

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        return operands(self.name, check, inputs, None)


class Maximum(Op):
    """Elementwise maximum of all inputs; `max` is the reduction over an axis.

    scalar: a number in place of the second tensor.
    reverse: whether `scalar` is the left operand.
    """

    name: ClassVar[str] = "maximum"
    arity: ClassVar[tuple[int, int | None]] = (1, None)
    category: ClassVar[str] = "arithmetic"
    pointwise: ClassVar[bool] = True
    positions: ClassVar[int | None] = 1
    examples: ClassVar[tuple[Example, ...]] = (
        Example(inputs=(*_BROADCAST, "f32[16]")),
        Example({"scalar": 0.0}),
        Example({"scalar": 0, "reverse": True}, _INTEGERS),
    )

    scalar: int | float | Dim | None = None
    reverse: bool = False

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        return operands(self.name, check, inputs, self.scalar, REALS)


class Minimum(Op):
    """Elementwise minimum of all inputs; `min` is the reduction over an axis.

    scalar: a number in place of the second tensor.
    reverse: whether `scalar` is the left operand.
    """

    name: ClassVar[str] = "minimum"
    arity: ClassVar[tuple[int, int | None]] = (1, None)
    category: ClassVar[str] = "arithmetic"
    pointwise: ClassVar[bool] = True
    positions: ClassVar[int | None] = 1
    examples: ClassVar[tuple[Example, ...]] = (
        Example(inputs=(*_BROADCAST, "f32[16]")),
        Example({"scalar": 6.0}),
        Example({"scalar": 6, "reverse": True}, _INTEGERS),
    )

    scalar: int | float | Dim | None = None
    reverse: bool = False

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        return operands(self.name, check, inputs, self.scalar, REALS)
