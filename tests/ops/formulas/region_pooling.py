"""RoI align, one sample at a time."""

from itertools import product
from math import ceil, floor

import numpy as np

from tests.ops.formulas.convolution import each_axis
from tests.ops.formulas.table import Case, reference


def boxes(rng, kind, position, op):
    """Boxes of many sizes, some of them partly or wholly outside the map, one of them empty."""
    shape = [size.constant for size in kind.shape]
    if position == 0:
        return rng.normal(size=shape)
    corners = rng.uniform(-4, 18, (shape[0], 2)) / op.scale
    sizes = rng.uniform(0.2, 12, (shape[0], 2)) / op.scale
    sizes[0] = 0
    image = rng.integers(0, 2, shape[0])
    return np.column_stack([image, corners, corners + sizes])


def corners(height, width, y, x):
    """Positions from which a sample is read, with weights: the edge up to one outside, 0 beyond."""
    if not (-1 <= y <= height and -1 <= x <= width):
        return
    y, x = min(max(y, 0), height - 1), min(max(x, 0), width - 1)
    for row, column in product({floor(y), ceil(y)}, {floor(x), ceil(x)}):
        yield (row, column), (1 - abs(y - row)) * (1 - abs(x - column))


def parts(op, shape, regions):
    """Each bin, with a position of x that it reads and the weight of that position."""
    bins = each_axis(op.size, 2)
    for number, (image, *sides) in enumerate(regions):
        left, top, right, bottom = np.array(sides) * op.scale - 0.5 * op.aligned
        spans = [bottom - top, right - left]
        spans = spans if op.aligned else [max(span, 1) for span in spans]
        step = [span / count for span, count in zip(spans, bins, strict=True)]
        samples = [op.samples or ceil(one) for one in step]
        for place in product(*map(range, bins)):
            for inside in product(*map(range, samples)):
                y, x = (
                    first + (bin_ + (i + 0.5) / n) * size
                    for first, bin_, i, n, size in zip(
                        (top, left), place, inside, samples, step, strict=True
                    )
                )
                for position, share in corners(*shape[2:], y, x):
                    yield (number, *place), (int(image), *position), share / np.prod(samples)


def slope(op, up, x, regions):
    """There is no gradient for boxes, as in torchvision."""
    found = np.zeros(x.shape)
    for (number, *place), (image, *position), share in parts(op, x.shape, regions):
        found[(image, slice(None), *position)] += share * up[(number, slice(None), *place)]
    return found


CASES = (
    Case({"size": (3, 2), "scale": 0.25}, ("f32[2, 1, 9, 7]", "f32[9, 5]")),
    Case({"size": 2, "samples": 1}, ("f32[2, 1, 9, 7]", "f32[9, 5]")),
    Case({"size": (2, 1), "aligned": True, "scale": 2.0}, ("f32[2, 1, 9, 7]", "f32[9, 5]")),
)


@reference("roi_align", cases=CASES, draw=boxes, slope=slope)
def roi_align(op, x, regions):
    y = np.zeros((len(regions), x.shape[1], *each_axis(op.size, 2)))
    for (number, *place), (image, *position), share in parts(op, x.shape, regions):
        y[(number, slice(None), *place)] += share * x[(image, slice(None), *position)]
    return y
