"""Lookup tables."""

from __future__ import annotations

from typing import ClassVar

from pydantic import NonNegativeInt

from archspec.ops.base import Check, Example, Op, OpError, Parameter
from archspec.ops.shape_rules import index_input
from archspec.ops.symbols import Count, number
from archspec.types.condition import at_least
from archspec.types.dim import dim
from archspec.types.initialiser import Initialiser, Normal
from archspec.types.tensor import DType, TensorType


class Embedding(Op):
    """Looks up indices in a learned table: i64[...] to f32[..., width], as `torch.nn.Embedding`.

    count: number of rows of the table; indices are from 0 to count - 1, which is not checked here.
    width: size of a row.
    padding_index: a row that is initialised with zeros and gets no gradient, if there is one.
    weight_init: initialiser; by default normal with standard deviation 1.
    """

    name: ClassVar[str] = "embedding"
    category: ClassVar[str] = "embedding"
    pointwise: ClassVar[bool] = True
    positions: ClassVar[int | None] = 3
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"count": 20, "width": 8}, ("i64[2, 5]",)),
        Example({"count": 20, "width": 8, "padding_index": 0}, ("i32[5]",)),
        Example({"count": 20, "width": 8, "weight_init": Normal(std=0.02)}, ("i64[2, 3, 4]",)),
    )

    count: Count
    width: Count
    padding_index: NonNegativeInt | None = None
    weight_init: Initialiser | None = None

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        x = index_input(self.name, inputs)
        count = dim(self.count)
        if self.padding_index is not None:
            index = self.padding_index
            missing = f"`embedding` has rows 0 to {count - 1}, but `padding_index` is {index}"
            if count.constant is not None and self.padding_index >= count.constant:
                raise OpError(missing, attribute="padding_index")
            check.require(at_least(count, self.padding_index + 1), missing)
        return TensorType(DType.F32, (*x.shape, dim(self.width)))

    def parameters(self, *inputs: TensorType) -> tuple[Parameter, ...]:
        shape = (number(self.count), number(self.width))
        return (Parameter("weight", shape, self.weight_init or Normal()),)
