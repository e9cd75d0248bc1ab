"""Resampling: one matrix per axis, with the weights of the input positions for each output."""

from itertools import product
from math import ceil, floor

import numpy as np

from tests.ops.formulas.table import Case, normal, reference


def triangle(t):
    return max(0.0, 1 - abs(t))


def cubic(a):
    """The kernel of Keys 1981 with its parameter."""

    def kernel(t):
        t = abs(t)
        if t <= 1:
            return (a + 2) * t**3 - (a + 3) * t**2 + 1
        return a * t**3 - 5 * a * t**2 + 8 * a * t - 4 * a if t < 2 else 0.0

    return kernel


KERNELS = {"linear": (triangle, 1), "cubic": (cubic(-0.75), 2)}


def centre(i, before, after, corners, factor):
    """The input coordinate of output position i."""
    if corners:
        return i * (before - 1) / (after - 1) if after > 1 else 0.0
    return (i + 0.5) / factor - 0.5


def smooth(before, after, factor, kernel, reach, corners):
    """Weights of a kernel around the centre; positions beyond the edge repeat the edge."""
    rows = np.zeros((after, before))
    for i in range(after):
        at = centre(i, before, after, corners, factor)
        if reach == 1:
            at = max(at, 0.0)
        for j in range(floor(at) - reach + 1, floor(at) + reach + 1):
            rows[i, min(max(j, 0), before - 1)] += kernel(at - j)
    return rows


def filtered(before, after, kernel, reach, corners):
    """With antialiasing the kernel is as wide as an output position, and truncated at the edges."""
    scale = (before - 1) / (after - 1) if corners and after > 1 else before / after
    wide = max(scale, 1.0)
    rows = np.zeros((after, before))
    for i in range(after):
        at = scale * (i + 0.5)
        first, last = (
            max(int(at - reach * wide + 0.5), 0),
            min(int(at + reach * wide + 0.5), before),
        )
        for j in range(first, last):
            rows[i, j] = kernel((j - at + 0.5) / wide)
    return rows / rows.sum(1, keepdims=True)


def matrix(before, after, mode, corners, antialias, factor):
    rows = np.zeros((after, before))
    if mode in ("nearest", "nearest-exact"):
        shift = 0.5 if mode == "nearest-exact" else 0
        for i in range(after):
            rows[i, min(floor((i + shift) / factor), before - 1)] = 1
        return rows
    if mode == "area":
        for i in range(after):
            first, last = floor(i * before / after), ceil((i + 1) * before / after)
            rows[i, first:last] = 1 / (last - first)
        return rows
    kind = "cubic" if mode == "bicubic" else "linear"
    kernel, reach = KERNELS[kind]
    if antialias:
        return filtered(before, after, cubic(-0.5) if kind == "cubic" else kernel, reach, corners)
    return smooth(before, after, factor, kernel, reach, corners)


def resampled(op, x, sizes, factor=None):
    for axis, after in enumerate(sizes, start=2):
        before = x.shape[axis]
        antialias = getattr(op, "antialias", False)
        by = after / before if factor is None else factor
        rows = matrix(before, after, op.mode, op.align_corners, antialias, by)
        x = np.moveaxis(np.moveaxis(x, axis, -1) @ rows.T, -1, axis)
    return x


MODES = ("nearest", "nearest-exact", "bilinear", "bicubic", "area")
SIZED = (
    *(Case({"size": (9, 3), "mode": mode}) for mode in MODES),
    *(
        Case({"size": size, "mode": mode, "align_corners": corners, "antialias": True})
        for mode in ("bilinear", "bicubic")
        for size in ((9, 2), (3, 11))
        for corners in (False, True)
    ),
    Case({"size": (9, 3), "mode": "bicubic", "align_corners": True}),
    Case({"size": 5, "mode": "linear", "align_corners": True}, ("f32[2, 3, 9]",)),
    Case({"size": (1, 8), "mode": "bilinear", "align_corners": True}),
    Case({"size": (3, 2, 7), "mode": "area"}, ("f32[1, 2, 5, 5, 5]",)),
)


@reference("resize", cases=SIZED)
def resize(op, x):
    sizes = op.size if isinstance(op.size, tuple) else (op.size,) * (x.ndim - 2)
    return resampled(op, x, sizes)


LIKE = ("f32[2, 3, 6, 5]", "f32[1, 1, 9, 3]")


@reference(
    "resize_like",
    cases=tuple(
        Case(more, LIKE)
        for more in (
            *({"mode": mode} for mode in MODES),
            {"mode": "bilinear", "align_corners": True},
            {"mode": "bicubic", "antialias": True},
        )
    ),
)
def resize_like(op, x, like):
    return resampled(op, x, like.shape[2:])


SCALED = (
    *(Case({"scale": scale, "mode": mode}) for mode in MODES for scale in (3, 1.5, 0.75)),
    Case({"scale": 2, "mode": "bicubic", "align_corners": True}),
    Case({"scale": 2, "mode": "trilinear"}, ("f32[1, 2, 2, 3, 2]",)),
)


@reference("upsample", cases=SCALED)
def upsample(op, x):
    sizes = [int(size * op.scale + 1e-9) for size in x.shape[2:]]
    return resampled(op, x, sizes, op.scale)


# ---------------------------------------------------------------------- along a grid


def places(rng, kind, position, op):
    """Coordinates within the image and somewhat outside it."""
    if position == 0:
        return normal(rng, kind, position, op)
    return rng.uniform(-1.4, 1.4, [size.constant for size in kind.shape])


def unnormalised(at, size, corners):
    return (at + 1) / 2 * (size - 1) if corners else ((at + 1) * size - 1) / 2


def bounced(at, size, corners):
    """Reflected at the edges until they are within them."""
    low, span = (0.0, size - 1) if corners else (-0.5, size)
    if span == 0:
        return 0.0
    rest = abs(at - low) % (2 * span)
    return min(max(low + min(rest, 2 * span - rest), 0), size - 1)


def bordered(op, at, size):
    if op.padding_mode == "border":
        return min(max(at, 0), size - 1)
    return bounced(at, size, op.align_corners) if op.padding_mode == "reflection" else at


def taps(op, at, size):
    """Positions along an axis with their weights."""
    at = unnormalised(at, size, op.align_corners)
    if op.mode == "bicubic":
        kernel = cubic(-0.75)
        around = range(floor(at) - 1, floor(at) + 3)
        return [(int(bordered(op, j, size)), kernel(at - j)) for j in around]
    at = bordered(op, at, size)
    if op.mode == "nearest":
        return [(round(at), 1.0)]
    return [(floor(at), 1 - (at - floor(at))), (floor(at) + 1, at - floor(at))]


GRIDS = tuple(
    Case({"mode": mode, "padding_mode": border, "align_corners": corners}, (picture, grid))
    for mode in ("bilinear", "nearest", "bicubic")
    for border in ("zeros", "border", "reflection")
    for corners in (False, True)
    for picture, grid in (("f32[1, 2, 4, 5]", "f32[1, 3, 4, 2]"),)
)
DEEP = Case({}, ("f32[1, 2, 3, 4, 5]", "f32[1, 2, 3, 2, 3]"))


@reference("grid_sample", cases=(*GRIDS, DEEP), draw=places)
def grid_sample(op, x, grid):
    """The last axis of the grid has x before y (before z)."""
    y = np.zeros((*x.shape[:2], *grid.shape[1:-1]))
    sizes = x.shape[2:]
    for place in np.ndindex(*grid.shape[:-1]):
        sample, *position = place
        found = [taps(op, at, size) for at, size in zip(grid[place][::-1], sizes, strict=True)]
        for corner in product(*found):
            where, weights = zip(*corner, strict=True)
            if all(0 <= j < size for j, size in zip(where, sizes, strict=True)):
                share = np.prod(weights) * x[(sample, slice(None), *where)]
                y[(sample, slice(None), *position)] += share
    return y
