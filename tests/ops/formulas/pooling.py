"""Pooling, one window at a time."""

from itertools import product
from math import ceil, floor

import numpy as np

from tests.ops.formulas.convolution import each_axis
from tests.ops.formulas.table import Case, reference


def windows(op, x, dilation):
    """Positions of each window along each axis, including those in the padding."""
    axes = x.ndim - 2
    kernel, padding = each_axis(op.kernel, axes), each_axis(op.padding, axes)
    stride = kernel if op.stride is None else each_axis(op.stride, axes)
    found = []
    for n, k, s, p, d in zip(x.shape[2:], kernel, stride, padding, dilation, strict=True):
        room = (n + 2 * p - d * (k - 1) - 1) / s
        count = (ceil(room) if op.ceil else floor(room)) + 1
        starts = [i * s - p for i in range(count)]
        if op.ceil and starts[-1] >= n:  # no window begins in the padding on the right
            starts.pop()
        found.append([[start + d * j for j in range(k)] for start in starts])
    return found


def pooled(op, x, dilation, reduce):
    """`reduce` of the values in each window, and of the number of positions without a value."""
    axes = windows(op, x, dilation)
    y = np.zeros((*x.shape[:2], *map(len, axes)))
    padding = each_axis(op.padding, len(axes))
    for place in product(*(range(len(axis)) for axis in axes)):
        taps = [axis[i] for axis, i in zip(axes, place, strict=True)]
        inside = [[t for t in one if 0 <= t < n] for one, n in zip(taps, x.shape[2:], strict=True)]
        held = [
            [t for t in one if -p <= t < n + p]
            for one, n, p in zip(taps, x.shape[2:], padding, strict=True)
        ]
        values = x[np.ix_(range(x.shape[0]), range(x.shape[1]), *inside)]
        together = tuple(range(2, x.ndim))
        y[(slice(None), slice(None), *place)] = reduce(values, together, held)
    return y


POOLS = (
    Case({"kernel": 3, "stride": 2, "padding": 1, "ceil": True}),
    Case({"kernel": (2, 3), "stride": (3, 1)}),
    Case({"kernel": 2, "stride": 2, "ceil": True}, ("f32[1, 2, 7]",)),
    Case({"kernel": 2, "padding": 1, "stride": 1}, ("f32[1, 2, 3, 4, 3]",)),
)


@reference("max_pool", cases=(*POOLS, Case({"kernel": 2, "dilation": (2, 3), "stride": 1})))
def max_pool(op, x):
    dilation = each_axis(op.dilation, x.ndim - 2)
    found = pooled(op, x, dilation, lambda values, axes, held: values.max(axes))
    if not op.indices:
        return found
    planes = x.reshape(*x.shape[:2], 1, -1)
    same = planes == found.reshape(*x.shape[:2], -1, 1)
    return found, same.argmax(-1).reshape(found.shape)


def distinct_places(rng, kind, position, op):
    """Distinct indices for each channel."""
    shape = [size.constant for size in kind.shape]
    if position == 0:
        return rng.normal(size=shape)
    planes = shape[0] * shape[1]
    return np.stack([rng.permutation(np.prod(shape[2:])) for _ in range(planes)]).reshape(shape)


UNPOOLS = (
    Case({"kernel": 3, "stride": 2}, ("f32[1, 2, 3, 2]", "i64[1, 2, 3, 2]")),
    Case({"kernel": (2, 3), "padding": (1, 0)}, ("f32[1, 2, 3, 2]", "i64[1, 2, 3, 2]")),
    Case({"kernel": 2, "size": (5, 4)}, ("f32[1, 2, 2, 2]", "i64[1, 2, 2, 2]")),
)


@reference("max_unpool", cases=UNPOOLS, draw=distinct_places)
def max_unpool(op, x, places):
    axes = x.ndim - 2
    kernel, padding = each_axis(op.kernel, axes), each_axis(op.padding, axes)
    stride = kernel if op.stride is None else each_axis(op.stride, axes)
    sizes = [
        (n - 1) * s - 2 * p + k
        for n, k, s, p in zip(x.shape[2:], kernel, stride, padding, strict=True)
    ]
    sizes = sizes if op.size is None else each_axis(op.size, axes)
    y = np.zeros((*x.shape[:2], np.prod(sizes)))
    for place in np.ndindex(*x.shape):
        y[(*place[:2], places[place])] = x[place]
    return y.reshape(*x.shape[:2], *sizes)


MEANS = (
    *POOLS,
    Case({"kernel": 3, "stride": 2, "padding": 1, "ceil": True, "count_include_pad": False}),
    Case({"kernel": 2, "padding": 1, "count_include_pad": False}, ("f32[1, 2, 7]",)),
    Case({"kernel": 3, "padding": 1, "count_include_pad": False}, ("f32[1, 1, 3, 4, 3]",)),
)


@reference("avg_pool", cases=MEANS)
def avg_pool(op, x):
    """Positions beyond the end of the padding (`ceil`) never count in the mean."""

    def mean(values, axes, held):
        count = np.prod([len(one) for one in held]) if op.count_include_pad else None
        return values.sum(axes) / (count or np.prod(values.shape[2:]))

    return pooled(op, x, (1,) * (x.ndim - 2), mean)


def adapted(op, x, reduce):
    """Output position i of n covers the positions from floor(i * s / n) to ceil((i + 1) * s /
    n)."""
    sizes = op.size if isinstance(op.size, tuple) else (op.size,) * (x.ndim - 2)
    sizes = [s if n is None else n for n, s in zip(sizes, x.shape[2:], strict=True)]
    y = np.zeros((*x.shape[:2], *sizes))
    for place in product(*map(range, sizes)):
        parts = tuple(
            slice(floor(i * s / n), ceil((i + 1) * s / n))
            for i, n, s in zip(place, sizes, x.shape[2:], strict=True)
        )
        seen = x[(slice(None), slice(None), *parts)]
        y[(slice(None), slice(None), *place)] = reduce(seen, tuple(range(2, x.ndim)))
    return y


@reference("adaptive_avg_pool")
def adaptive_avg_pool(op, x):
    return adapted(op, x, lambda seen, axes: seen.mean(axes))


@reference("adaptive_max_pool")
def adaptive_max_pool(op, x):
    return adapted(op, x, lambda seen, axes: seen.max(axes))


@reference("global_avg_pool")
def global_avg_pool(op, x):
    flat = x.reshape(*x.shape[:2], -1)
    found = flat.sum(2) / flat.shape[2]
    return found.reshape(*found.shape, *[1] * (x.ndim - 2)) if op.keepdim else found


@reference("global_max_pool")
def global_max_pool(op, x):
    found = np.sort(x.reshape(*x.shape[:2], -1), 2)[..., -1]
    return found.reshape(*found.shape, *[1] * (x.ndim - 2)) if op.keepdim else found
