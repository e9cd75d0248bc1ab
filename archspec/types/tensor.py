"""Types of tensors: an element type and a symbolic shape."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from archspec.frozen import frozen
from archspec.types.dim import Dim, dim, product


class DType(StrEnum):
    """Element types. `F32` means the module's floating type, also after a cast of the module."""

    F32 = "f32"
    I64 = "i64"
    I32 = "i32"
    BOOL = "bool"
    C64 = "c64"

    @property
    def is_float(self) -> bool:
        """Whether this is the floating type."""
        return self is DType.F32

    @property
    def is_integer(self) -> bool:
        """Whether this is an integer type (bool is not)."""
        return self in (DType.I64, DType.I32)


@frozen
class TensorType:
    """Element type and shape."""

    dtype: DType
    shape: tuple[Dim, ...]

    @property
    def rank(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def elements(self) -> Dim:
        """Number of elements."""
        return product(self.shape)

    def with_shape(self, *shape: Dim) -> TensorType:
        """The same element type with another shape."""
        return TensorType(self.dtype, shape)

    def with_dtype(self, dtype: DType) -> TensorType:
        """The same shape with another element type."""
        return TensorType(dtype, self.shape)

    @property
    def shape_text(self) -> str:
        """The shape as the language writes it: `[B, 64, H//2]`."""
        return "[" + ", ".join(str(size) for size in self.shape) + "]"

    def at(self, sizes: Mapping[str, int]) -> TensorType:
        """The type at these sizes: dims of which all symbols have a size become numbers."""
        known = (size.symbols <= sizes.keys() for size in self.shape)
        shape = zip(self.shape, known, strict=True)
        numbers = (dim(size.evaluate(sizes)) if given else size for size, given in shape)
        return TensorType(self.dtype, tuple(numbers))

    def __str__(self) -> str:
        return f"{self.dtype}{self.shape_text}"

    def __repr__(self) -> str:
        return f"<{self}>"
