"""Pooling to a given output size, or over all positions."""

from __future__ import annotations

from typing import ClassVar, Literal, TypeAlias

from pydantic import PositiveInt

from archspec.ops.base import Check, Example, Op, OpError, Seen, Window
from archspec.ops.channel_layout import ChannelLayout
from archspec.ops.shape_rules import float_input, images, require_filled
from archspec.types.dim import Dim, dim
from archspec.types.tensor import TensorType

TargetSize: TypeAlias = PositiveInt | Dim | tuple[PositiveInt | Dim | None, ...]


class AdaptiveAvgPool(Op):
    """Means over windows that divide the input evenly, as `torch.nn.AdaptiveAvgPool2d`.

    Output position i of n is the mean over the half-open range of positions from
    floor(i * size / n) to ceil((i + 1) * size / n).

    size: size of the result, one number or one per spatial axis; None keeps the size of an
        axis. May be a free dim.
    """

    name: ClassVar[str] = "adaptive_avg_pool"
    category: ClassVar[str] = "pooling"
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"size": 1}),
        Example({"size": (3, 7)}),
        Example({"size": (None, 5)}),
        Example({"size": 4}, ("f32[2, 8, 10]",)),
        Example({"size": (2, 3, 4)}, ("f32[2, 3, 5, 6, 7]",)),
    )

    size: TargetSize

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        return _adapted(self.name, check, images(self.name, inputs), self.size)

    def channel_layout(self, axis: int, *inputs: TensorType) -> ChannelLayout | None:
        return ChannelLayout(axis) if axis < 2 else None

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Seen:
        return _even_windows(self.name, inputs[0], self.size)


class AdaptiveMaxPool(Op):
    """Maxima of windows that divide the input evenly, as `torch.nn.AdaptiveMaxPool2d`.

    The windows are those of `adaptive_avg_pool`.

    size: size of the result, one number or one per spatial axis; None keeps the size of an
        axis. May be a free dim.
    """

    name: ClassVar[str] = "adaptive_max_pool"
    category: ClassVar[str] = "pooling"
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"size": 1}),
        Example({"size": (3, 7)}),
        Example({"size": (None, 5)}),
        Example({"size": 4}, ("f32[2, 8, 10]",)),
        Example({"size": (2, 3, 4)}, ("f32[2, 3, 5, 6, 7]",)),
    )

    size: TargetSize

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        return _adapted(self.name, check, images(self.name, inputs), self.size)

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Seen:
        return _even_windows(self.name, inputs[0], self.size)


class GlobalAvgPool(Op):
    """The mean over all axes from the third on: [B, C, ...] to [B, C] (Lin et al. 2013).

    keepdim: whether the axes are kept, with size 1.
    """

    name: ClassVar[str] = "global_avg_pool"
    category: ClassVar[str] = "pooling"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(),
        Example({"keepdim": True}),
        Example({}, ("f32[2, 8, 10]",)),
        Example({"keepdim": True}, ("f32[2, 3, 5, 6, 7]",)),
    )

    keepdim: bool = False

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        return _collapsed(self.name, inputs, keepdim=self.keepdim)

    def channel_layout(self, axis: int, *inputs: TensorType) -> ChannelLayout | None:
        return ChannelLayout(axis) if axis < 2 else None

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Literal["all"]:
        return "all"


class GlobalMaxPool(Op):
    """The maximum over all axes from the third on: [B, C, ...] to [B, C].

    keepdim: whether the axes are kept, with size 1.
    """

    name: ClassVar[str] = "global_max_pool"
    category: ClassVar[str] = "pooling"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(),
        Example({"keepdim": True}),
        Example({}, ("f32[2, 8, 10]",)),
        Example({"keepdim": True}, ("f32[2, 3, 5, 6, 7]",)),
    )

    keepdim: bool = False

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        found = _collapsed(self.name, inputs, keepdim=self.keepdim)
        require_filled(self.name, check, inputs[0])
        return found

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Literal["all"]:
        return "all"


Target: TypeAlias = "int | Dim | tuple[int | Dim | None, ...]"


def _target_sizes(op: str, x: TensorType, size: Target) -> tuple[Dim, ...]:
    axes = x.rank - 2
    given = size if isinstance(size, tuple) else (size,) * axes
    if len(given) != axes:
        raise OpError(
            f"`{op}` takes one size or {axes} (one per spatial axis), but got {len(given)}",
            attribute="size",
        )
    return tuple(
        old if new is None else dim(new) for old, new in zip(x.shape[2:], given, strict=True)
    )


def _adapted(op: str, check: Check, x: TensorType, size: Target) -> TensorType:
    sizes = _target_sizes(op, x, size)
    for old, each in zip(x.shape[2:], sizes, strict=True):
        asked = None if each != old else old
        check.require_nonnegative(each - 1, f"`{op}` needs a size of at least 1", of=asked)
    require_filled(op, check, x)
    return x.with_shape(*x.shape[:2], *sizes)


def _even_windows(op: str, x: TensorType, size: Target) -> Seen:
    windows: list[Window] = []
    for old, new in zip(x.shape[2:], _target_sizes(op, x, size), strict=True):
        if old == new:
            windows.append(Window(1))
            continue
        before, after = old.constant, new.constant
        if not before or not after or after == 1 or before % after:
            return "all"
        windows.append(Window(before // after, before // after))
    return tuple(windows)


def _collapsed(op: str, inputs: tuple[TensorType, ...], *, keepdim: bool) -> TensorType:
    x = float_input(op, inputs)
    if x.rank < 3:
        raise OpError(
            f"`{op}` takes [B, C, ...] with at least one spatial axis, but its input is `{x}`",
            input=0,
            fix="use `mean(axis=..)` for other axes" if op == "global_avg_pool" else None,
        )
    kept = (dim(1),) * (x.rank - 2) if keepdim else ()
    return x.with_shape(*x.shape[:2], *kept)
