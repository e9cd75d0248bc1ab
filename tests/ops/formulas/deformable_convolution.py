"""Deformable convolution, one tap of a window at a time."""

from itertools import product

import numpy as np

from tests.ops.formulas.convolution import borders, each_axis
from tests.ops.formulas.table import Case, reference


def read(plane, y, x):
    """A plane at a position between its elements; 0 outside."""
    top, left = int(np.floor(y)), int(np.floor(x))
    total = 0.0
    for row, column in product((top, top + 1), (left, left + 1)):
        if 0 <= row < plane.shape[0] and 0 <= column < plane.shape[1]:
            total += plane[row, column] * (1 - abs(y - row)) * (1 - abs(x - column))
    return total


CASES = (
    Case({"width": 2, "kernel": 3, "stride": 2}, ("f32[1, 2, 5, 4]", "f32[1, 36, 3, 2]")),
    Case(
        {"width": 2, "kernel": 2, "padding": 2, "dilation": (1, 3), "groups": 2},
        ("f32[1, 4, 3, 4]", "f32[1, 16, 6, 5]", "f32[1, 8, 6, 5]"),
    ),
    Case({"width": 2, "kernel": (1, 2), "padding": "same"}, ("f32[1, 1, 3, 4]", "f32[1, 4, 3, 4]")),
    Case({"width": 2, "kernel": 2, "padding": "valid"}, ("f32[1, 1, 3, 4]", "f32[1, 8, 2, 3]")),
)


@reference("deform_conv", cases=CASES)
def deform_conv(op, x, offset, mask=None, *, weight, bias=None):
    """Each tap reads at its position plus its offset, times its mask."""
    kernel, stride = each_axis(op.kernel, 2), each_axis(op.stride, 2)
    dilation, inside = each_axis(op.dilation, 2), weight.shape[1]
    before = [side for side, _ in borders(op, kernel, dilation)]
    taps, (rows, columns) = kernel[0] * kernel[1], offset.shape[2:]
    moved = offset.reshape(len(x), -1, taps, 2, rows, columns)
    parts = moved.shape[1]
    scale = np.ones(moved[:, :, :, 0].shape)
    if mask is not None:
        scale = mask.reshape(scale.shape)
    windows = np.zeros((*x.shape[:2], taps, rows, columns))
    for b, c, tap, i, j in np.ndindex(windows.shape):
        part = c // (x.shape[1] // parts)
        down, right = moved[b, part, tap, :, i, j]
        at = (
            i * stride[0] + tap // kernel[1] * dilation[0] - before[0] + down,
            j * stride[1] + tap % kernel[1] * dilation[1] - before[1] + right,
        )
        windows[b, c, tap, i, j] = read(x[b, c], *at) * scale[b, part, tap, i, j]
    y = np.zeros((len(x), op.width, rows, columns))
    for out in range(op.width):
        group = out // (op.width // op.groups)
        seen = windows[:, group * inside : (group + 1) * inside]
        y[:, out] = np.einsum("bcthw,ct->bhw", seen, weight[out].reshape(inside, taps))
    return y if bias is None else y + bias[:, None, None]
