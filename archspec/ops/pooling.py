"""Pooling over windows and its inverse, as in `torch.nn`, over one to three spatial axes."""

from __future__ import annotations

from typing import ClassVar

from archspec.ops.base import Check, Example, Op, OpError, Window
from archspec.ops.broadcasting import require_dtype, require_equal_dims
from archspec.ops.channel_layout import ChannelLayout
from archspec.ops.shape_rules import (
    Amounts,
    Sizes,
    Slide,
    images,
    pooled,
    slides_of,
    transposed,
    transposed_window,
)
from archspec.types.condition import at_least
from archspec.types.dim import Dim, dim
from archspec.types.tensor import DType, TensorType


class MaxPool(Op):
    """The maximum of each window, as `torch.nn.MaxPool1d`, `2d` and `3d`.

    kernel: size of the window, one number or one per spatial axis.
    stride: step of the window; None for the kernel size, so that windows do not overlap.
    padding: positions added on both sides, at most half the kernel; they are never the maximum.
    dilation: distance between the positions of a window.
    ceil: whether sizes are rounded up: the last window may extend beyond the end if it starts
        inside the input or its left padding.
    indices: whether it also yields, as i64, the index of each maximum in its channel, flattened
        over all spatial axes, the last one fastest. `max_unpool` uses them.

    Each output size is (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1.
    """

    name: ClassVar[str] = "max_pool"
    category: ClassVar[str] = "pooling"
    positions: ClassVar[int | None] = 4
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"kernel": 2}),
        Example({"kernel": 3, "stride": 2, "padding": 1}),
        Example({"kernel": (3, 2), "stride": (2, 1), "padding": (1, 0)}),
        Example({"kernel": 3, "dilation": 2}, ("f32[2, 8, 20]",)),
        Example({"kernel": 2, "ceil": True}, ("f32[2, 3, 5, 6, 7]",)),
        Example({"kernel": 2, "stride": 3, "padding": 1, "ceil": True}, ("f32[2, 3, 9, 10]",)),
        Example({"kernel": 2, "indices": True}),
        Example({"kernel": 3, "stride": 2, "padding": 1, "indices": True}, ("f32[2, 3, 9]",)),
    )

    kernel: Sizes
    stride: Sizes | None = None
    padding: Amounts = 0
    dilation: Sizes = 1
    ceil: bool = False
    indices: bool = False

    def infer(self, check: Check, *inputs: TensorType) -> TensorType | tuple[TensorType, ...]:
        x = images(self.name, inputs)
        y = _shrunk(self.name, check, x, self.slides(x.rank - 2), ceil=self.ceil)
        return (y, y.with_dtype(DType.I64)) if self.indices else y

    def slides(self, axes: int) -> tuple[Slide, ...]:
        """The movement of the window along each of `axes` spatial axes."""
        return _slides(self.name, axes, self.kernel, self.stride, self.padding, self.dilation)

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> tuple[Window, ...]:
        return tuple(slide.window for slide in self.slides(inputs[0].rank - 2))


class MaxUnpool(Op):
    """`(x, indices) -> max_unpool(kernel)`: places each value at its index, with 0 elsewhere.

    Reverses `max_pool(kernel, stride, padding, indices=true)`, as `torch.nn.MaxUnpool1d`, `2d` and
    `3d`. Several sizes are pooled to the same size, so the size may have to be given.

    kernel: size of the window of the pool, one number or one per spatial axis.
    stride: step of the window; None for the kernel size.
    padding: positions that the pool added on both sides.
    size: sizes of the spatial axes of the result, torch's `output_size`, each less than a stride
        away from the default, (size - 1) * stride - 2 * padding + kernel. A size may be free.

    An index beyond the positions of the result is an error at run time.
    """

    name: ClassVar[str] = "max_unpool"
    arity: ClassVar[tuple[int, int | None]] = (2, 2)
    category: ClassVar[str] = "pooling"
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"kernel": 2}, ("f32[2, 8, 4, 4]", "i64[2, 8, 4, 4]")),
        Example(
            {"kernel": 3, "stride": 2, "padding": 1, "size": (8, 10)},
            ("f32[2, 3, 4, 5]", "i64[2, 3, 4, 5]"),
        ),
        Example({"kernel": 3, "stride": 2, "size": 10}, ("f32[2, 3, 4]", "i64[2, 3, 4]")),
        Example({"kernel": 2}, ("f32[2, 3, 2, 3, 4]", "i64[2, 3, 2, 3, 4]")),
    )

    kernel: Sizes
    stride: Sizes | None = None
    padding: Amounts = 0
    size: int | Dim | tuple[int | Dim, ...] | None = None

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        x = images(self.name, inputs)
        indices = inputs[1]
        require_dtype(self.name, indices, frozenset({DType.I64}), input=1)
        check.require(at_least(x.shape[1], 1), "`max_unpool` needs axis 1 not to be empty")
        if indices.rank != x.rank:
            raise OpError(f"`max_unpool` needs an index for each value of `{x}`", input=1)
        for axis in range(x.rank):
            require_equal_dims(self.name, check, axis, x, indices, 1)
        return x.with_shape(*x.shape[:2], *self.sizes(check, x))

    def sizes(self, check: Check, x: TensorType) -> tuple[Dim, ...]:
        """The spatial sizes of the result. Raises OpError if the requested ones are impossible."""
        axes = x.rank - 2
        wanted = self.size if isinstance(self.size, tuple) else (self.size,) * axes
        if len(wanted) != axes:
            raise OpError(
                f"`max_unpool` takes one size for each of {axes} spatial axes, but got "
                f"{len(wanted)}",
                attribute="size",
            )
        found = []
        for axis, (slide, asked) in enumerate(zip(self.slides(axes), wanted, strict=True), 2):
            usual = transposed(x.shape[axis], slide, 0)
            size = usual if asked is None else dim(asked)
            for difference in (size - usual, usual - size):
                least = difference + (slide.stride - 1)
                if least.constant is not None and least.constant < 0:
                    raise OpError(
                        f"`max_unpool` can make sizes that differ from {usual} by less than "
                        f"{slide.stride} on axis {axis}, but not {size}",
                        attribute="size",
                    )
                check.require_nonnegative(
                    least,
                    f"`max_unpool` needs a size that differs from {usual} by less than "
                    f"{slide.stride} on axis {axis}",
                    of=usual,
                )
            from_input = None if asked is not None else size
            reason = f"`max_unpool` needs axis {axis} of its output not to be empty"
            check.require_nonnegative(size - 1, reason, of=from_input)
            found.append(size)
        return tuple(found)

    def slides(self, axes: int) -> tuple[Slide, ...]:
        """The movement of the pooling window along each of `axes` spatial axes."""
        return _slides(self.name, axes, self.kernel, self.stride, self.padding, 1)

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> tuple[Window, ...]:
        """For indices from a pool with the same windows: they can be anywhere in these."""
        return tuple(transposed_window(slide) for slide in self.slides(inputs[0].rank - 2))


class AvgPool(Op):
    """The mean of each window, as `torch.nn.AvgPool1d`, `2d` and `3d`.

    kernel: size of the window, one number or one per spatial axis.
    stride: step of the window; None for the kernel size, so that windows do not overlap.
    padding: zeros added on both sides, at most half the kernel.
    ceil: whether sizes are rounded up, as in `max_pool`.
    count_include_pad: whether the added zeros are counted in the mean.

    Each output size is (size + 2 * padding - kernel) // stride + 1. Over three axes, PyTorch
    needs every size without padding to be at least that of the kernel.
    """

    name: ClassVar[str] = "avg_pool"
    category: ClassVar[str] = "pooling"
    positions: ClassVar[int | None] = 3
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

    def channel_layout(self, axis: int, *inputs: TensorType) -> ChannelLayout | None:
        padded = any(slide.before or slide.after for slide in self.slides(inputs[0].rank - 2))
        constants = not (padded and self.count_include_pad)
        return ChannelLayout(axis, constants=constants) if axis < 2 else None

    def slides(self, axes: int) -> tuple[Slide, ...]:
        """The movement of the window along each of `axes` spatial axes."""
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
    slides = slides_of(op, axes, kernel, kernel if stride is None else stride, padding, dilation)
    for slide in slides:
        size, added = slide.kernel, slide.before
        if added > size // 2:
            raise OpError(
                f"`{op}` takes a padding of at most half its kernel, but {added} > {size} // 2",
                attribute="padding",
            )
    return slides


def _shrunk(
    op: str, check: Check, x: TensorType, slides: tuple[Slide, ...], *, ceil: bool
) -> TensorType:
    check.require(at_least(x.shape[1], 1), f"`{op}` needs axis 1 not to be empty")
    sizes = (
        pooled(op, check, x.shape[axis], slide, axis, ceil=ceil)
        for axis, slide in enumerate(slides, start=2)
    )
    return x.with_shape(*x.shape[:2], *sizes)
