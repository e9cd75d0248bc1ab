"""Images and signals at another resolution: to a size, by a factor, or along a grid."""

from __future__ import annotations

from fractions import Fraction
from math import isfinite
from typing import Annotated, ClassVar, Literal, TypeAlias

from pydantic import AfterValidator, Field

from archspec.ops.base import Check, Example, Op, OpError, Seen, Window
from archspec.ops.broadcasting import require_equal_dims
from archspec.ops.channel_layout import ChannelLayout
from archspec.ops.shape_rules import float_input, images
from archspec.types.condition import at_least
from archspec.types.dim import Dim, dim
from archspec.types.tensor import TensorType

Mode: TypeAlias = Literal[
    "nearest", "nearest-exact", "linear", "bilinear", "bicubic", "trilinear", "area"
]

_RANKS = {"linear": 3, "bilinear": 4, "bicubic": 4, "trilinear": 5}
_LINEAR = {3: "linear", 4: "bilinear", 5: "trilinear"}
_TAPS = {"nearest": 1, "nearest-exact": 1, "area": 1, "bicubic": 4}
_MOST_DENOMINATOR = 64


def suited(
    op: str,
    check: Check,
    inputs: tuple[TensorType, ...],
    mode: str,
    align_corners: bool,
    antialias: bool,
) -> TensorType:
    """The input, which must have a rank that `mode` supports. Raises OpError otherwise."""
    given = images(op, inputs)
    wanted = _RANKS.get(mode)
    if wanted is not None and given.rank != wanted:
        raise OpError(
            f'`{op}` with "{mode}" takes an input of rank {wanted}, but it is {given.shape_text}',
            attribute="mode",
            fix=f'use "{_LINEAR[given.rank]}"' if mode != "bicubic" else 'use "nearest"',
        )
    if align_corners and wanted is None:
        raise OpError(
            f'`{op}` with "{mode}" does not support `align_corners`', attribute="align_corners"
        )
    if antialias and mode not in ("bilinear", "bicubic"):
        raise OpError(
            f'`{op}` with "{mode}" does not support antialiasing; "bilinear" and "bicubic" dt',
            attribute="antialias",
        )
    check.require(at_least(given.shape[1], 1), f"`{op}` needs axis 1 not to be empty")
    return given


def _positive(op: str, check: Check, size: Dim, what: str, *, of: Dim | None) -> None:
    if size.constant is not None and size.constant < 1:
        raise OpError(f"`{op}` needs a positive {what}, but it is {size}")
    check.require_nonnegative(size - 1, f"`{op}` needs a positive {what}", of=of)


def _windows(
    before: tuple[Dim, ...], after: tuple[Dim, ...], mode: str
) -> tuple[Window, ...] | Literal["all"]:
    """What an output sees, if the sizes have an integer ratio for all inputs; otherwise "all"."""
    taps = _TAPS.get(mode, 2)
    found: list[Window] = []
    for small, large in zip(before, after, strict=True):
        if small == large:
            found.append(Window(1))
            continue
        up, down = _ratio(large, small), _ratio(small, large)
        if up is None and down is None:
            return "all"
        if up is not None:
            found.append(Window(taps, 1, up))
        elif down is not None:
            found.append(Window(down if mode == "area" else taps, down))
    return tuple(found)


def _ratio(numerator: Dim, denominator: Dim) -> int | None:
    if not denominator.terms or not numerator.terms:
        return None
    factor = numerator.terms[0][1] // denominator.terms[0][1]
    return factor if factor > 1 and denominator * factor == numerator else None


class Resize(Op):
    """Resizes the spatial axes: `resize((H, W), mode="bilinear")`.

    As `torch.nn.functional.interpolate` with `size`.

    size: one number for all spatial axes, or one each; it may be a free dim.
    mode: "nearest", "nearest-exact" or "area" for any rank; "linear" for [B, C, L], "bilinear"
        and "bicubic" for [B, C, H, W], "trilinear" for [B, C, D, H, W].
    align_corners: whether the centres of the corner elements are aligned, not their outer edges.
    antialias: whether a wider filter is used if sizes shrink ("bilinear" and "bicubic").
    """

    name: ClassVar[str] = "resize"
    category: ClassVar[str] = "resampling"
    positions: ClassVar[int | None] = 2
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"size": 7}),
        Example({"size": (20, 9), "mode": "bilinear"}),
        Example({"size": (20, 9), "mode": "bilinear", "align_corners": True}),
        Example({"size": (20, 9), "mode": "bicubic", "antialias": True}),
        Example({"size": 5, "mode": "linear"}, ("f32[2, 3, 9]",)),
        Example({"size": (5, 6, 7), "mode": "trilinear"}, ("f32[2, 3, 4, 4, 4]",)),
        Example({"size": (5, 8), "mode": "area"}),
        Example({"size": (5, 8), "mode": "nearest-exact"}),
    )

    size: int | Dim | tuple[int | Dim, ...]
    mode: Mode = "nearest"
    align_corners: bool = False
    antialias: bool = False

    def _sizes(self, given: TensorType) -> tuple[Dim, ...]:
        if not isinstance(self.size, tuple):
            return (dim(self.size),) * (given.rank - 2)
        if len(self.size) != given.rank - 2:
            raise OpError(
                f"`resize` needs {given.rank - 2} sizes for {given.shape_text}, but got "
                f"{len(self.size)}",
                attribute="size",
            )
        return tuple(map(dim, self.size))

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        given = suited(self.name, check, inputs, self.mode, self.align_corners, self.antialias)
        sizes = self._sizes(given)
        for size in given.shape[2:]:
            _positive(self.name, check, size, "size", of=size)
        for size in sizes:
            _positive(self.name, check, size, "size", of=None)
        return given.with_shape(*given.shape[:2], *sizes)

    def channel_layout(self, axis: int, *inputs: TensorType) -> ChannelLayout | None:
        return ChannelLayout(axis) if axis < 2 else None

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Seen:
        return _windows(inputs[0].shape[2:], self._sizes(inputs[0]), self.mode)


class ResizeLike(Op):
    """`(x, ref) -> resize_like`: resizes x to the spatial size of ref, with any number of channels.

    mode: "nearest", "nearest-exact" or "area" for any rank; "linear" for [B, C, L], "bilinear"
        and "bicubic" for [B, C, H, W], "trilinear" for [B, C, D, H, W].
    align_corners: whether the centres of the corner elements are aligned, not their outer edges.
    antialias: whether a wider filter is used if sizes shrink ("bilinear" and "bicubic").
    """

    name: ClassVar[str] = "resize_like"
    arity: ClassVar[tuple[int, int | None]] = (2, 2)
    category: ClassVar[str] = "resampling"
    positions: ClassVar[int | None] = 1
    examples: ClassVar[tuple[Example, ...]] = (
        Example(inputs=("f32[2, 8, 4, 4]", "f32[2, 3, 9, 7]")),
        Example(
            {"mode": "bilinear", "align_corners": True, "antialias": True},
            ("f32[2, 8, 4, 4]", "f32[2, 3, 9, 7]"),
        ),
    )

    mode: Mode = "nearest"
    align_corners: bool = False
    antialias: bool = False

    @property
    def shape_only(self) -> tuple[int, ...]:
        return (1,)

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        given = suited(self.name, check, inputs, self.mode, self.align_corners, self.antialias)
        like = inputs[1]
        if like.rank != given.rank:
            raise OpError(
                f"`resize_like` needs inputs of one rank, but got {given.shape_text} and "
                f"{like.shape_text}",
                input=1,
            )
        for size in (*given.shape[2:], *like.shape[2:]):
            _positive(self.name, check, size, "size", of=size)
        return given.with_shape(*given.shape[:2], *like.shape[2:])

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Seen:
        return _windows(inputs[0].shape[2:], inputs[1].shape[2:], self.mode)


def exact_scale(scale: int | float) -> Fraction:
    """The fraction closest to `scale`, with a denominator of at most 64.

    Raises ValueError if no fraction is close enough, or if PyTorch's floating-point product would
    be below an integer that the exact product reaches.
    """
    meant = Fraction(scale).limit_denominator(_MOST_DENOMINATOR) if isfinite(scale) else Fraction()
    if meant <= 0 or float(meant) != float(scale):
        raise ValueError(f"{scale} is not a positive fraction with a denominator of at most 64")
    steps = range(1, 1025) if Fraction(scale) < meant else range(0)
    if any(int(meant.denominator * step * scale) != meant.numerator * step for step in steps):
        raise ValueError(f"sizes times {scale} are not exact in floating point; use `resize`")
    return meant


def _is_exact(scale: int | float) -> int | float:
    exact_scale(scale)
    return scale


class Upsample(Op):
    """Scales the spatial axes by a factor: `upsample(2)`. Sizes are rounded down.

    As `torch.nn.Upsample`. A fraction such as 1.5 or 0.5 is exact; its denominator may be at
    most 64.

    scale: the factor, an integer or a fraction.
    mode: "nearest", "nearest-exact" or "area" for any rank; "linear" for [B, C, L], "bilinear"
        and "bicubic" for [B, C, H, W], "trilinear" for [B, C, D, H, W].
    align_corners: whether the centres of the corner elements are aligned, not their outer edges.
    """

    name: ClassVar[str] = "upsample"
    category: ClassVar[str] = "resampling"
    positions: ClassVar[int | None] = 2
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"scale": 2}),
        Example({"scale": 1.5, "mode": "bilinear", "align_corners": True}),
        Example({"scale": 0.5, "mode": "bicubic"}),
        Example({"scale": 4, "mode": "linear"}, ("f32[2, 3, 9]",)),
    )

    scale: Annotated[int | float, Field(gt=0), AfterValidator(_is_exact)] = 2
    mode: Mode = "nearest"
    align_corners: bool = False

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        given = suited(self.name, check, inputs, self.mode, self.align_corners, antialias=False)
        scale = exact_scale(self.scale)
        sizes = [size * scale.numerator // scale.denominator for size in given.shape[2:]]
        for size in (*given.shape[2:], *sizes):
            _positive(self.name, check, size, "size", of=size)
        return given.with_shape(*given.shape[:2], *sizes)

    def channel_layout(self, axis: int, *inputs: TensorType) -> ChannelLayout | None:
        return ChannelLayout(axis) if axis < 2 else None

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Seen:
        scale = exact_scale(self.scale)
        space = inputs[0].shape[2:]
        if self.mode == "area" and scale.denominator > 1:  # rounding changes the windows
            after = tuple(size * scale.numerator // scale.denominator for size in space)
            return _windows(space, after, self.mode)
        taps = _TAPS.get(self.mode, 2)
        window = Window(1 if scale == 1 else taps, scale.denominator, scale.numerator)
        return (window,) * (inputs[0].rank - 2)


class GridSample(Op):
    """`(x, grid) -> grid_sample`: samples x at the positions of a grid.

    The grid is [B, h, w, 2] with (x, y) from -1 to 1, and the result is [B, C, h, w]; or the grid
    is [B, d, h, w, 3] for [B, C, D, H, W]. As `torch.nn.functional.grid_sample`.

    mode: "bilinear", "nearest" or "bicubic".
    padding_mode: the values outside x: "zeros", "border" or "reflection".
    align_corners: whether the centres of the corner elements are aligned, not their outer edges.
    """

    name: ClassVar[str] = "grid_sample"
    arity: ClassVar[tuple[int, int | None]] = (2, 2)
    category: ClassVar[str] = "resampling"
    positions: ClassVar[int | None] = 1
    examples: ClassVar[tuple[Example, ...]] = (
        Example(inputs=("f32[2, 8, 4, 5]", "f32[2, 6, 7, 2]")),
        Example(
            {"mode": "bicubic", "padding_mode": "border", "align_corners": True},
            ("f32[2, 8, 4, 5]", "f32[2, 6, 7, 2]"),
        ),
        Example(
            {"mode": "nearest", "padding_mode": "reflection"},
            ("f32[2, 8, 3, 4, 5]", "f32[2, 6, 7, 8, 3]"),
        ),
    )

    mode: Literal["bilinear", "nearest", "bicubic"] = "bilinear"
    padding_mode: Literal["zeros", "border", "reflection"] = "zeros"
    align_corners: bool = False

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        given, grid = float_input(self.name, inputs), float_input(self.name, inputs, 1)
        if given.rank not in (4, 5) or grid.rank != given.rank:
            raise OpError(
                "`grid_sample` takes [B, C, H, W] and a grid [B, h, w, 2], but got "
                f"{given.shape_text} and {grid.shape_text}",
                input=1,
            )
        if self.mode == "bicubic" and given.rank == 5:
            raise OpError(
                '`grid_sample` supports "bicubic" only in two dimensions', attribute="mode"
            )
        require_equal_dims(self.name, check, 0, given, grid, 1)
        if grid.shape[-1].constant is not None and grid.shape[-1] != given.rank - 2:
            raise OpError(
                f"`grid_sample` needs {given.rank - 2} coordinates on the last axis of its grid, "
                f"but it is {grid.shape_text}",
                input=1,
            )
        coordinates = f"`grid_sample` needs {given.rank - 2} coordinates"
        check.require_equal(grid.shape[-1], given.rank - 2, coordinates)
        for size in given.shape[2:]:
            _positive(self.name, check, size, "size", of=size)
        return given.with_shape(*given.shape[:2], *grid.shape[1:-1])

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Seen:
        return "all"
