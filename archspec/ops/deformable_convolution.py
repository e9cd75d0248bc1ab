"""Deformable convolution, whose window has a different form at every position."""

from __future__ import annotations

from typing import ClassVar, Literal

from archspec.ops.base import Check, Example, Op, OpError, Parameter
from archspec.ops.broadcasting import require_equal_dims
from archspec.ops.convolution import Padding, slid_sizes, window_slides
from archspec.ops.shape_rules import (
    Sizes,
    Slide,
    divides,
    fixed_axis,
    fixed_channels,
    float_input,
    is_multiple,
    known_channels,
    per_axis,
)
from archspec.ops.symbols import Count, number
from archspec.ops.weights import bias_parameter, weight_parameters
from archspec.types.dim import Dim, dim, product
from archspec.types.initialiser import Constant, Initialiser, KaimingNormal
from archspec.types.tensor import TensorType


class DeformConv(Op):
    """`(x, offset) -> deform_conv(width, kernel)`: a convolution whose taps are displaced.

    As `torchvision.ops.DeformConv2d` (Dai et al. 2017, arXiv:1703.06211): x is [B, C, H, W]; tap
    j of the window at p reads x at p * stride + dilation * j - padding + offset, with bilinear
    interpolation between positions, and 0 outside. `offset` is [B, 2 * n * taps, H', W'] for
    results of H' x W': for each of n groups of channels and each tap, the vertical and then the
    horizontal offset. A third input `mask`, [B, n * taps, H', W'], is multiplied with the values
    that the taps read (version 2, Zhu et al. 2019, arXiv:1811.11168).

    width: number of output channels.
    kernel: size of the window, one number or one for height and width.
    stride: step of the window.
    padding: positions added on both sides, as in `conv`.
    dilation: distance between the taps of the window without offsets.
    groups: number of independent convolutions into which the channels are split.
    bias: whether a bias is added to each output channel.
    weight_init, bias_init: initialisers; by default those of PyTorch.

    Offsets usually come from a convolution of the same kernel, stride and padding that is
    initialised with zeros: `x -> conv(18, 3, weight_init=zeros, bias_init=zeros)` for a window of 3
    x 3. The interpolation is not counted in the MACs.
    """

    name: ClassVar[str] = "deform_conv"
    arity: ClassVar[tuple[int, int | None]] = (2, 3)
    category: ClassVar[str] = "convolution"
    positions: ClassVar[int | None] = 6
    inferred: ClassVar[int | None] = 0
    weight_layers: ClassVar[int] = 1
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"width": 4, "kernel": 3}, ("f32[2, 6, 7, 9]", "f32[2, 18, 7, 9]")),
        Example(
            {"width": 4, "kernel": 3, "bias": False},
            ("f32[2, 6, 7, 9]", "f32[2, 18, 7, 9]", "f32[2, 9, 7, 9]"),
        ),
        Example(
            {"width": 6, "kernel": (3, 2), "stride": (2, 1), "padding": (1, 0), "groups": 3},
            ("f32[2, 6, 7, 9]", "f32[2, 24, 4, 8]", "f32[2, 12, 4, 8]"),
        ),
        Example(
            {
                "width": 4,
                "kernel": 3,
                "dilation": 2,
                "weight_init": KaimingNormal(mode="fan_out"),
                "bias_init": Constant(value=0.5),
            },
            ("f32[2, 6, 7, 9]", "f32[2, 54, 7, 9]"),
        ),
    )

    width: Count
    kernel: Sizes
    stride: Sizes = 1
    padding: Padding = "half"
    dilation: Sizes = 1
    groups: Count = 1
    bias: bool = True
    weight_init: Initialiser | None = None
    bias_init: Initialiser | None = None

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        x = float_input(self.name, inputs)
        if x.rank != 4:
            raise OpError(f"`deform_conv` takes [B, C, H, W], but its input is `{x}`", input=0)
        channels = known_channels(self.name, check, x)
        divides(self.name, "groups", self.groups, channels, "a number of input channels")
        divides(self.name, "groups", self.groups, self.width, "a `width`")
        sizes = slid_sizes(self.name, check, x, self.slides(), "zeros")
        taps = self.taps
        parts = self._parts(check, x, inputs, 1, "offsets", 2 * taps, sizes)
        if len(inputs) == 3 and self._parts(check, x, inputs, 2, "masks", taps, sizes) != parts:
            raise OpError(
                f"`deform_conv` needs a mask for each displaced tap, {parts * taps} channels, "
                f"but got {inputs[2].shape_text}",
                input=2,
            )
        return x.with_shape(x.shape[0], dim(self.width), *sizes)

    def _parts(
        self,
        check: Check,
        x: TensorType,
        inputs: tuple[TensorType, ...],
        index: int,
        what: str,
        each: int,
        sizes: tuple[Dim, ...],
    ) -> int:
        """The number of channel groups, each with `each` numbers in an input. Raises OpError."""
        given = float_input(self.name, inputs, index)
        wanted = x.with_shape(x.shape[0], Dim.constant_of(each), *sizes)
        if given.rank != 4:
            raise OpError(
                f"`deform_conv` takes {what} of rank 4, such as {wanted.shape_text}, but got "
                f"{given.shape_text}",
                input=index,
            )
        count = fixed_axis(self.name, given, 1, what=what, input=index)
        channels, parts = x.shape[1], count // each
        if not parts or count % each or not is_multiple(channels, parts):
            raise OpError(
                f"`deform_conv` takes {each} {what} for each group of channels, where the groups "
                f"divide the {channels} input channels, but got {count}",
                input=index,
            )
        for axis in (0, 2, 3):
            require_equal_dims(self.name, check, axis, wanted, given, index)
        return parts

    def slides(self) -> tuple[Slide, ...]:
        """The movement of the window along height and width, without offsets."""
        kernel = per_axis(self.name, "kernel", self.kernel, 2)
        return window_slides(self.name, kernel, self.stride, self.padding, self.dilation)

    @property
    def taps(self) -> int:
        """The number of positions in the window."""
        height, width = per_axis(self.name, "kernel", self.kernel, 2)
        return height * width

    def parameters(self, *inputs: TensorType) -> tuple[Parameter, ...]:
        kernel = per_axis(self.name, "kernel", self.kernel, 2)
        width, groups = number(self.width), number(self.groups)
        shape = (width, fixed_channels(self.name, inputs[0]) // groups, *kernel)
        weight = weight_parameters(shape, self.weight_init, "none")
        return (*weight, *bias_parameter(self.bias, width, shape, self.bias_init))

    def macs(self, inputs: tuple[TensorType, ...], outputs: tuple[TensorType, ...]) -> Dim:
        kernel = per_axis(self.name, "kernel", self.kernel, 2)
        return outputs[0].elements * (inputs[0].shape[1] // self.groups) * product(kernel)

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Literal["all"]:
        """An offset can refer to any position."""
        return "all"
