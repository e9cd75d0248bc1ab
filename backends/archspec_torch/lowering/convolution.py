"""Convolutions and linear layers."""

from __future__ import annotations

from typing import Any

from archspec.types.initialiser import FanInUniform, Initialiser, KaimingUniform, Normal
from archspec.types.tensor import DType
from archspec_torch.code.pieces import Argument, Code, Hole, Quoted, call, code, keyword, positional
from archspec_torch.lowering.base import Lowered, Scope, Site, collapsed, constant, fixed, lowers

DEFAULT_WEIGHT = KaimingUniform(slope=5**0.5)


def torch_defaults(site: Site) -> dict[str, Initialiser]:
    """The initial values of `weight` and `bias` in the constructors of torch."""
    found: dict[str, Initialiser] = {"weight": DEFAULT_WEIGHT}
    weight = next(
        (item for item in site.parameters if "weight" in (item.name, item.parametrises)), None
    )
    if weight is not None:
        fan = 1
        for size in weight.shape[1:]:
            fan *= size
        found["bias"] = FanInUniform(fan=fan)
    return found


@lowers("conv", fresh=True)
def conv(site: Site) -> Lowered:
    """`nn.Conv1d`, `nn.Conv2d`, `nn.Conv3d`, or the same with a normalised weight."""
    op = site.op
    width, groups = map(constant, op.counts(site.x))
    arguments = [
        *_kernel(site, width),
        padding(site),
        keyword("dilation", collapsed(op.dilation), 1),
        keyword("groups", groups, 1),
        keyword("bias", op.bias, True),
        keyword("padding_mode", Hole(Quoted(op.padding_mode)), Quoted("zeros")),
    ]
    if op.parametrization != "none":
        return _normalised("Conv", arguments, site)
    module = call(f"nn.Conv{site.axes}d", *arguments)
    return Lowered(module, given=torch_defaults(site))


def _kernel(site: Site, width: int) -> list[Argument]:
    """Channels, size and stride of a kernel."""
    return [
        positional(constant(site.x.shape[1]), "in_channels"),
        positional(width, "out_channels"),
        positional(collapsed(site.op.kernel), "kernel_size"),
        keyword("stride", collapsed(site.op.stride), 1),
    ]


def padding(site: Site, kernel: tuple[int, ...] | None = None) -> Argument:
    """`padding=` of a convolution; an even kernel under `same` is left to torch."""
    op = site.op
    if op.padding == "same":
        slides = op.slides(site.axes) if kernel is None else op.slides(site.inputs[1], site.x.rank)
        if any(slide.before != slide.after for slide in slides):
            return keyword("padding", Hole(Quoted("same"), "padding"))
        return keyword("padding", collapsed(tuple(slide.before for slide in slides)), 0)
    if op.padding == "valid":
        return keyword("padding", 0, 0)
    if op.padding == "half":
        slides = op.slides(site.axes) if kernel is None else op.slides(site.inputs[1], site.x.rank)
        return keyword("padding", collapsed(tuple(slide.before for slide in slides)), 0)
    return keyword("padding", collapsed(op.padding), 0)


def _normalised(kind: str, arguments: list[Argument], site: Site) -> Lowered:
    """A module whose weight is computed by a parametrisation."""
    prefix = {"weight_norm": "WeightNorm", "spectral_norm": "SpectralNorm"}
    name = prefix[site.op.parametrization] + kind + (f"{site.axes}d" if kind != "Linear" else "")
    defaults = torch_defaults(site)
    weight = next(item.name for item in site.parameters if item.parametrises)
    given = {weight: defaults["weight"], "bias": defaults["bias"]}
    return Lowered(call(name, *arguments), module_helpers=(name,), given=given)


@lowers("conv_transpose", fresh=True)
def conv_transpose(site: Site) -> Lowered:
    """`nn.ConvTranspose1d` to `3d`."""
    op = site.op
    arguments = [
        *_kernel(site, op.width),
        keyword("padding", collapsed(op.padding), 0),
        keyword("output_padding", collapsed(op.output_padding), 0),
        keyword("groups", op.groups, 1),
        keyword("bias", op.bias, True),
        keyword("dilation", collapsed(op.dilation), 1),
    ]
    if op.parametrization != "none":
        return _normalised("ConvTranspose", arguments, site)
    return Lowered(call(f"nn.ConvTranspose{site.axes}d", *arguments), given=torch_defaults(site))


@lowers("convolve")
def convolve(site: Site) -> Lowered:
    """`F.conv2d` with a weight that is data."""
    op = site.op
    weight = site.inputs[1]
    kernel = tuple(constant(size) for size in weight.shape[2:])

    def apply(inputs: Any, scope: Scope) -> Code:
        x, given = inputs[0], padding(site, kernel)
        if op.padding_mode != "zeros":
            slides = op.slides(weight, site.x.rank)
            sides = [side for slide in reversed(slides) for side in (slide.before, slide.after)]
            mode = Hole(Quoted(op.padding_mode))
            widths = f"({', '.join(map(str, sides))})"
            x = scope.statement("padded", call("F.pad", x, widths, keyword("mode", mode)))
            given = keyword("padding", 0, 0)
        groups = fixed(op.groups) or scope.size(op.groups)
        return call(
            f"F.conv{site.axes}d",
            x,
            *inputs[1:],
            keyword("stride", collapsed(op.stride), 1),
            given,
            keyword("dilation", collapsed(op.dilation), 1),
            keyword("groups", groups, 1),
        )

    return Lowered(apply=apply)


@lowers("convolve_transpose")
def convolve_transpose(site: Site) -> Lowered:
    """`F.conv_transpose2d` with a weight that is data."""
    op = site.op

    def apply(inputs: Any, scope: Scope) -> Code:
        return call(
            f"F.conv_transpose{site.axes}d",
            *inputs,
            keyword("stride", collapsed(op.stride), 1),
            keyword("padding", collapsed(op.padding), 0),
            keyword("output_padding", collapsed(op.output_padding), 0),
            keyword("groups", fixed(op.groups) or scope.size(op.groups), 1),
            keyword("dilation", collapsed(op.dilation), 1),
        )

    return Lowered(apply=apply)


@lowers("deform_conv")
def deform_conv(site: Site) -> Lowered:
    """A module of the prelude with the arguments of `nn.Conv2d`."""
    op = site.op
    arguments = [
        *_kernel(site, op.width),
        keyword("padding", collapsed(tuple(slide.before for slide in op.slides())), 0),
        keyword("dilation", collapsed(op.dilation), 1),
        keyword("groups", op.groups, 1),
        keyword("bias", op.bias, True),
    ]
    name = "DeformConv2d"
    return Lowered(call(name, *arguments), module_helpers=(name,), given=torch_defaults(site))


@lowers("linear", fresh=True)
def linear(site: Site) -> Lowered:
    """`nn.Linear`."""
    op = site.op
    arguments = [
        positional(constant(site.x.shape[-1]), "in_features"),
        positional(op.width, "out_features"),
        keyword("bias", op.bias, True),
    ]
    if op.parametrization != "none":
        return _normalised("Linear", arguments, site)
    return Lowered(call("nn.Linear", *arguments), given=torch_defaults(site))


@lowers("affine")
def affine(site: Site) -> Lowered:
    """`F.linear` with a weight that is data."""
    return Lowered(apply=lambda inputs, scope: code(call("F.linear", *inputs)))


@lowers("routed_affine")
def routed_affine(site: Site) -> Lowered:
    """A function of the prelude, which computes each map on its rows only."""
    integers = site.inputs[1].dtype is not DType.I64

    def apply(inputs: Any, scope: Scope) -> Code:
        x, route, *weights = inputs
        route = f"{route}.to(torch.int64)" if integers else route
        return call("routed_affine", x, route, *weights)

    return Lowered(apply=apply, helpers=("routed_affine",))


@lowers("embedding")
def embedding(site: Site) -> Lowered:
    """`nn.Embedding`, which zeroes the padding row itself."""
    op = site.op
    module = call(
        "nn.Embedding",
        positional(op.count, "num_embeddings"),
        positional(op.width, "embedding_dim"),
        keyword("padding_idx", Hole(op.padding_index, "padding_idx"), None),
    )
    return Lowered(module, given={"weight": Normal()})
