"""Constants with the shape of another tensor."""

from __future__ import annotations

from typing import ClassVar

from archspec.ops.base import Check, Example, Op
from archspec.ops.broadcasting import NUMBERS, literal_dtype, require_dtype
from archspec.ops.symbols import Symbol
from archspec.types.tensor import TensorType


class ZerosLike(Op):
    """Zeros with the shape and the type of the input."""

    name: ClassVar[str] = "zeros_like"
    category: ClassVar[str] = "source"
    pointwise: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (Example(), Example(inputs=("i64[4]",)))

    @property
    def shape_only(self) -> tuple[int, ...]:
        return (0,)

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        return inputs[0]


class OnesLike(Op):
    """Ones with the shape and the type of the input."""

    name: ClassVar[str] = "ones_like"
    category: ClassVar[str] = "source"
    pointwise: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (Example(), Example(inputs=("i64[4]",)))

    @property
    def shape_only(self) -> tuple[int, ...]:
        return (0,)

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        return inputs[0]


class FullLike(Op):
    """A constant with the shape and the type of the input.

    value: the number.
    """

    name: ClassVar[str] = "full_like"
    category: ClassVar[str] = "source"
    pointwise: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"value": 0.5}),
        Example({"value": 3}, ("i64[4]",)),
    )

    value: int | float | Symbol

    @property
    def shape_only(self) -> tuple[int, ...]:
        return (0,)

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        (given,) = inputs
        require_dtype(self.name, given, NUMBERS)
        literal_dtype(self.name, self.value, given.dtype, attribute="value")
        return given
