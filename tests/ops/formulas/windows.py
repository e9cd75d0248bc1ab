"""Windows as columns, padding, and pixel shuffle."""

from itertools import product

import numpy as np

from tests.ops.formulas.convolution import MODES, each_axis
from tests.ops.formulas.table import Case, reference


def places(op, sizes):
    """For each window, row by row, the positions of its taps in the padded image."""
    kernel, stride, padding, dilation = (
        each_axis(value, 2) for value in (op.kernel, op.stride, op.padding, op.dilation)
    )
    counts = [
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, k, s, p, d in zip(sizes, kernel, stride, padding, dilation, strict=True)
    ]
    for start in product(*map(range, counts)):
        yield [
            tuple(i * s + d * j for i, s, d, j in zip(start, stride, dilation, tap, strict=True))
            for tap in product(*map(range, kernel))
        ]


COLUMNS = (Case({"kernel": (2, 3), "stride": (2, 1), "padding": (0, 1), "dilation": (2, 1)}),)


@reference("unfold", cases=COLUMNS)
def unfold(op, x):
    high, wide = each_axis(op.padding, 2)
    padded = np.pad(x, [(0, 0), (0, 0), (high, high), (wide, wide)])
    columns = [
        np.stack([padded[:, :, row, column] for row, column in taps], 2).reshape(len(x), -1)
        for taps in places(op, x.shape[2:])
    ]
    return np.stack(columns, 2)


@reference("fold", cases=(Case({"size": (4, 5), "kernel": 2, "stride": (2, 1), "padding": (0, 1)},
           ("f32[2, 8, 12]",)), Case({"size": 5, "kernel": 2, "dilation": 3},
           ("f32[1, 4, 4]",))))  # fmt: skip
def fold(op, x):
    sizes, padding = each_axis(op.size, 2), each_axis(op.padding, 2)
    area = np.prod(each_axis(op.kernel, 2))
    padded = [n + 2 * p for n, p in zip(sizes, padding, strict=True)]
    y = np.zeros((len(x), x.shape[1] // area, *padded))
    for window, taps in enumerate(places(op, sizes)):
        column = x[:, :, window].reshape(len(x), -1, area)
        for number, (row, across) in enumerate(taps):
            y[:, :, row, across] += column[:, :, number]
    kept = tuple(slice(p, p + n) for n, p in zip(sizes, padding, strict=True))
    return y[(slice(None), slice(None), *kept)]


BORDERS = (
    Case({"amounts": ((1, 1, 2), (3, 2, 0)), "value": -3}),
    Case({"amounts": ((0, 1, -1),), "value": 2.5}, ("f32[4, 3]",)),
    Case({"amounts": ((2, 3, 1), (3, 0, 2)), "mode": "reflect"}),
    Case({"amounts": ((-1, 2, 1),), "mode": "circular"}, ("f32[1, 2, 4]",)),
    Case({"amounts": ((2, 0, 0), (3, 0, 0))}),
)


@reference("pad", cases=BORDERS)
def pad(op, x):
    mode = {"constant": "constant", **MODES}[op.mode]
    more = {"constant_values": op.value} if op.mode == "constant" else {}
    for axis, before, after in op.amounts:
        widths = [(0, 0)] * x.ndim
        widths[axis] = (max(before, 0), max(after, 0))
        size = x.shape[axis]
        x = np.take(x, range(max(-before, 0), size - max(-after, 0)), axis)
        x = np.pad(x, widths, mode, **more)
    return x


@reference("pixel_shuffle", cases=(Case({"factor": 3}, ("f32[2, 18, 2, 3]",)),))
def pixel_shuffle(op, x):
    """y[b, c, h * f + i, w * f + j] = x[b, c * f * f + i * f + j, h, w] (Shi et al. 2016)."""
    f = op.factor
    b, c, h, w = x.shape
    y = np.zeros((b, c // f**2, h * f, w * f))
    for i, j in product(range(f), repeat=2):
        y[:, :, i::f, j::f] = x[:, i * f + j :: f * f]
    return y


@reference("pixel_unshuffle", cases=(Case({"factor": 3}, ("f32[2, 3, 6, 9]",)),))
def pixel_unshuffle(op, x):
    f = op.factor
    b, c, h, w = x.shape
    y = np.zeros((b, c * f**2, h // f, w // f))
    for i, j in product(range(f), repeat=2):
        y[:, i * f + j :: f * f] = x[:, :, i::f, j::f]
    return y
