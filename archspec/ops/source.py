"""Ops without inputs that are constants: ranges, zeros, literals. Sizes may be free dims."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field

from archspec.ops.base import Check, Example, Op, OpError
from archspec.ops.broadcasting import literal_dtype
from archspec.types.dim import Dim, dim
from archspec.types.tensor import DType, TensorType

_NO_INPUT = (0, 0)


def checked_shape(op: str, check: Check, sizes: tuple[int | Dim, ...]) -> tuple[Dim, ...]:
    """The shape of these sizes, none of which is negative. Raises OpError."""
    shape = tuple(map(dim, sizes))
    for size in shape:
        if size.constant is not None and size.constant < 0:
            raise OpError(f"`{op}` cannot make an axis of size {size}", attribute="shape")
        reason = f"`{op}` needs the size {size} not to be negative"
        check.require_nonnegative(size, reason, of=None)
    return shape


class Arange(Op):
    """Evenly spaced integers: the half-open range `arange(n)` from 0, or `arange(a, b)` from a.

    start: the first number; or the end, if it is the only argument.
    stop: the end, which is excluded.
    step: the difference between neighbours.
    dtype: element type of the result.
    """

    name: ClassVar[str] = "arange"
    arity: ClassVar[tuple[int, int | None]] = _NO_INPUT
    category: ClassVar[str] = "source"
    pointwise: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"start": 5}, ()),
        Example({"start": 2, "stop": 9, "step": 3}, ()),
        Example({"start": 9, "stop": 2, "step": -2, "dtype": "f32"}, ()),
    )

    start: int | Dim
    stop: int | Dim | None = None
    step: int = 1
    dtype: Annotated[DType, Field(strict=False)] = DType.I64

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        if self.step == 0:
            raise OpError("`arange` cannot go in steps of 0", attribute="step")
        if self.dtype not in (DType.I64, DType.I32, DType.F32):
            raise OpError(f"`arange` does not support type {self.dtype}", attribute="dtype")
        first, last = self.bounds
        way = last - first if self.step > 0 else first - last
        if way.constant is not None and way.constant < 0:
            raise OpError(
                f"`arange` cannot go from {first} to {last} in steps of {self.step}",
                attribute="start" if self.stop is None else "stop",
            )
        check.require_nonnegative(way, f"`arange` goes from {first} to {last}", of=None)
        step = abs(self.step)
        return TensorType(self.dtype, ((way + (step - 1)) // step,))

    @property
    def bounds(self) -> tuple[Dim, Dim]:
        """Its start and its end, which is excluded."""
        if self.stop is None:
            return dim(0), dim(self.start)
        return dim(self.start), dim(self.stop)


class Linspace(Op):
    """`count` numbers from `start` to `stop`, both included, evenly spaced.

    start: the first number.
    stop: the last number.
    count: the number of elements; it may be a free dim.
    """

    name: ClassVar[str] = "linspace"
    arity: ClassVar[tuple[int, int | None]] = _NO_INPUT
    category: ClassVar[str] = "source"
    pointwise: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"start": -1.0, "stop": 1.0, "count": 5}, ()),
        Example({"start": 0, "stop": 3, "count": 4}, ()),
    )

    start: int | float | Dim
    stop: int | float | Dim
    count: int | Dim

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        return TensorType(DType.F32, checked_shape(self.name, check, (self.count,)))


class ZerosTensor(Op):
    """Zeros of a given shape: `zeros([B, 8])`.

    shape: sizes of the axes, which may be free dims.
    dtype: element type of the result.
    """

    name: ClassVar[str] = "zeros"
    arity: ClassVar[tuple[int, int | None]] = _NO_INPUT
    category: ClassVar[str] = "source"
    pointwise: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"shape": (2, 3)}, ()),
        Example({"shape": (2,), "dtype": "bool"}, ()),
    )

    shape: tuple[int | Dim, ...]
    dtype: Annotated[DType, Field(strict=False)] = DType.F32

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        return TensorType(self.dtype, checked_shape(self.name, check, self.shape))


class OnesTensor(Op):
    """Ones of a given shape: `ones([B, 8])`.

    shape: sizes of the axes, which may be free dims.
    dtype: element type of the result.
    """

    name: ClassVar[str] = "ones"
    arity: ClassVar[tuple[int, int | None]] = _NO_INPUT
    category: ClassVar[str] = "source"
    pointwise: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"shape": (2, 3)}, ()),
        Example({"shape": (2,), "dtype": "i64"}, ()),
    )

    shape: tuple[int | Dim, ...]
    dtype: Annotated[DType, Field(strict=False)] = DType.F32

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        return TensorType(self.dtype, checked_shape(self.name, check, self.shape))


def number_dtype(values: object) -> DType:
    """The element type of literals: bool, i64, or f32 if one of them is a fraction."""
    if isinstance(values, tuple):
        kinds = {number_dtype(value) for value in values} or {DType.F32}
        return DType.F32 if DType.F32 in kinds else DType.I64 if DType.I64 in kinds else DType.BOOL
    if isinstance(values, bool):
        return DType.BOOL
    return DType.F32 if isinstance(values, float) else DType.I64


class Full(Op):
    """A constant tensor of a given shape: `full([B, 8], 0.5)`.

    Without `dtype`, a fraction gives f32, an integer i64, and true and false give bool.

    shape: sizes of the axes, which may be free dims.
    value: the number.
    dtype: element type of the result.
    """

    name: ClassVar[str] = "full"
    arity: ClassVar[tuple[int, int | None]] = _NO_INPUT
    category: ClassVar[str] = "source"
    pointwise: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"shape": (2, 3), "value": 0.5}, ()),
        Example({"shape": (2,), "value": 7}, ()),
        Example({"shape": (2,), "value": True}, ()),
        Example({"shape": (), "value": 7, "dtype": "f32"}, ()),
    )

    shape: tuple[int | Dim, ...]
    value: bool | int | float | Dim
    dtype: Annotated[DType | None, Field(strict=False)] = None

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        kind = self.dtype or number_dtype(self.value)
        literal_dtype(self.name, self.value, kind, attribute="value")
        return TensorType(kind, checked_shape(self.name, check, self.shape))


class EyeTensor(Op):
    """The identity matrix with `size` rows, and by default the same number of columns.

    size: number of rows.
    columns: number of columns.
    dtype: element type of the result.
    """

    name: ClassVar[str] = "eye"
    arity: ClassVar[tuple[int, int | None]] = _NO_INPUT
    category: ClassVar[str] = "source"
    pointwise: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"size": 3}, ()),
        Example({"size": 3, "columns": 5, "dtype": "i64"}, ()),
    )

    size: int | Dim
    columns: int | Dim | None = None
    dtype: Annotated[DType, Field(strict=False)] = DType.F32

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        columns = self.size if self.columns is None else self.columns
        return TensorType(self.dtype, checked_shape(self.name, check, (self.size, columns)))


def nested_shape(values: object) -> tuple[int, ...]:
    """The shape of nested tuples of numbers. Raises ValueError if they are ragged."""
    if not isinstance(values, tuple):
        if isinstance(values, bool | int | float):
            return ()
        raise ValueError(f"a tensor consists of numbers, not of {type(values).__name__}")
    shapes = {nested_shape(value) for value in values}
    if len(shapes) > 1:
        raise ValueError("the rows of a tensor must have the same length")
    return (len(values), *(shapes.pop() if shapes else ()))


def _regular(values: object) -> object:
    nested_shape(values)
    return values


class TensorLiteral(Op):
    """A tensor of literals: `tensor([[1, 0], [0, 1]])`.

    Without `dtype`, fractions give f32, integers i64, and true and false give bool.

    values: a number, or nested lists of numbers.
    dtype: element type of the result.
    """

    name: ClassVar[str] = "tensor"
    arity: ClassVar[tuple[int, int | None]] = _NO_INPUT
    category: ClassVar[str] = "source"
    pointwise: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"values": ((1, 0, 2), (0, 1, 3))}, ()),
        Example({"values": (0.5, 1.0)}, ()),
        Example({"values": (True, False)}, ()),
        Example({"values": 3, "dtype": "f32"}, ()),
    )

    values: Annotated[Any, AfterValidator(_regular)]
    dtype: Annotated[DType | None, Field(strict=False)] = None

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        found = number_dtype(self.values)
        kind = self.dtype or found
        if found is DType.F32:
            literal_dtype(self.name, 0.5, kind, attribute="values")
        return TensorType(kind, tuple(map(dim, nested_shape(self.values))))
