"""Comparisons, which give bool, and logic on bool.

Operands broadcast as in arithmetic: dims must be equal, only a literal 1 broadcasts.
"""

from __future__ import annotations

from typing import ClassVar

from archspec.ops.arithmetic import operands, pair
from archspec.ops.base import Check, Example, Op
from archspec.ops.broadcasting import REALS, require_dtype
from archspec.types.dim import Dim
from archspec.types.tensor import DType, TensorType

_BOOL = frozenset({DType.BOOL})
_ANY = frozenset(DType)

_EXAMPLES = (
    Example(inputs=("f32[2, 8, 16, 16]", "f32[8, 1, 1]")),
    Example({"scalar": 0.0}),
    Example({"scalar": 3, "reverse": True}, ("i64[4]",)),
)
_LOGIC = (
    Example(inputs=("bool[2, 8]", "bool[8]")),
    Example(inputs=("bool[2, 8]", "bool[8]", "bool[2, 1]")),
)


class Eq(Op):
    """Whether `a == b`, elementwise.

    scalar: a number in place of the second tensor.
    reverse: whether `scalar` is the left operand.
    """

    name: ClassVar[str] = "eq"
    arity: ClassVar[tuple[int, int | None]] = (1, 2)
    category: ClassVar[str] = "arithmetic"
    pointwise: ClassVar[bool] = True
    positions: ClassVar[int | None] = 1
    examples: ClassVar[tuple[Example, ...]] = _EXAMPLES

    scalar: int | float | Dim | None = None
    reverse: bool = False

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        return pair(self.name, check, inputs, self.scalar, _ANY).with_dtype(DType.BOOL)


class Ne(Op):
    """Whether `a != b`, elementwise.

    scalar: a number in place of the second tensor.
    reverse: whether `scalar` is the left operand.
    """

    name: ClassVar[str] = "ne"
    arity: ClassVar[tuple[int, int | None]] = (1, 2)
    category: ClassVar[str] = "arithmetic"
    pointwise: ClassVar[bool] = True
    positions: ClassVar[int | None] = 1
    examples: ClassVar[tuple[Example, ...]] = _EXAMPLES

    scalar: int | float | Dim | None = None
    reverse: bool = False

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        return pair(self.name, check, inputs, self.scalar, _ANY).with_dtype(DType.BOOL)


class Lt(Op):
    """Whether `a < b`, elementwise.

    scalar: a number in place of the second tensor.
    reverse: whether `scalar` is the left operand.
    """

    name: ClassVar[str] = "lt"
    arity: ClassVar[tuple[int, int | None]] = (1, 2)
    category: ClassVar[str] = "arithmetic"
    pointwise: ClassVar[bool] = True
    positions: ClassVar[int | None] = 1
    examples: ClassVar[tuple[Example, ...]] = _EXAMPLES

    scalar: int | float | Dim | None = None
    reverse: bool = False

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        return pair(self.name, check, inputs, self.scalar, REALS).with_dtype(DType.BOOL)


class Le(Op):
    """Whether `a <= b`, elementwise.

    scalar: a number in place of the second tensor.
    reverse: whether `scalar` is the left operand.
    """

    name: ClassVar[str] = "le"
    arity: ClassVar[tuple[int, int | None]] = (1, 2)
    category: ClassVar[str] = "arithmetic"
    pointwise: ClassVar[bool] = True
    positions: ClassVar[int | None] = 1
    examples: ClassVar[tuple[Example, ...]] = _EXAMPLES

    scalar: int | float | Dim | None = None
    reverse: bool = False

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        return pair(self.name, check, inputs, self.scalar, REALS).with_dtype(DType.BOOL)


class Gt(Op):
    """Whether `a > b`, elementwise.

    scalar: a number in place of the second tensor.
    reverse: whether `scalar` is the left operand.
    """

    name: ClassVar[str] = "gt"
    arity: ClassVar[tuple[int, int | None]] = (1, 2)
    category: ClassVar[str] = "arithmetic"
    pointwise: ClassVar[bool] = True
    positions: ClassVar[int | None] = 1
    examples: ClassVar[tuple[Example, ...]] = _EXAMPLES

    scalar: int | float | Dim | None = None
    reverse: bool = False

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        return pair(self.name, check, inputs, self.scalar, REALS).with_dtype(DType.BOOL)


class Ge(Op):
    """Whether `a >= b`, elementwise.

    scalar: a number in place of the second tensor.
    reverse: whether `scalar` is the left operand.
    """

    name: ClassVar[str] = "ge"
    arity: ClassVar[tuple[int, int | None]] = (1, 2)
    category: ClassVar[str] = "arithmetic"
    pointwise: ClassVar[bool] = True
    positions: ClassVar[int | None] = 1
    examples: ClassVar[tuple[Example, ...]] = _EXAMPLES

    scalar: int | float | Dim | None = None
    reverse: bool = False

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        return pair(self.name, check, inputs, self.scalar, REALS).with_dtype(DType.BOOL)


class LogicalAnd(Op):
    """Whether all inputs are true, elementwise; `a and b` on tensors."""

    name: ClassVar[str] = "logical_and"
    arity: ClassVar[tuple[int, int | None]] = (1, None)
    category: ClassVar[str] = "arithmetic"
    pointwise: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = _LOGIC

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        return operands(self.name, check, inputs, None, _BOOL, "compare first: `(x > 0)`")


class LogicalOr(Op):
    """Whether at least one input is true, elementwise; `a or b` on tensors."""

    name: ClassVar[str] = "logical_or"
    arity: ClassVar[tuple[int, int | None]] = (1, None)
    category: ClassVar[str] = "arithmetic"
    pointwise: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = _LOGIC

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        return operands(self.name, check, inputs, None, _BOOL, "compare first: `(x > 0)`")


class LogicalNot(Op):
    """Whether the input is false, elementwise; `not a` on tensors."""

    name: ClassVar[str] = "logical_not"
    category: ClassVar[str] = "arithmetic"
    pointwise: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (Example(inputs=("bool[2, 8]",)),)

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        (given,) = inputs
        require_dtype(self.name, given, _BOOL, fix="compare first: `(x > 0)`")
        return given
