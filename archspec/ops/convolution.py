"""Convolutions over one to three spatial axes, with their own weights or with data as weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

from pydantic import PositiveInt

from archspec.ops.advice import Application, Doubt
from archspec.ops.base import Check, Example, Made, Op, OpError, Parameter, Window
from archspec.ops.shape import exact_division
from archspec.ops.shape_rules import (
    Amounts,
    Sizes,
    Slide,
    convolved,
    divides,
    fixed_channels,
    float_input,
    images,
    known_channels,
    per_axis,
    slides_of,
)
from archspec.ops.symbols import Count, number
from archspec.ops.weights import Parametrization, bias_parameter, weight_parameters
from archspec.types.condition import at_least
from archspec.types.dim import Dim, dim, product
from archspec.types.initialiser import Constant, Initialiser, KaimingNormal
from archspec.types.tensor import TensorType

if TYPE_CHECKING:
    from archspec.ops.channels import LinearLayer

Padding: TypeAlias = Amounts | Literal["half", "same", "valid"]
PaddingMode: TypeAlias = Literal["zeros", "reflect", "replicate", "circular"]


class Conv(Op):
    """Convolution: each output position is a weighted sum of a window of the input.

    `y[b, o, p] = bias[o] + sum over c, j of weight[o, c, j] * x[b, c, p * stride + dilation * j -
    padding]`, as `torch.nn.Conv1d`, `Conv2d` and `Conv3d`. The rank of the input, [B, C, L],
    [B, C, H, W] or [B, C, D, H, W], gives the number of spatial axes; the number of input channels
    is inferred.

    width: number of output channels; `same` for the number of input channels.
    kernel: size of the window, one number or one per spatial axis.
    stride: step of the window.
    padding: positions added on both sides: a number, one per axis, `half` (the default:
        dilation * (kernel - 1) // 2, so that an odd kernel at stride 1 keeps the size), `same`
        (keeps the size for even kernels too, stride 1 only) or `valid` (none).
    dilation: distance between the taps of the window.
    groups: number of independent convolutions into which the channels are split; `each` for one
        per input channel, so that `conv(same, 3, groups=each)` is a depthwise convolution.
    bias: whether a bias is added to each output channel.
    padding_mode: `zeros`, `reflect`, `replicate` or `circular`.
    parametrization: `weight_norm` splits the weight into `weight_g` and `weight_v`
        (Salimans and Kingma 2016); `spectral_norm` divides it by its largest singular value,
        which is updated by one step of power iteration in each forward pass of training (Miyato
        et al. 2018), as `torch.nn.utils.parametrizations.spectral_norm` does.
    weight_init, bias_init: initialisers; by default those of PyTorch.

    Each output size is (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1.
    """

    name: ClassVar[str] = "conv"
    category: ClassVar[str] = "convolution"
    positions: ClassVar[int | None] = 6
    inferred: ClassVar[int | None] = 0
    weight_layers: ClassVar[int] = 1
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"width": 4, "kernel": 3}),
        Example({"width": 4, "kernel": 3, "stride": 2, "bias": False}),
        Example({"width": 4, "kernel": (3, 2), "stride": (2, 1), "padding": (1, 0)}),
        Example({"width": 16, "kernel": 3, "padding": 4, "dilation": 4, "groups": 8}),
        Example({"width": "same", "kernel": 3, "groups": "each"}),
        Example({"width": 4, "kernel": 4, "padding": "same", "dilation": 3}),
        Example({"width": 4, "kernel": 3, "padding": "valid"}, ("f32[2, 3, 20]",)),
        Example({"width": 4, "kernel": 3, "padding_mode": "reflect"}),
        Example({"width": 4, "kernel": 3, "padding_mode": "replicate"}, ("f32[2, 3, 5, 6, 7]",)),
        Example({"width": 4, "kernel": 4, "padding": "same", "padding_mode": "circular"}),
        Example({"width": 4, "kernel": 3, "parametrization": "weight_norm"}),
        Example({"width": 4, "kernel": 3, "parametrization": "spectral_norm"}),
        Example(
            {
                "width": 4,
                "kernel": 1,
                "weight_init": KaimingNormal(mode="fan_out"),
                "bias_init": Constant(value=0.5),
            }
        ),
    )

    width: Count | Literal["same"]
    kernel: Sizes
    stride: Sizes = 1
    padding: Padding = "half"
    dilation: Sizes = 1
    groups: Count | Literal["each"] = 1
    bias: bool = True
    padding_mode: PaddingMode = "zeros"
    parametrization: Parametrization = "none"
    weight_init: Initialiser | None = None
    bias_init: Initialiser | None = None

    @classmethod
    def instead_of(cls, attribute: str) -> str | None:
        if attribute != "causal":
            return None
        return "pad before the axis: `pad([(2, 4, 0)]) -> conv(8, 3, dilation=2, padding=0)`"

    @classmethod
    def padding_as_same(cls, kernel: int, stride: int) -> dict[str, int] | None:
        return {"padding": kernel // 2} if kernel % 2 else None

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        x = images(self.name, inputs, fix="did you mean `linear`?" if inputs[0].rank < 3 else None)
        channels = known_channels(self.name, check, x)
        width, groups = self.counts(x)
        divides(self.name, "groups", groups, channels, "a number of input channels")
        divides(self.name, "groups", groups, width, "a `width`")
        slides = self.slides(x.rank - 2)
        sizes = slid_sizes(self.name, check, x, slides, self.padding_mode)
        return x.with_shape(x.shape[0], width, *sizes)

    def doubt(self, use: Application) -> Doubt | None:
        slides = self.slides(use.inputs[0].rank - 2)
        patches = all(one.kernel == one.stride > 2 and one.dilation == 1 for one in slides)
        if not patches or "padding" in use.explicit:
            return None
        return Doubt(
            f"the first patch begins {slides[0].before} positions before the image: the padding is "
            "`(kernel - 1) // 2` by default",
            "for patches without padding, PyTorch's default, write `padding=0`",
        )

    def counts(self, x: TensorType) -> tuple[Dim, Dim]:
        """The numbers of output channels and of groups for this input."""
        channels = x.shape[1]
        width = channels if self.width == "same" else dim(self.width)
        return width, channels if self.groups == "each" else dim(self.groups)

    def slides(self, axes: int) -> tuple[Slide, ...]:
        """The movement of the window along each of `axes` spatial axes."""
        kernel = per_axis(self.name, "kernel", self.kernel, axes)
        return window_slides(self.name, kernel, self.stride, self.padding, self.dilation)

    def parameters(self, *inputs: TensorType) -> tuple[Parameter, ...]:
        x = inputs[0]
        kernel = per_axis(self.name, "kernel", self.kernel, x.rank - 2)
        width, groups = map(number, self.counts(x))
        shape = (width, fixed_channels(self.name, x) // groups, *kernel)
        weight = weight_parameters(shape, self.weight_init, self.parametrization)
        return (*weight, *bias_parameter(self.bias, width, shape, self.bias_init))

    def linear_layer(self, *inputs: TensorType) -> LinearLayer | None:
        from archspec.ops.channels import LinearLayer  # noqa: PLC0415  (start-up)

        if self.parametrization != "none":
            return None
        slides = self.slides(inputs[0].rank - 2)
        edge = self.padding_mode if any(one.before or one.after for one in slides) else ""
        width, groups = map(number, self.counts(inputs[0]))
        rows = tuple(one.row for one in slides)
        return LinearLayer(1, 1, width, self.bias, groups, rows=rows, edge=edge)

    def macs(self, inputs: tuple[TensorType, ...], outputs: tuple[TensorType, ...]) -> Dim:
        kernel = per_axis(self.name, "kernel", self.kernel, inputs[0].rank - 2)
        _, groups = self.counts(inputs[0])
        return outputs[0].elements * (inputs[0].shape[1] // groups) * product(kernel)

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> tuple[Window, ...]:
        return tuple(slide.window for slide in self.slides(inputs[0].rank - 2))


class Convolve(Op):
    """Convolution with data as weights, as `torch.nn.functional.conv2d`.

    The inputs are (x, weight) or (x, weight, bias): x is [B, C, ...], weight is [width, C / groups,
    kernel...], bias is [width]. This is for weights that are computed: standardised, generated by
    another network, or partly shared. The sizes of the kernel must be fixed numbers. The output
    size is that of `conv`.

    stride: step of the window, one number or one per spatial axis.
    padding: positions added on both sides, as in `conv`: a number, one per axis, `half`, `same`
        or `valid`.
    dilation: distance between the taps of the window.
    groups: number of independent convolutions into which the channels are split. It may be
        a free dim, such as batch * channels: then each sample is convolved with its own filters.
    padding_mode: `zeros`, `reflect`, `replicate` or `circular`.
    """

    name: ClassVar[str] = "convolve"
    arity: ClassVar[tuple[int, int | None]] = (2, 3)
    category: ClassVar[str] = "convolution"
    positions: ClassVar[int | None] = 4
    weight_layers: ClassVar[int] = 1
    examples: ClassVar[tuple[Example, ...]] = (
        Example({}, ("f32[2, 8, 16, 16]", "f32[4, 8, 3, 3]")),
        Example({"stride": 2}, ("f32[2, 8, 16, 16]", "f32[4, 8, 3, 2]", "f32[4]")),
        Example({"padding": 4, "dilation": 2, "groups": 2}, ("f32[2, 8, 20]", "f32[6, 4, 3]")),
        Example({"padding": "same"}, ("f32[2, 3, 5, 6, 7]", "f32[4, 3, 2, 3, 4]")),
        Example({"groups": 16}, ("f32[1, 16, 9, 8]", "f32[16, 1, 3, 3]")),
        Example({"padding_mode": "circular"}, ("f32[2, 8, 16, 16]", "f32[4, 8, 3, 3]")),
    )

    stride: Sizes = 1
    padding: Padding = "half"
    dilation: Sizes = 1
    groups: PositiveInt | Dim = 1
    padding_mode: PaddingMode = "zeros"

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        x, weight = images(self.name, inputs), float_input(self.name, inputs, 1)
        slides = self.slides(weight, x.rank)
        width, channels = weight.shape[:2]
        check.require_equal(
            x.shape[1], channels * self.groups, "`convolve` needs channels that fit its weight"
        )
        exact_division(self.name, check, width, dim(self.groups), attribute="groups")
        if len(inputs) == 3:
            require_bias(self.name, check, inputs, width)
        for size in (x.shape[1], width):
            check.require(at_least(size, 1), f"`{self.name}` needs at least one channel")
        sizes = slid_sizes(self.name, check, x, slides, self.padding_mode)
        return x.with_shape(x.shape[0], width, *sizes)

    def slides(self, weight: TensorType, rank: int) -> tuple[Slide, ...]:
        """The movement of the window along each spatial axis of an input of this rank."""
        kernel = fixed_kernel(self.name, weight, rank)
        return window_slides(self.name, kernel, self.stride, self.padding, self.dilation)

    def depth(self, inputs: tuple[Made, ...]) -> int:
        return int(inputs[1] is not Made.CONSTANTS)

    def macs(self, inputs: tuple[TensorType, ...], outputs: tuple[TensorType, ...]) -> Dim:
        return outputs[0].elements * product(inputs[1].shape[1:])

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> tuple[Window, ...]:
        return tuple(slide.window for slide in self.slides(inputs[1], inputs[0].rank))


def window_slides(
    op: str,
    kernel: tuple[int, ...],
    stride: int | tuple[int, ...],
    padding: Padding,
    dilation: int | tuple[int, ...],
) -> tuple[Slide, ...]:
    """The movement of a convolution's window along each axis of `kernel`."""
    axes = len(kernel)
    if not isinstance(padding, str):
        return slides_of(op, axes, kernel, stride, padding, dilation)
    strides = per_axis(op, "stride", stride, axes)
    dilations = per_axis(op, "dilation", dilation, axes)
    if padding == "same" and any(step != 1 for step in strides):
        raise OpError(
            f"`{op}` takes `padding=same` only with stride 1",
            attribute="padding",
            fix="use `padding=half`, which is (size + stride - 1) // stride for odd kernels",
        )
    slides = []
    for size, step, spread in zip(kernel, strides, dilations, strict=True):
        before, after = _named_padding(padding, spread * (size - 1))
        slides.append(Slide(size, step, spread, before, after))
    return tuple(slides)


def _named_padding(padding: Literal["half", "same", "valid"], total: int) -> tuple[int, int]:
    if padding == "valid":
        return 0, 0
    if padding == "half":
        return total // 2, total // 2
    return total // 2, total - total // 2


def slid_sizes(
    op: str, check: Check, x: TensorType, slides: tuple[Slide, ...], mode: PaddingMode
) -> tuple[Dim, ...]:
    """Spatial sizes after a convolution; states the needs of the window and the padding mode.

    `reflect` needs a padding less than the size, `circular` one of at most the size.
    """
    spare = {"reflect": 1, "circular": 0}.get(mode)
    sizes = []
    for axis, slide in enumerate(slides, start=2):
        if spare is not None:
            least = max(slide.before, slide.after) + spare
            relation = "more positions than" if spare else "at least as many positions as"
            check.require(
                at_least(x.shape[axis], least),
                f"`{op}` with `padding_mode={mode}` needs {relation} its padding on axis {axis}",
            )
        sizes.append(convolved(op, check, x.shape[axis], slide, axis))
    return tuple(sizes)


def require_bias(op: str, check: Check, inputs: tuple[TensorType, ...], width: Dim) -> None:
    """State that the third input is a bias of `width` numbers."""
    bias = float_input(op, inputs, 2)
    if bias.rank != 1:
        raise OpError(f"`{op}` takes a bias of rank 1, but it is `{bias}`", input=2)
    check.require_equal(bias.shape[0], width, f"`{op}` needs one bias per output channel")


def fixed_kernel(op: str, weight: TensorType, rank: int) -> tuple[int, ...]:
    """The sizes of the window of a weight that is data, for an input of this rank.

    Raises OpError if the ranks differ or a size is not a fixed number (E0403).
    """
    if weight.rank != rank:
        raise OpError(
            f"`{op}` takes a weight of the rank of its input, but `{weight}` has rank "
            f"{weight.rank} and the input has {rank}",
            input=1,
        )
    kernel: list[int] = []
    for axis, size in enumerate(weight.shape[2:], start=2):
        if size.constant is None:
            raise OpError(
                f"`{op}` needs a fixed kernel, but axis {axis} of its weight is `{size}`",
                code="E0403",
                input=1,
            )
        kernel.append(size.constant)
    return tuple(kernel)
