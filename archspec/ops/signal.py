"""Fourier transforms and complex numbers, as in `torch.fft`. FFTs are not counted in the MACs.

`norm` selects where the factor is applied: "backward" divides the inverse transform by the number
of points, "forward" the forward transform, and "ortho" both by its square root.
"""

from __future__ import annotations

from typing import ClassVar, Literal, TypeAlias

from archspec.ops.base import Check, Example, Op, OpError, Seen
from archspec.ops.broadcasting import require_dtype
from archspec.ops.shape_rules import axis_index, float_input, require_filled
from archspec.types.condition import at_least
from archspec.types.dim import Dim, dim
from archspec.types.tensor import DType, TensorType

Norm: TypeAlias = Literal["backward", "ortho", "forward"]

_COMPLEX = frozenset({DType.C64})


def _complex_input(op: str, inputs: tuple[TensorType, ...]) -> TensorType:
    require_dtype(op, inputs[0], _COMPLEX, fix="`as_complex` and `rfft` return complex tensors")
    return inputs[0]


def _points(op: str, check: Check, size: Dim) -> Dim:
    if size.constant is not None and size.constant < 1:
        raise OpError(f"`{op}` needs at least one point, but has {size}")
    check.require(at_least(size, 1), f"`{op}` needs at least one point")
    return size


def _matrix_axes(op: str, given: TensorType) -> tuple[int, int]:
    if given.rank < 2:
        raise OpError(f"`{op}` transforms the last two axes, but got {given.shape_text}", input=0)
    return given.rank - 2, given.rank - 1


def _replaced(given: TensorType, kind: DType, sizes: dict[int, Dim]) -> TensorType:
    return TensorType(kind, tuple(sizes.get(axis, size) for axis, size in enumerate(given.shape)))


class RFFT(Op):
    """Fourier transform of real numbers along an axis: n points give n // 2 + 1 frequencies.

    With `size`, the axis is first truncated or zero-padded to that number of points.

    axis: the axis to transform.
    size: number of points.
    norm: where the factor is applied: "backward", "ortho" or "forward".
    """

    name: ClassVar[str] = "rfft"
    category: ClassVar[str] = "signal"
    positions: ClassVar[int | None] = 0
    examples: ClassVar[tuple[Example, ...]] = (
        Example(),
        Example({"axis": 1, "size": 12, "norm": "ortho"}),
    )

    axis: int = -1
    size: int | Dim | None = None
    norm: Norm = "backward"

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        given = float_input(self.name, inputs)
        require_filled(self.name, check, given, first=0)
        axis = axis_index(self.name, self.axis, given.rank)
        _points(self.name, check, given.shape[axis])
        points = given.shape[axis] if self.size is None else dim(self.size)
        points = _points(self.name, check, points)
        return _replaced(given, DType.C64, {axis: points // 2 + 1})

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Seen:
        return "all"


class IRFFT(Op):
    """The inverse of `rfft`: m frequencies give `size` real points, by default 2 * (m - 1).

    axis: the axis to transform.
    size: number of points of the result.
    norm: where the factor is applied: "backward", "ortho" or "forward".
    """

    name: ClassVar[str] = "irfft"
    category: ClassVar[str] = "signal"
    positions: ClassVar[int | None] = 0
    examples: ClassVar[tuple[Example, ...]] = (
        Example(inputs=("c64[2, 8, 9]",)),
        Example({"axis": 1, "size": 13, "norm": "forward"}, ("c64[2, 7, 3]",)),
    )

    axis: int = -1
    size: int | Dim | None = None
    norm: Norm = "backward"

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        given = _complex_input(self.name, inputs)
        require_filled(self.name, check, given, first=0)
        axis = axis_index(self.name, self.axis, given.rank)
        _points(self.name, check, given.shape[axis])
        points = (given.shape[axis] - 1) * 2 if self.size is None else dim(self.size)
        return _replaced(given, DType.F32, {axis: _points(self.name, check, points)})

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Seen:
        return "all"


class RFFT2(Op):
    """Fourier transform of real numbers over the last two axes; the last keeps n // 2 + 1 of n.

    norm: where the factor is applied: "backward", "ortho" or "forward".
    """

    name: ClassVar[str] = "rfft2"
    category: ClassVar[str] = "signal"
    positions: ClassVar[int | None] = 0
    examples: ClassVar[tuple[Example, ...]] = (Example(), Example({"norm": "ortho"}))

    norm: Norm = "backward"

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        given = float_input(self.name, inputs)
        require_filled(self.name, check, given, first=0)
        high, wide = _matrix_axes(self.name, given)
        _points(self.name, check, given.shape[high])
        points = _points(self.name, check, given.shape[wide])
        return _replaced(given, DType.C64, {wide: points // 2 + 1})

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Seen:
        return "all"


class IRFFT2(Op):
    """The inverse of `rfft2`.

    Without `size`, m frequencies along the last axis give 2 * (m - 1) points.

    size: (H, W) of the result.
    norm: where the factor is applied: "backward", "ortho" or "forward".
    """

    name: ClassVar[str] = "irfft2"
    category: ClassVar[str] = "signal"
    positions: ClassVar[int | None] = 1
    examples: ClassVar[tuple[Example, ...]] = (
        Example(inputs=("c64[2, 8, 9]",)),
        Example({"size": (8, 15), "norm": "ortho"}, ("c64[2, 8, 8]",)),
    )

    size: tuple[int | Dim, int | Dim] | None = None
    norm: Norm = "backward"

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        given = _complex_input(self.name, inputs)
        require_filled(self.name, check, given, first=0)
        axes = _matrix_axes(self.name, given)
        for axis in axes:
            _points(self.name, check, given.shape[axis])
        sizes = self.size or (given.shape[axes[0]], (given.shape[axes[1]] - 1) * 2)
        found = [_points(self.name, check, dim(size)) for size in sizes]
        return _replaced(given, DType.F32, dict(zip(axes, found, strict=True)))

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Seen:
        return "all"


class AsComplex(Op):
    """Pairs (real, imaginary) along the last axis as complex numbers: [.., 2] gives c64[..]."""

    name: ClassVar[str] = "as_complex"
    category: ClassVar[str] = "signal"
    pointwise: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (Example(inputs=("f32[3, 4, 2]",)),)

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        given = float_input(self.name, inputs)
        if given.rank == 0 or given.shape[-1].constant not in (None, 2):
            raise OpError(
                f"`as_complex` needs size 2 on the last axis, but got {given.shape_text}", input=0
            )
        check.require_equal(given.shape[-1], 2, "`as_complex` needs size 2 on the last axis")
        return TensorType(DType.C64, given.shape[:-1])


class AsReal(Op):
    """Complex numbers as pairs (real, imaginary) along a new last axis."""

    name: ClassVar[str] = "as_real"
    category: ClassVar[str] = "signal"
    pointwise: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (Example(inputs=("c64[3, 4]",)),)

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        given = _complex_input(self.name, inputs)
        return TensorType(DType.F32, (*given.shape, dim(2)))


class Conjugate(Op):
    """The complex conjugate."""

    name: ClassVar[str] = "conjugate"
    category: ClassVar[str] = "signal"
    pointwise: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (Example(inputs=("c64[3, 4]",)),)

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        return _complex_input(self.name, inputs)
