"""Transposed convolution, which reverses the change of size by a convolution."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from archspec.ops.base import Check, Example, Op, OpError, Parameter, Window
from archspec.ops.shape_rules import (
    Amounts,
    Sizes,
    Slide,
    divides,
    fixed_channels,
    images,
    known_channels,
    per_axis,
    require_filled,
    slides_of,
    transposed,
    transposed_window,
)
from archspec.ops.symbols import Count, number
from archspec.ops.weights import Parametrization, bias_parameter, weight_parameters
from archspec.types.condition import at_least
from archspec.types.dim import Dim, dim, product
from archspec.types.initialiser import Initialiser, Normal, Zeros
from archspec.types.tensor import TensorType

if TYPE_CHECKING:
    from archspec.ops.channels import LinearLayer


class ConvTranspose(Op):
    """Transposed convolution, the gradient of a convolution with respect to its input.

    As `torch.nn.ConvTranspose1d`, `2d` and `3d` (Zeiler et al. 2010). Each output size is
    (size - 1) * stride - 2 * padding + dilation * (kernel - 1) + output_padding + 1.

    width: number of output channels.
    kernel: size of the window, one number or one per spatial axis.
    stride: distance between input positions in the result.
    padding: positions removed from both sides of the result; 0 by default, as in PyTorch (only
        `conv` defaults to `half`).
    output_padding: positions added at the end, fewer than the larger of stride and dilation.
    groups: number of independent convolutions into which the channels are split.
    bias: whether a bias is added to each output channel.
    dilation: distance between the taps of the window.
    parametrization: `weight_norm` splits the weight into `weight_g` and `weight_v`, over the
        input channels, as PyTorch does; `spectral_norm` as in `conv`.
    weight_init, bias_init: initialisers; by default those of PyTorch.

    Often used to double a size: `conv_transpose(width, 2, stride=2)`.
    """

    name: ClassVar[str] = "conv_transpose"
    category: ClassVar[str] = "convolution"
    positions: ClassVar[int | None] = 5
    inferred: ClassVar[int | None] = 0
    weight_layers: ClassVar[int] = 1
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"width": 4, "kernel": 2, "stride": 2}),
        Example({"width": 4, "kernel": 4, "stride": 2, "padding": 1, "bias": False}),
        Example({"width": 4, "kernel": 3, "stride": 2, "padding": 1, "output_padding": 1}),
        Example({"width": 4, "kernel": (3, 2), "stride": (1, 3), "output_padding": (0, 2)}),
        Example({"width": 4, "kernel": 3, "dilation": 2, "groups": 4}, ("f32[2, 8, 9]",)),
        Example({"width": 4, "kernel": 3, "parametrization": "weight_norm"}),
        Example({"width": 4, "kernel": 3, "parametrization": "spectral_norm"}),
        Example(
            {"width": 4, "kernel": 2, "weight_init": Normal(std=0.02), "bias_init": Zeros()},
            ("f32[2, 3, 4, 5, 6]",),
        ),
    )

    width: Count
    kernel: Sizes
    stride: Sizes = 1
    padding: Amounts = 0
    output_padding: Amounts = 0
    groups: Count = 1
    bias: bool = True
    dilation: Sizes = 1
    parametrization: Parametrization = "none"
    weight_init: Initialiser | None = None
    bias_init: Initialiser | None = None

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        x = images(self.name, inputs)
        channels = known_channels(self.name, check, x)
        divides(self.name, "groups", self.groups, channels, "a number of input channels")
        divides(self.name, "groups", self.groups, self.width, "a `width`")
        slides = self.slides(x.rank - 2)
        extras = per_axis(self.name, "output_padding", self.output_padding, x.rank - 2)
        require_filled(self.name, check, x)
        sizes = []
        for axis, (slide, extra) in enumerate(zip(slides, extras, strict=True), start=2):
            if extra >= max(slide.stride, slide.dilation):
                raise OpError(
                    f"`conv_transpose` takes an `output_padding` below stride or dilation, "
                    f"but on axis {axis} it is {extra}",
                    attribute="output_padding",
                )
            size = transposed(x.shape[axis], slide, extra)
            check.require(
                at_least(size, 1),
                f"`conv_transpose` needs axis {axis} not to be empty after its padding is removed",
            )
            sizes.append(size)
        return x.with_shape(x.shape[0], dim(self.width), *sizes)

    def slides(self, axes: int) -> tuple[Slide, ...]:
        """How the window moves along each of `axes` spatial axes of the result."""
        return slides_of(self.name, axes, self.kernel, self.stride, self.padding, self.dilation)

    def parameters(self, *inputs: TensorType) -> tuple[Parameter, ...]:
        x = inputs[0]
        kernel = per_axis(self.name, "kernel", self.kernel, x.rank - 2)
        width, groups = number(self.width), number(self.groups)
        shape = (fixed_channels(self.name, x), width // groups, *kernel)
        weight = weight_parameters(shape, self.weight_init, self.parametrization, rows=1)
        return (*weight, *bias_parameter(self.bias, width, shape, self.bias_init))

    def linear_layer(self, *inputs: TensorType) -> LinearLayer | None:
        from archspec.ops.channels import LinearLayer  # noqa: PLC0415  (start-up)

        if self.parametrization != "none":
            return None
        rows = tuple(one.row for one in self.slides(inputs[0].rank - 2))
        width, groups = number(self.width), number(self.groups)
        edge = "zeros"  # near it, and between inputs, fewer taps contribute
        return LinearLayer(1, 1, width, self.bias, groups, True, rows, edge)

    def macs(self, inputs: tuple[TensorType, ...], outputs: tuple[TensorType, ...]) -> Dim:
        kernel = per_axis(self.name, "kernel", self.kernel, inputs[0].rank - 2)
        return inputs[0].elements * (self.width // self.groups) * product(kernel)

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> tuple[Window, ...]:
        return tuple(transposed_window(slide) for slide in self.slides(inputs[0].rank - 2))
