"""Ops that select values elementwise."""

from __future__ import annotations

from typing import ClassVar, Literal

from archspec.ops.base import Check, Example, Op, OpError
from archspec.ops.broadcasting import REALS, broadcast, literal_dtype, require_dtype, same_dtype
from archspec.ops.symbols import Symbol
from archspec.types.dim import Dim
from archspec.types.tensor import DType, TensorType

_BOOL = frozenset({DType.BOOL})
_COMPARE = "compare first: `(x > 0)`"


class Where(Op):
    """`value` where the condition holds, else `otherwise`: `(condition, a, b) -> where`.

    A side that is a number is an attribute and not an input:
    `condition -> where(value=0.0, otherwise=-100.0)`, `(condition, a) -> where(otherwise=0)`.
    Two integers give i64, a fraction gives f32.

    value: the number where the condition holds, instead of the first tensor.
    otherwise: the number elsewhere, instead of the last tensor.
    """

    name: ClassVar[str] = "where"
    arity: ClassVar[tuple[int, int | None]] = (1, 3)
    category: ClassVar[str] = "arithmetic"
    pointwise: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (
        Example(inputs=("bool[8, 1]", "f32[2, 8, 16]", "f32[16]")),
        Example({"otherwise": 0}, ("bool[8, 16]", "f32[2, 8, 16]")),
        Example({"value": 1.0}, ("bool[8, 16]", "f32[2, 8, 16]")),
        Example({"value": 0.0, "otherwise": -100.0}, ("bool[8, 16]",)),
        Example({"value": 0, "otherwise": 1}, ("bool[8, 16]",)),
    )

    value: int | float | Dim | None = None
    otherwise: int | float | Dim | None = None

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        condition, *sides = inputs
        literals = [side for side in (self.value, self.otherwise) if side is not None]
        if len(sides) + len(literals) != 2:
            raise OpError(
                f"`where` chooses between two sides, but got {len(sides) + len(literals)}: each is "
                "an input after the condition, or one of the attributes `value` and `otherwise`",
                fix="`(condition, a, b) -> where`",
            )
        require_dtype(self.name, condition, _BOOL, fix=_COMPARE)
        return TensorType(self._dtype(sides, literals), broadcast(self.name, check, inputs))

    @staticmethod
    def _dtype(sides: list[TensorType], literals: list[int | float | Dim]) -> DType:
        if not sides:
            fraction = any(isinstance(literal, float) for literal in literals)
            return DType.F32 if fraction else DType.I64
        kind = same_dtype("where", sides)
        for literal in literals:
            if kind is DType.BOOL:
                raise OpError("`where` cannot combine a number with bool", input=1)
            literal_dtype("where", literal, kind, attribute="value")
        return kind


class MaskedFill(Op):
    """`(x, mask) -> masked_fill(value)`: `value` where the mask is true, else x.

    value: the number to fill in.
    """

    name: ClassVar[str] = "masked_fill"
    arity: ClassVar[tuple[int, int | None]] = (2, 2)
    category: ClassVar[str] = "arithmetic"
    pointwise: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"value": -100.0}, ("f32[2, 8, 16]", "bool[8, 16]")),
        Example({"value": 0}, ("i64[2, 8]", "bool[2, 1]")),
    )

    value: int | float | Symbol

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        given, mask = inputs
        require_dtype(self.name, given, frozenset(DType) - _BOOL, fix="use `logical_or`")
        require_dtype(self.name, mask, _BOOL, input=1, fix=_COMPARE)
        kind = literal_dtype(self.name, self.value, given.dtype, attribute="value")
        return TensorType(kind, broadcast(self.name, check, inputs))


class Clamp(Op):
    """Clamped to the closed range from `low` to `high`; None for no bound on a side.

    low: least value.
    high: greatest value.
    """

    name: ClassVar[str] = "clamp"
    category: ClassVar[str] = "arithmetic"
    pointwise: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"low": -1.0, "high": 1.0}),
        Example({"low": 0}, ("i64[2, 8]",)),
        Example({"high": 6}),
    )

    low: int | float | Dim | None = None
    high: int | float | Dim | None = None

    @property
    def idempotent(self) -> bool:
        return True

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        (given,) = inputs
        require_dtype(self.name, given, REALS)
        if self.low is None and self.high is None:
            raise OpError("`clamp` needs `low`, `high` or both", fix="`clamp(0.0, 1.0)`")
        for attribute, bound in (("low", self.low), ("high", self.high)):
            literal_dtype(self.name, bound, given.dtype, attribute=attribute)
        return given


class Binarize(Op):
    """1.0 where the element is above `threshold`, else 0.0.

    The gradient is zero; with "straight_through" it is that of the identity
    (Bengio, Léonard and Courville 2013).

    threshold: the value that an element must exceed.
    gradient: "zero" or "straight_through".
    """

    name: ClassVar[str] = "binarize"
    category: ClassVar[str] = "arithmetic"
    pointwise: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (
        Example(),
        Example({"threshold": 0.5, "gradient": "straight_through"}),
    )

    threshold: float = 0.0
    gradient: Literal["zero", "straight_through"] = "zero"

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        (given,) = inputs
        require_dtype(self.name, given, frozenset({DType.F32}))
        return given
