"""The layer that does nothing, as the value of a `layer` parameter that adds nothing."""

from __future__ import annotations

from typing import ClassVar

from archspec.ops.base import Check, Example, Op
from archspec.types.tensor import TensorType


class Identity(Op):
    """Its input, or the tuple of its inputs, unchanged; it does not appear in the graph."""

    name: ClassVar[str] = "identity"
    arity: ClassVar[tuple[int, int | None]] = (0, None)
    category: ClassVar[str] = "shape"
    pointwise: ClassVar[bool] = True
    transparent: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (
        Example(),
        Example(inputs=("f32[2, 8]", "i64[4]")),
    )

    @property
    def idempotent(self) -> bool:
        return True

    def permutation(self, rank: int) -> tuple[int, ...]:
        return tuple(range(rank))

    def infer(self, check: Check, *inputs: TensorType) -> TensorType | tuple[TensorType, ...]:
        return inputs[0] if len(inputs) == 1 else inputs
