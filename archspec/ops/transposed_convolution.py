"""Transposed convolution, which reverses the change of size by a convolution."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import PositiveInt

from archspec.ops.base import Check, Example, Made, Op, OpError, Parameter, Window
from archspec.ops.convolution import fixed_kernel, require_bias
from archspec.ops.shape import exact_division
from archspec.ops.shape_rules import (
    Amounts,
    Sizes,
    Slide,
    divides,
    fixed_channels,
    float_input,
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

    @classmethod
    def padding_as_same(cls, kernel: int, stride: int) -> dict[str, int] | None:
        """A result of `stride` times the size of the input: (H - 1) * s - 2p + k + q = H * s."""
        padding = max(0, (kernel - stride + 1) // 2)
        added = stride + 2 * padding - kernel
        if added >= stride:
            return None  # an even kernel without a stride
        return {"padding": padding} | ({"output_padding": added} if added else {})

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        x = images(self.name, inputs)
        channels = known_channels(self.name, check, x)
        divides(self.name, "groups", self.groups, channels, "a number of input channels")
        divides(self.name, "groups", self.groups, self.width, "a `width`")
        slides = self.slides(x.rank - 2)
        require_filled(self.name, check, x)
        sizes = _sizes(self.name, check, x, slides, self.output_padding)
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


class ConvolveTranspose(Op):
    """Transposed convolution with data as weights, as `torch.nn.functional.conv_transpose2d`.

    The inputs are (x, weight) or (x, weight, bias): x is [B, C, ...], weight is [C, width / groups,
    kernel...], bias is [width]. It is to `conv_transpose` as `convolve` is to `conv`: for weights
    that are computed, shared or fixed. The sizes of the kernel must be fixed numbers.

    stride: distance between input positions in the result.
    padding: positions removed from both sides of the result.
    output_padding: positions added at the end, fewer than the larger of stride and dilation.
    groups: number of independent convolutions into which the channels are split. It may be
        a free dim, such as batch * channels.
    dilation: distance between the taps of the window.
    """

    name: ClassVar[str] = "convolve_transpose"
    arity: ClassVar[tuple[int, int | None]] = (2, 3)
    category: ClassVar[str] = "convolution"
    positions: ClassVar[int | None] = 3
    weight_layers: ClassVar[int] = 1
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"stride": 2}, ("f32[2, 8, 5, 4]", "f32[8, 3, 2, 2]")),
        Example({"stride": 2, "padding": 1}, ("f32[2, 8, 5, 4]", "f32[8, 3, 4, 3]", "f32[3]")),
        Example({"stride": 2, "output_padding": 1}, ("f32[2, 8, 5]", "f32[8, 3, 3]")),
        Example({"groups": 8, "dilation": 2}, ("f32[2, 8, 5, 4]", "f32[8, 1, 3, 3]")),
        Example({"stride": (1, 2, 3)}, ("f32[1, 2, 3, 4, 3]", "f32[2, 1, 2, 2, 3]")),
    )

    stride: Sizes = 1
    padding: Amounts = 0
    output_padding: Amounts = 0
    groups: PositiveInt | Dim = 1
    dilation: Sizes = 1

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        x, weight = images(self.name, inputs), float_input(self.name, inputs, 1)
        slides = self.slides(x, weight)
        needed = "`convolve_transpose` needs channels that fit its weight"
        check.require_equal(x.shape[1], weight.shape[0], needed)
        exact_division(self.name, check, x.shape[1], dim(self.groups), attribute="groups")
        width = weight.shape[1] * self.groups
        if len(inputs) == 3:
            require_bias(self.name, check, inputs, width)
        require_filled(self.name, check, x)
        check.require(at_least(width, 1), f"`{self.name}` needs at least one channel")
        sizes = _sizes(self.name, check, x, slides, self.output_padding)
        return x.with_shape(x.shape[0], width, *sizes)

    def slides(self, x: TensorType, weight: TensorType) -> tuple[Slide, ...]:
        """How the window moves along each spatial axis of the result."""
        kernel = fixed_kernel(self.name, weight, x.rank)
        return slides_of(self.name, len(kernel), kernel, self.stride, self.padding, self.dilation)

    def depth(self, inputs: tuple[Made, ...]) -> int:
        return int(inputs[1] is not Made.CONSTANTS)

    def macs(self, inputs: tuple[TensorType, ...], outputs: tuple[TensorType, ...]) -> Dim:
        return inputs[0].elements * product(inputs[1].shape[1:])

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> tuple[Window, ...]:
        return tuple(transposed_window(slide) for slide in self.slides(*inputs[:2]))


def _sizes(
    op: str, check: Check, x: TensorType, slides: tuple[Slide, ...], output_padding: Amounts
) -> tuple[Dim, ...]:
    """Spatial sizes after a transposed convolution, which must not be empty."""
    extras = per_axis(op, "output_padding", output_padding, x.rank - 2)
    sizes = []
    for axis, (slide, extra) in enumerate(zip(slides, extras, strict=True), start=2):
        if extra >= max(slide.stride, slide.dilation):
            raise OpError(
                f"`{op}` takes an `output_padding` below stride or dilation, but on axis {axis} it "
                f"is {extra}",
                attribute="output_padding",
            )
        size = transposed(x.shape[axis], slide, extra)
        reason = f"`{op}` needs axis {axis} not to be empty after its padding is removed"
        check.require(at_least(size, 1), reason)
        sizes.append(size)
    return tuple(sizes)
