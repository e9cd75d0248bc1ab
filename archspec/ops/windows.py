"""Windows as axes, and padding: unfold, fold, pad, pixel shuffle."""

from __future__ import annotations

from typing import ClassVar, Literal

from archspec.ops.base import Check, Example, Op, OpError, Seen, Window
from archspec.ops.broadcasting import literal_dtype, require_dtype
from archspec.ops.channel_layout import ChannelLayout, beside
from archspec.ops.shape import exact_division
from archspec.ops.shape_rules import (
    Amounts,
    Sizes,
    axis_index,
    convolved,
    float_input,
    require_filled,
    slides_of,
)
from archspec.ops.symbols import Count, Symbol, number
from archspec.types.dim import Dim, dim, product
from archspec.types.tensor import DType, TensorType


def _feature_map(op: str, inputs: tuple[TensorType, ...]) -> TensorType:
    given = float_input(op, inputs)
    if given.rank != 4:
        raise OpError(f"`{op}` takes [B, C, H, W], but its input is {given.shape_text}", input=0)
    return given


class Unfold(Op):
    """All windows of an image as columns: [B, C, H, W] gives [B, C * kernel area, windows].

    As `torch.nn.Unfold`. Windows are ordered row by row, as in a convolution.

    kernel: size of the window, one number or one per axis.
    stride: step of the window.
    padding: zeros added on both sides.
    dilation: distance between the positions of the window.
    """

    name: ClassVar[str] = "unfold"
    category: ClassVar[str] = "indexing"
    positions: ClassVar[int | None] = 1
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"kernel": 3}),
        Example({"kernel": (3, 2), "stride": 2, "padding": 1}),
        Example({"kernel": 3, "stride": (1, 2), "padding": (2, 0), "dilation": 2}),
    )

    kernel: Sizes
    stride: Sizes = 1
    padding: Amounts = 0
    dilation: Sizes = 1

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        given = _feature_map(self.name, inputs)
        require_filled(self.name, check, given)
        slides = slides_of(self.name, 2, self.kernel, self.stride, self.padding, self.dilation)
        counts = [
            convolved(self.name, check, given.shape[axis], slide, axis)
            for axis, slide in enumerate(slides, start=2)
        ]
        area = product(slide.kernel for slide in slides)
        return given.with_shape(given.shape[0], given.shape[1] * area, product(counts))

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Seen:
        return "all"


class Fold(Op):
    """Columns back to an image, with overlapping windows added: the adjoint of `unfold`.

    [B, C * kernel area, windows] gives [B, C, H, W]. As `torch.nn.Fold`.

    size: (H, W) of the image, or one number for both.
    kernel: size of the window, one number or one per axis.
    stride: step of the window.
    padding: zeros added on both sides.
    dilation: distance between the positions of the window.
    """

    name: ClassVar[str] = "fold"
    category: ClassVar[str] = "indexing"
    positions: ClassVar[int | None] = 2
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"size": (6, 5), "kernel": 2}, ("f32[2, 12, 20]",)),
        Example(
            {"size": 6, "kernel": (3, 2), "stride": 2, "padding": 1, "dilation": (1, 2)},
            ("f32[2, 12, 9]",),
        ),
    )

    size: int | Dim | tuple[int | Dim, ...]
    kernel: Sizes
    stride: Sizes = 1
    padding: Amounts = 0
    dilation: Sizes = 1

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        given = float_input(self.name, inputs)
        if given.rank != 3:
            raise OpError(
                f"`fold` takes [B, C * kernel area, windows], but its input is {given.shape_text}",
                input=0,
            )
        sizes = self.size if isinstance(self.size, tuple) else (self.size, self.size)
        if len(sizes) != 2:
            raise OpError("`fold` takes one size or two", attribute="size")
        slides = slides_of(self.name, 2, self.kernel, self.stride, self.padding, self.dilation)
        counts = [
            convolved(self.name, check, dim(size), slide, axis, asked=True)
            for axis, (size, slide) in enumerate(zip(sizes, slides, strict=True), start=2)
        ]
        self._windows(check, given.shape[2], product(counts))
        require_filled(self.name, check, given)
        area = product(slide.kernel for slide in slides)
        channels = exact_division(self.name, check, given.shape[1], area, attribute="kernel")
        return given.with_shape(given.shape[0], channels, *map(dim, sizes))

    def _windows(self, check: Check, found: Dim, expected: Dim) -> None:
        if found.constant is not None and expected.constant is not None and found != expected:
            raise OpError(
                f"`fold` needs {expected} windows for this size, but its input has {found}",
                attribute="size",
            )
        check.require_equal(found, expected, f"`fold` needs {expected} windows on axis 2")

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Seen:
        return "all"


class Pad(Op):
    """Padding: `pad([(2, 1, 1), (3, 0, w)])`, each `(axis, before, after)`.

    "constant" pads with `value`; a negative amount crops. "reflect" mirrors at the edge element,
    "replicate" repeats it, and "circular" continues at the other end; these three pad only the
    spatial axes of [B, C, L], [B, C, H, W] or [B, C, D, H, W].

    amounts: for each axis its number, and the amounts before and after it.
    mode: "constant", "reflect", "replicate" or "circular".
    value: the constant.
    """

    name: ClassVar[str] = "pad"
    category: ClassVar[str] = "indexing"
    pointwise: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"amounts": ((2, 1, 2), (-1, 0, 3))}),
        Example({"amounts": ((1, 0, 4),), "value": 1.0}),
        Example({"amounts": ((2, -1, -2), (3, -1, 3))}),
        Example({"amounts": ((2, 1, 1),), "mode": "reflect"}),
        Example({"amounts": ((2, 1, 1), (3, 2, 0)), "mode": "replicate"}),
        Example({"amounts": ((2, 1, 1), (3, 2, 0)), "mode": "circular"}),
        Example({"amounts": ((0, 1, 0),), "value": 2}, ("i64[4]",)),
    )

    amounts: tuple[tuple[int, int | Dim, int | Dim], ...]
    mode: Literal["constant", "reflect", "replicate", "circular"] = "constant"
    value: int | float | Symbol = 0.0

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        (given,) = inputs
        self._suits(given)
        shape = list(given.shape)
        seen: set[int] = set()
        for where, before, after in self.amounts:
            axis = axis_index(self.name, where, given.rank, attribute="amounts")
            if axis in seen:
                raise OpError(f"`pad` was given axis {axis} twice", attribute="amounts")
            seen.add(axis)
            shape[axis] = self._padded(check, given, axis, dim(before), dim(after))
        return given.with_shape(*shape)

    def permutation(self, rank: int) -> tuple[int, ...] | None:
        still = all(before == after == 0 for _, before, after in self.amounts)
        return tuple(range(rank)) if still else None

    def channel_layout(self, axis: int, *inputs: TensorType) -> ChannelLayout | None:
        found = beside(axis, (where for where, _, _ in self.amounts), inputs[0].rank)
        if found is None or self.mode != "constant":
            return found
        return None if self.value else ChannelLayout(axis, constants=False)

    def _suits(self, given: TensorType) -> None:
        if self.mode == "constant":
            value = 0 if self.value == 0 else self.value
            if given.dtype is not DType.BOOL or value:
                literal_dtype(self.name, value, given.dtype, attribute="value")
            return
        require_dtype(self.name, given, frozenset({DType.F32}))
        if not 3 <= given.rank <= 5:
            raise OpError(
                f'`pad` with "{self.mode}" takes [B, C, L], [B, C, H, W] or [B, C, D, H, W], but '
                f"its input is {given.shape_text}",
                input=0,
            )

    def _padded(self, check: Check, given: TensorType, axis: int, before: Dim, after: Dim) -> Dim:
        size = given.shape[axis]
        where = f"`pad` on axis {axis}"
        if self.mode != "constant":
            if axis < 2:
                raise OpError(
                    f'`pad` with "{self.mode}" takes spatial axes, from 2 on, but got {axis}',
                    attribute="amounts",
                )
            most = {"reflect": size - 1, "circular": size}.get(self.mode)
            for amount in (before, after):
                self._need(
                    check, amount, f'{where} with "{self.mode}" cannot have negative padding', size
                )
                if most is not None:
                    reason = f'{where} with "{self.mode}" needs more than {amount} positions'
                    self._need(check, most - amount, reason, size)
            for other in given.shape[1:]:
                self._need(check, other - 1, f"{where} needs an element to repeat", other)
        for rest in (size + before, size + after, size + before + after):
            self._need(check, rest, f"{where} cannot remove more than there is", size)
        return size + before + after

    @staticmethod
    def _need(check: Check, rest: Dim, reason: str, of: Dim) -> None:
        if rest.constant is not None and rest.constant < 0:
            raise OpError(reason, attribute="amounts")
        check.require_nonnegative(rest, reason, of=of)


class PixelShuffle(Op):
    """Channels to space: [B, C * factor², H, W] gives [B, C, H * factor, W * factor].

    factor: number of positions along each axis that are moved to or from the channels.
    """

    name: ClassVar[str] = "pixel_shuffle"
    category: ClassVar[str] = "resampling"
    examples: ClassVar[tuple[Example, ...]] = (Example({"factor": 2}),)

    factor: Count

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        (given,) = inputs
        if given.rank != 4:
            raise OpError(f"`{self.name}` takes [B, C, H, W], but got {given.shape_text}", input=0)
        batch, channels, height, width = given.shape
        area = dim(self.factor**2)
        out = exact_division(self.name, check, channels, area, attribute="factor")
        return given.with_shape(batch, out, height * self.factor, width * self.factor)

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Seen:
        return (Window(1, 1, number(self.factor)),) * 2


class PixelUnshuffle(Op):
    """Space to channels: [B, C, H, W] gives [B, C * factor², H / factor, W / factor].

    factor: number of positions along each axis that are moved to or from the channels.
    """

    name: ClassVar[str] = "pixel_unshuffle"
    category: ClassVar[str] = "resampling"
    examples: ClassVar[tuple[Example, ...]] = (Example({"factor": 2}),)

    factor: Count

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        (given,) = inputs
        if given.rank != 4:
            raise OpError(f"`{self.name}` takes [B, C, H, W], but got {given.shape_text}", input=0)
        require_filled(self.name, check, given, first=0)
        batch, channels, *space = given.shape
        by = dim(self.factor)
        out = [exact_division(self.name, check, one, by, attribute="factor") for one in space]
        return given.with_shape(batch, channels * self.factor**2, *out)

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Seen:
        factor = number(self.factor)
        return (Window(factor, factor),) * 2
