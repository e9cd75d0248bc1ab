"""Resizing, borders, and windows laid out as axes."""

from __future__ import annotations

from collections.abc import Sequence

from archspec.types.dim import DimLike, dim
from archspec_torch.code.pieces import (
    Argument,
    Code,
    Hole,
    Quoted,
    call,
    code,
    keyword,
    listing,
    positional,
)
from archspec_torch.lowering.base import Lowered, Scope, Site, collapsed, fixed, function, lowers

ALIGNABLE = ("linear", "bilinear", "bicubic", "trilinear")


def listed(sizes: Sequence[DimLike], scope: Scope) -> Code:
    """`[H // 2, W // 2]`."""
    return listing([scope.size(size) for size in sizes])


def _settings(site: Site) -> list[Argument]:
    op = site.op
    found = [keyword("mode", Hole(Quoted(op.mode)), Quoted("nearest"))]
    if op.mode in ALIGNABLE:
        found.append(keyword("align_corners", bool(op.align_corners), False))
    found.append(keyword("antialias", bool(getattr(op, "antialias", False)), False))
    return found


@lowers("resize")
def resize(site: Site) -> Lowered:
    """`F.interpolate(size=...)`."""

    def apply(inputs: Sequence[str], scope: Scope) -> Code:
        size = keyword("size", listed(site.y.shape[2:], scope))
        return call("F.interpolate", *inputs, size, *_settings(site))

    return Lowered(apply=apply)


@lowers("resize_like")
def resize_like(site: Site) -> Lowered:
    """`F.interpolate` to the size of the other input."""

    def apply(inputs: Sequence[str], scope: Scope) -> Code:
        size = keyword("size", f"{inputs[1]}.shape[2:]")
        return call("F.interpolate", inputs[0], size, *_settings(site))

    return Lowered(apply=apply)


@lowers("upsample")
def upsample(site: Site) -> Lowered:
    """`F.interpolate(scale_factor=...)`."""
    settings = [item for item in _settings(site) if item.keyword != "antialias"]
    scale = keyword("scale_factor", float(site.op.scale))
    return Lowered(
        call("nn.Upsample", scale, *settings),
        lambda inputs, scope: call("F.interpolate", *inputs, scale, *settings),
    )


@lowers("grid_sample")
def grid_sample(site: Site) -> Lowered:
    """`F.grid_sample`."""
    op = site.op
    settings = [
        keyword("mode", Hole(Quoted(op.mode)), Quoted("bilinear")),
        keyword("padding_mode", Hole(Quoted(op.padding_mode)), Quoted("zeros")),
        keyword("align_corners", op.align_corners),
    ]
    return Lowered(apply=function("F.grid_sample", *settings))


@lowers("roi_align")
def roi_align(site: Site) -> Lowered:
    """A function of the prelude."""
    op = site.op
    size = op.size if isinstance(op.size, tuple) else (op.size, op.size)
    settings = [
        keyword("size", size),
        keyword("scale", op.scale),
        keyword("samples", op.samples),
        keyword("aligned", op.aligned),
    ]
    return Lowered(apply=function("roi_align", *settings), helpers=("roi_align",))


@lowers("pixel_shuffle")
def pixel_shuffle(site: Site) -> Lowered:
    """`F.pixel_shuffle`."""
    factor = positional(site.op.factor, "factor")
    return Lowered(call("nn.PixelShuffle", factor), function("F.pixel_shuffle", factor))


@lowers("pixel_unshuffle")
def pixel_unshuffle(site: Site) -> Lowered:
    """`F.pixel_unshuffle`."""
    factor = positional(site.op.factor, "factor")
    return Lowered(call("nn.PixelUnshuffle", factor), function("F.pixel_unshuffle", factor))


@lowers("pad")
def pad(site: Site) -> Lowered:
    """`F.pad`, which counts axes from the last."""
    op = site.op
    rank = site.x.rank
    amounts = {axis % rank: (before, after) for axis, before, after in op.amounts}
    first = min(amounts, default=rank)
    if op.mode != "constant":
        first = 2  # torch pads all spatial axes then
    sides = [amounts.get(axis, (0, 0)) for axis in range(rank - 1, first - 1, -1)]

    def apply(inputs: Sequence[str], scope: Scope) -> Code:
        if all(fixed(amount) == 0 for side in sides for amount in side):
            return code(inputs[0])
        flat = listed([dim(amount) for side in sides for amount in side], scope)
        settings = [keyword("mode", Hole(Quoted(op.mode)), Quoted("constant"))]
        if op.value:
            settings.append(keyword("value", float(op.value)))
        return call("F.pad", *inputs, flat, *settings)

    return Lowered(apply=apply)


def _window(site: Site) -> list[Argument]:
    op = site.op
    return [
        positional(collapsed(op.kernel), "kernel_size"),
        keyword("dilation", collapsed(op.dilation), 1),
        keyword("padding", collapsed(op.padding), 0),
        keyword("stride", collapsed(op.stride), 1),
    ]


@lowers("unfold")
def unfold(site: Site) -> Lowered:
    """`F.unfold`."""
    arguments = _window(site)
    return Lowered(call("nn.Unfold", *arguments), function("F.unfold", *arguments))


@lowers("fold")
def fold(site: Site) -> Lowered:
    """`F.fold`."""

    def apply(inputs: Sequence[str], scope: Scope) -> Code:
        size = listed(site.y.shape[2:], scope)
        return call("F.fold", *inputs, size, *_window(site))

    return Lowered(apply=apply)
