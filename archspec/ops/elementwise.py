"""Functions of one number, applied to each element."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from archspec.ops.base import Check, Example, Op, ShapeRule
from archspec.ops.broadcasting import FLOATS, NUMBERS, REALS, require_dtype
from archspec.types.tensor import DType, TensorType

_REAL = frozenset({DType.F32})
_WHOLE = Example(inputs=("i64[4]",))


def _same(allowed: frozenset[DType]) -> ShapeRule:
    """Shape rule of an op that keeps the type of its one input, with one of these element types."""

    def rule(op: Op, check: Check, inputs: tuple[TensorType, ...]) -> TensorType:
        (given,) = inputs
        require_dtype(op.name, given, allowed)
        return given

    return rule


class Exp(Op):
    """The exponential, `e ** x`."""

    name: ClassVar[str] = "exp"
    category: ClassVar[str] = "arithmetic"
    pointwise: ClassVar[bool] = True
    shape_rule: ClassVar[ShapeRule | None] = _same(FLOATS)
    examples: ClassVar[tuple[Example, ...]] = (Example(),)


class Log(Op):
    """The natural logarithm."""

    name: ClassVar[str] = "log"
    category: ClassVar[str] = "arithmetic"
    pointwise: ClassVar[bool] = True
    shape_rule: ClassVar[ShapeRule | None] = _same(FLOATS)
    examples: ClassVar[tuple[Example, ...]] = (Example(),)


class Log1p(Op):
    """`log(1 + x)`, accurate near 0."""

    name: ClassVar[str] = "log1p"
    category: ClassVar[str] = "arithmetic"
    pointwise: ClassVar[bool] = True
    shape_rule: ClassVar[ShapeRule | None] = _same(_REAL)
    examples: ClassVar[tuple[Example, ...]] = (Example(),)


class Sqrt(Op):
    """The square root."""

    name: ClassVar[str] = "sqrt"
    category: ClassVar[str] = "arithmetic"
    pointwise: ClassVar[bool] = True
    shape_rule: ClassVar[ShapeRule | None] = _same(FLOATS)
    examples: ClassVar[tuple[Example, ...]] = (Example(),)


class Rsqrt(Op):
    """One over the square root."""

    name: ClassVar[str] = "rsqrt"
    category: ClassVar[str] = "arithmetic"
    pointwise: ClassVar[bool] = True
    shape_rule: ClassVar[ShapeRule | None] = _same(_REAL)
    examples: ClassVar[tuple[Example, ...]] = (Example(),)


class Square(Op):
    """`x * x`."""

    name: ClassVar[str] = "square"
    category: ClassVar[str] = "arithmetic"
    pointwise: ClassVar[bool] = True
    shape_rule: ClassVar[ShapeRule | None] = _same(NUMBERS)
    examples: ClassVar[tuple[Example, ...]] = (Example(), _WHOLE)


class Reciprocal(Op):
    """`1 / x`."""

    name: ClassVar[str] = "reciprocal"
    category: ClassVar[str] = "arithmetic"
    pointwise: ClassVar[bool] = True
    shape_rule: ClassVar[ShapeRule | None] = _same(FLOATS)
    examples: ClassVar[tuple[Example, ...]] = (Example(),)


class Sign(Op):
    """-1, 0 or 1 if the element is negative, zero or positive."""

    name: ClassVar[str] = "sign"
    category: ClassVar[str] = "arithmetic"
    pointwise: ClassVar[bool] = True
    shape_rule: ClassVar[ShapeRule | None] = _same(REALS)
    examples: ClassVar[tuple[Example, ...]] = (Example(), _WHOLE)

    @property
    def idempotent(self) -> bool:
        return True


class Sin(Op):
    """The sine of an angle in radians."""

    name: ClassVar[str] = "sin"
    category: ClassVar[str] = "arithmetic"
    pointwise: ClassVar[bool] = True
    shape_rule: ClassVar[ShapeRule | None] = _same(FLOATS)
    examples: ClassVar[tuple[Example, ...]] = (Example(),)


class Cos(Op):
    """The cosine of an angle in radians."""

    name: ClassVar[str] = "cos"
    category: ClassVar[str] = "arithmetic"
    pointwise: ClassVar[bool] = True
    shape_rule: ClassVar[ShapeRule | None] = _same(FLOATS)
    examples: ClassVar[tuple[Example, ...]] = (Example(),)


class Erf(Op):
    """The error function, `2 / sqrt(pi)` times the integral of `exp(-t * t)` from 0 to x."""

    name: ClassVar[str] = "erf"
    category: ClassVar[str] = "arithmetic"
    pointwise: ClassVar[bool] = True
    shape_rule: ClassVar[ShapeRule | None] = _same(_REAL)
    examples: ClassVar[tuple[Example, ...]] = (Example(),)


class Floor(Op):
    """Rounded down."""

    name: ClassVar[str] = "floor"
    category: ClassVar[str] = "arithmetic"
    pointwise: ClassVar[bool] = True
    shape_rule: ClassVar[ShapeRule | None] = _same(REALS)
    examples: ClassVar[tuple[Example, ...]] = (Example(), _WHOLE)

    @property
    def idempotent(self) -> bool:
        return True


class Ceil(Op):
    """Rounded up."""

    name: ClassVar[str] = "ceil"
    category: ClassVar[str] = "arithmetic"
    pointwise: ClassVar[bool] = True
    shape_rule: ClassVar[ShapeRule | None] = _same(REALS)
    examples: ClassVar[tuple[Example, ...]] = (Example(), _WHOLE)

    @property
    def idempotent(self) -> bool:
        return True


class Round(Op):
    """Rounded to the nearest integer, halves to the nearest even one."""

    name: ClassVar[str] = "round"
    category: ClassVar[str] = "arithmetic"
    pointwise: ClassVar[bool] = True
    shape_rule: ClassVar[ShapeRule | None] = _same(REALS)
    examples: ClassVar[tuple[Example, ...]] = (Example(), _WHOLE)

    @property
    def idempotent(self) -> bool:
        return True


class Abs(Op):
    """The absolute value; for a complex number its modulus, which is a floating-point number."""

    name: ClassVar[str] = "abs"
    category: ClassVar[str] = "arithmetic"
    pointwise: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (Example(), _WHOLE, Example(inputs=("c64[2, 8]",)))

    @property
    def idempotent(self) -> bool:
        return True

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        (given,) = inputs
        require_dtype(self.name, given, NUMBERS)
        return given.with_dtype(DType.F32) if given.dtype is DType.C64 else given


class Cast(Op):
    """The same values as another element type; the only conversion in the language.

    A cast to an integer type truncates; a cast to bool is true for values other than zero. A
    complex tensor cannot be cast: use `as_real` or `abs`.

    dtype: element type of the result.
    """

    name: ClassVar[str] = "cast"
    category: ClassVar[str] = "arithmetic"
    pointwise: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"dtype": "i64"}),
        Example({"dtype": "f32"}, ("bool[2, 8]",)),
        Example({"dtype": "bool"}, ("i64[2, 8]",)),
        Example({"dtype": "i32"}, ("i64[2, 8]",)),
        Example({"dtype": "c64"}),
    )

    dtype: Annotated[DType, Field(strict=False)]

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        (given,) = inputs
        if given.dtype is not self.dtype:
            require_dtype(self.name, given, REALS | {DType.BOOL}, fix="use `as_real` or `abs`")
        return given.with_dtype(self.dtype)


class Detach(Op):
    """The same values, without a gradient."""

    name: ClassVar[str] = "detach"
    category: ClassVar[str] = "arithmetic"
    pointwise: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (Example(),)

    @property
    def idempotent(self) -> bool:
        return True

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        (given,) = inputs
        return given
