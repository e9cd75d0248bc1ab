"""Pools over windows, as `torch.nn` has them, over one to three spatial axes."""

from __future__ import annotations

from typing import ClassVar

from archspec.ops.base import Check, Example, Op, OpError, Window
from archspec.ops.shape_rules import Amounts, Sizes, Slide, images, per_axis, pooled
from archspec.types.condition import at_least
from archspec.types.tensor import TensorType


class MaxPool(Op):
    """The greatest value of each window, as `torch.nn.MaxPool1d`, `2d` and `3d`.

    kernel: size of the window, one number or one per spatial axis.
    stride: step of the window; None for its size, so that windows do not overlap.
    padding: positions added on both sides, at most half the kernel; they never win.
    dilation: distance between the positions of a window.
    ceil: whether sizes are rounded up: a last window may hang over the end, if it begins inside
        the input or its left padding.

    Each output size is (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1.
    """

    name: ClassVar[str] = "max_pool"
    category: ClassVar[str] = "pooling"
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"kernel": 2}),
        Example({"kernel": 3, "stride": 2, "padding": 1}),
        Example({"kernel": (3, 2), "stride": (2, 1), "padding": (1, 0)}),
        Example({"kernel": 3, "dilation": 2}, ("f32[2, 8, 20]",)),
        Example({"kernel": 2, "ceil": True}, ("f32[2, 3, 5, 6, 7]",)),
        Example({"kernel": 2, "stride": 3, "padding": 1, "ceil": True}, ("f32[2, 3, 9, 10]",)),
    )

    kernel: Sizes
    stride: Sizes | None = None
    padding: Amounts = 0
    dilation: Sizes = 1
    ceil: bool = False

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        x = images(self.name, inputs)
        return _shrunk(self.name, check, x, self.slides(x.rank - 2), ceil=self.ceil)

    def slides(self, axes: int) -> tuple[Slide, ...]:
        """How the window moves along each of `axes` spatial axes."""
        return _slides(self.name, axes, self.kernel, self.stride, self.padding, self.dilation)

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> tuple[Window, ...]:
        return tuple(slide.window for slide in self.slides(inputs[0].rank - 2))


class AvgPool(Op):
    """The mean of each window, as `torch.nn.AvgPool1d`, `2d` and `3d`.

    kernel: size of the window, one number or one per spatial axis.
    stride: step of the window; None for its size, so that windows do not overlap.
    padding: zeros added on both sides, at most half the kernel.
    ceil: whether sizes are rounded up, as in `max_pool`.
    count_include_pad: whether the added zeros count in the mean.

    Each output size is (size + 2 * padding - kernel) // stride + 1. Over three axes torch needs
    every size to be at least that of the kernel, padding apart.
    """

    name: ClassVar[str] = "avg_pool"
    category: ClassVar[str] = "pooling"
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"kernel": 2}),
        Example({"kernel": 3, "stride": 1, "padding": 1}),
        Example({"kernel": 3, "stride": 2, "padding": 1, "count_include_pad": False}),
        Example({"kernel": (2, 3), "ceil": True}),
        Example({"kernel": 2, "stride": 3, "padding": 1, "ceil": True}, ("f32[2, 8, 9]",)),
        Example({"kernel": (1, 2, 2), "stride": (1, 2, 2)}, ("f32[2, 3, 5, 6, 7]",)),
    )

    kernel: Sizes
    stride: Sizes | None = None
    padding: Amounts = 0
    ceil: bool = False
    count_include_pad: bool = True

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        x = images(self.name, inputs)
        slides = self.slides(x.rank - 2)
        if x.rank == 5:
            for axis, slide in enumerate(slides, start=2):
                check.require(
                    at_least(x.shape[axis], slide.kernel),
                    f"`avg_pool` in three dimensions needs axis {axis} to hold its kernel of "
                    f"{slide.kernel} without padding",
                )
        return _shrunk(self.name, check, x, slides, ceil=self.ceil)

    def slides(self, axes: int) -> tuple[Slide, ...]:
        """How the window moves along each of `axes` spatial axes."""
        return _slides(self.name, axes, self.kernel, self.stride, self.padding, 1)

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> tuple[Window, ...]:
        return tuple(slide.window for slide in self.slides(inputs[0].rank - 2))


def _slides(
    op: str,
    axes: int,
    kernel: int | tuple[int, ...],
    stride: int | tuple[int, ...] | None,
    padding: int | tuple[int, ...],
    dilation: int | tuple[int, ...],
) -> tuple[Slide, ...]:
    kernels = per_axis(op, "kernel", kernel, axes)
    strides = kernels if stride is None else per_axis(op, "stride", stride, axes)
    paddings = per_axis(op, "padding", padding, axes)
    dilations = per_axis(op, "dilation", dilation, axes)
    for size, added in zip(kernels, paddings, strict=True):
        if added > size // 2:
            raise OpError(
                f"`{op}` takes a padding of at most half its kernel, but {added} > {size} // 2",
                attribute="padding",
            )
    return tuple(
        Slide(size, step, spread, added, added)
        for size, step, spread, added in zip(kernels, strides, dilations, paddings, strict=True)
    )


def _shrunk(
    op: str, check: Check, x: TensorType, slides: tuple[Slide, ...], *, ceil: bool
) -> TensorType:
    sizes = (
        pooled(op, check, x.shape[axis], slide, axis, ceil=ceil)
        for axis, slide in enumerate(slides, start=2)
    )
    return x.with_shape(*x.shape[:2], *sizes)
