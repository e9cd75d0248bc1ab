"""Pooling of regions of a feature map that are given as data."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import NonNegativeInt, PositiveFloat

from archspec.ops.base import Check, Example, Op, OpError
from archspec.ops.shape_rules import Sizes, float_input, per_axis, require_filled
from archspec.ops.symbols import Symbol
from archspec.types.condition import at_least, disjunction, equal
from archspec.types.dim import Dim
from archspec.types.tensor import TensorType


class RoiAlign(Op):
    """`(x, boxes) -> roi_align(size)`: each box of a feature map, pooled to one size.

    As `torchvision.ops.roi_align` (He et al. 2017, Mask R-CNN, arXiv:1703.06870): x is [B, C, H,
    W]; `boxes` is [K, 5], for each box the index of its image in the batch, then left, top, right
    and bottom; the result is [K, C, height, width]. A box is divided into bins; each yields the
    mean of a grid of samples, with bilinear interpolation between the positions of x. A sample at
    most one position outside the map has the value of the edge, one further outside has 0.

    size: bins over height and width, one number or one for each.
    scale: factor of the coordinates of boxes, such as 1 / 4 for a map of a quarter of the image
        size.
    samples: samples of a bin along each axis, torchvision's `sampling_ratio`; 0 for the number of
        positions that the bin spans, rounded up.
    aligned: whether coordinates refer to the corners of pixels, so that half a position is
        subtracted; without it, a box has at least the size of one position.

    Boxes get no gradient, as in torchvision.
    """

    name: ClassVar[str] = "roi_align"
    arity: ClassVar[tuple[int, int | None]] = (2, 2)
    category: ClassVar[str] = "resampling"
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"size": 3}, ("f32[9, 4, 12, 15]", "f32[6, 5]")),
        Example({"size": (2, 3), "scale": 0.5, "samples": 2}, ("f32[9, 4, 12, 15]", "f32[6, 5]")),
        Example({"size": 2, "samples": 3, "aligned": True}, ("f32[9, 4, 12, 15]", "f32[6, 5]")),
    )

    size: Sizes
    scale: PositiveFloat = 1.0
    samples: NonNegativeInt | Symbol = 0
    aligned: bool = False

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        x, boxes = float_input(self.name, inputs), float_input(self.name, inputs, 1)
        if x.rank != 4:
            raise OpError(f"`roi_align` takes [B, C, H, W], but its input is `{x}`", input=0)
        if boxes.rank != 2:
            raise OpError(f"`roi_align` takes boxes [K, 5], but they are `{boxes}`", input=1)
        if boxes.shape[1].constant not in (5, None):
            raise OpError(
                f"`roi_align` takes five numbers for each box, but got {boxes.shape[1]}",
                input=1,
                fix="the first is the number of the image in the batch: "
                "`(image, box) -> concat(axis=1)`",
            )
        check.require_equal(boxes.shape[1], 5, "`roi_align` takes five numbers for each box")
        require_filled(self.name, check, x, first=2)
        some = disjunction([at_least(x.shape[0], 1), equal(boxes.shape[0], 0)])
        check.require(some, "`roi_align` needs an image for its boxes")
        sizes = map(Dim.constant_of, per_axis(self.name, "size", self.size, 2))
        return x.with_shape(boxes.shape[0], x.shape[1], *sizes)

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Literal["all"]:
        """A box can be anywhere."""
        return "all"
