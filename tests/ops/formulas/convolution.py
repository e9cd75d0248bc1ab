"""Convolutions, linear layers and embeddings as sums over the taps of a window."""

from functools import partial
from itertools import product

import numpy as np

from tests.ops.formulas.table import Case, reference

MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def each_axis(value, axes):
    return (value,) * axes if isinstance(value, int) else value


def borders(op, kernel, dilation):
    """Padding before and after each axis, by the rules in the docstring of `conv`."""
    reach = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
    if op.padding == "valid":
        return [(0, 0)] * len(reach)
    if op.padding == "half":
        return [(d * (k - 1) // 2,) * 2 for k, d in zip(kernel, dilation, strict=True)]
    if op.padding == "same":
        return [(total // 2, total - total // 2) for total in reach]
    return [(amount, amount) for amount in each_axis(op.padding, len(reach))]


def convolved(op, x, weight, bias, groups, mode):
    """y[b, o, p] = bias[o] + sum over c, j of weight[o, c, j] * x[b, c, p * stride + d * j]."""
    axes = x.ndim - 2
    kernel, width = weight.shape[2:], weight.shape[0]
    stride, dilation = each_axis(op.stride, axes), each_axis(op.dilation, axes)
    x = np.pad(x, [(0, 0), (0, 0), *borders(op, kernel, dilation)], MODES[mode])
    sizes = [
        (n - d * (k - 1) - 1) // s + 1
        for n, k, s, d in zip(x.shape[2:], kernel, stride, dilation, strict=True)
    ]
    y = np.zeros((x.shape[0], width, *sizes))
    inside = x.shape[1] // groups
    for out, tap in product(range(width), product(*map(range, kernel))):
        group = out // (width // groups)
        places = tuple(
            slice(d * j, d * j + s * (n - 1) + 1, s)
            for j, d, s, n in zip(tap, dilation, stride, sizes, strict=True)
        )
        seen = x[(slice(None), slice(group * inside, (group + 1) * inside), *places)]
        y[:, out] += np.einsum("bc...,c->b...", seen, weight[(out, slice(None), *tap)])
    return y if bias is None else y + bias.reshape(-1, *[1] * axes)


def norms(v):
    """The length of each slice of axis 0."""
    return np.sqrt((v**2).sum(tuple(range(1, v.ndim)), keepdims=True))


HELD = "parametrizations_weight_"


def weight_of(weights, rows=0):
    """The weight, computed from `weight_g` and `weight_v` (Salimans and Kingma 2016).

    Or divided by its largest singular value, with axis `rows` as rows (Miyato et al. 2018).
    """
    if "weight" in weights:
        return weights["weight"]
    if "weight_g" in weights:
        return weights["weight_g"] * weights["weight_v"] / norms(weights["weight_v"])
    matrix, u, v = spectral(weights, rows)
    return weights[HELD + "original"] / (u @ matrix @ v)


def spectral(weights, rows):
    """The weight as a matrix, and the two vectors of its largest singular value."""
    original = weights[HELD + "original"]
    matrix = np.moveaxis(original, rows, 0).reshape(original.shape[rows], -1)
    return matrix, weights[HELD + "0__u"], weights[HELD + "0__v"]


def trained(run, rows=0):
    """As `run`, after one step of power iteration if there are singular vectors."""

    def apply(op, *inputs, **weights):
        after = followed(op, *inputs, rows=rows, **weights)
        vectors = {name.replace(".", "_"): value for name, value in after.items()}
        return run(op, *inputs, **{**weights, **vectors})

    return apply


def followed(op, *inputs, rows=0, **weights):
    """The singular vectors after one step of power iteration, by name."""
    if HELD + "original" not in weights:
        return {}
    matrix, _, v = spectral(weights, rows)
    u = matrix @ v / np.linalg.norm(matrix @ v)
    v = u @ matrix / np.linalg.norm(u @ matrix)
    return {"parametrizations.weight.0._u": u, "parametrizations.weight.0._v": v}


CONVOLUTIONS = (
    Case({"width": 6, "kernel": 3, "stride": 2, "dilation": 2, "groups": 2}),
    Case({"width": 2, "kernel": (2, 3), "padding": "half", "dilation": (3, 1)}),
    Case({"width": 4, "kernel": 2, "padding": "valid", "stride": (1, 2)}),
    Case({"width": 8, "kernel": (3, 1), "groups": "each", "padding": (2, 0), "bias": False}),
    Case({"width": 2, "kernel": 2, "padding": "same"}, ("f32[2, 3, 4, 3, 5]",)),
    Case({"width": 2, "kernel": 3, "padding_mode": "circular", "dilation": 2}, ("f32[1, 2, 9]",)),
    Case({"width": 6, "kernel": 3, "groups": 2, "parametrization": "weight_norm", "stride": 2}),
    Case(
        {"width": 2, "kernel": 3, "parametrization": "weight_norm", "padding_mode": "reflect"},
        ("f32[1, 2, 9]",),
    ),
    Case(
        {"width": 2, "kernel": 2, "parametrization": "weight_norm", "padding": "same"},
        ("f32[1, 2, 3, 4, 3]",),
    ),
)


def conv(op, x, bias=None, **weights):
    groups = x.shape[1] if op.groups == "each" else op.groups
    return convolved(op, x, weight_of(weights), bias, groups, op.padding_mode)


reference("conv", cases=CONVOLUTIONS, training=trained(conv), after=followed)(conv)


GIVEN = (
    Case({"padding": "valid", "stride": (2, 1)}, ("f32[2, 4, 6, 5]", "f32[2, 4, 3, 2]")),
    Case({"dilation": (1, 2), "padding": (1, 0)}, ("f32[2, 4, 6, 5]", "f32[2, 4, 3, 2]", "f32[2]")),
    Case({"padding_mode": "reflect", "stride": 2}, ("f32[2, 4, 6, 5]", "f32[2, 4, 3, 3]")),
    Case({"padding_mode": "replicate", "padding": 2}, ("f32[2, 4, 9]", "f32[2, 4, 3]")),
    Case({"padding_mode": "circular", "padding": "same"}, ("f32[2, 4, 9]", "f32[2, 4, 2]")),
    Case({"padding_mode": "circular", "padding": "same"}, ("f32[2, 4, 6, 5]", "f32[2, 4, 1, 3]")),
)


@reference("convolve", cases=GIVEN)
def convolve(op, x, weight, bias=None):
    return convolved(op, x, weight, bias, op.groups, op.padding_mode)


TRANSPOSED = (
    Case({"width": 6, "kernel": 3, "stride": (2, 3), "groups": 2, "output_padding": (1, 2)}),
    Case({"width": 3, "kernel": (3, 2), "dilation": (2, 1), "padding": (1, 0), "bias": False}),
    Case({"width": 2, "kernel": 2, "stride": 2}, ("f32[1, 3, 2, 3, 2]",)),
    Case({"width": 4, "kernel": 3, "groups": 2, "stride": 2, "parametrization": "weight_norm"}),
    Case(
        {"width": 4, "kernel": 3, "padding": 1, "parametrization": "weight_norm", "dilation": 2},
        ("f32[1, 3, 9]",),
    ),
    Case({"width": 2, "kernel": 2, "parametrization": "weight_norm"}, ("f32[1, 3, 2, 3, 2]",)),
)


def conv_transpose(op, x, bias=None, **weights):
    return spread(op, x, weight_of(weights, rows=1), bias)


def spread(op, x, weight, bias):
    """Each position adds its weighted window to the result, from which the padding is removed."""
    axes = x.ndim - 2
    kernel = weight.shape[2:]
    stride, dilation, padding, extra = (
        each_axis(value, axes) for value in (op.stride, op.dilation, op.padding, op.output_padding)
    )
    table = list(zip(x.shape[2:], kernel, stride, dilation, padding, extra, strict=True))
    full = [(n - 1) * s + d * (k - 1) + 1 + e for n, k, s, d, _, e in table]
    per_group = weight.shape[1]
    y = np.zeros((x.shape[0], per_group * op.groups, *full))
    for channel, tap in product(range(x.shape[1]), product(*map(range, kernel))):
        group = channel // (x.shape[1] // op.groups)
        places = tuple(
            slice(d * j, d * j + s * (n - 1) + 1, s)
            for j, (n, _, s, d, _, _) in zip(tap, table, strict=True)
        )
        to = slice(group * per_group, (group + 1) * per_group)
        part = x[:, channel, None] * weight[(channel, slice(None), *tap)].reshape(-1, *[1] * axes)
        y[(slice(None), to, *places)] += part
    kept = tuple(slice(p, n - p) for n, p in zip(full, padding, strict=True))
    y = y[(slice(None), slice(None), *kept)]
    return y if bias is None else y + bias.reshape(-1, *[1] * axes)


reference(
    "conv_transpose",
    cases=TRANSPOSED,
    training=trained(conv_transpose, rows=1),
    after=partial(followed, rows=1),
)(conv_transpose)


SPREAD = (
    Case({"stride": (2, 3), "padding": (1, 0)}, ("f32[2, 4, 3, 2]", "f32[4, 2, 3, 3]", "f32[2]")),
    Case({"groups": 2, "dilation": 2}, ("f32[2, 4, 3, 2]", "f32[4, 3, 2, 3]", "f32[6]")),
    Case({"stride": 3, "output_padding": 2}, ("f32[2, 4, 3]", "f32[4, 1, 2]")),
)


@reference("convolve_transpose", cases=SPREAD)
def convolve_transpose(op, x, weight, bias=None):
    return spread(op, x, weight, bias)


def linear(op, x, bias=0, **weights):
    return (x[..., None, :] * weight_of(weights)).sum(-1) + bias


WIDTHS = (Case({"width": 3, "parametrization": "spectral_norm"}, ("f32[2, 4]",)),)
reference("linear", cases=WIDTHS, training=trained(linear), after=followed)(linear)


@reference("affine")
def affine(op, x, weight, bias=0):
    return (x[..., None, :] * weight).sum(-1) + bias


def routes(rng, kind, position, op):
    """Indices of maps, some of which are not used."""
    shape = [size.constant for size in kind.shape]
    return rng.integers(0, 4, shape) if position == 1 else rng.normal(size=shape)


@reference("routed_affine", draw=routes)
def routed_affine(op, x, route, weight, bias=None):
    y = np.zeros((*route.shape, weight.shape[1]))
    for place in np.ndindex(*route.shape):
        chosen = route[place]
        y[place] = weight[chosen] @ x[place] + (0 if bias is None else bias[chosen])
    return y


def rows(rng, kind, position, op):
    return rng.integers(0, op.count, [size.constant for size in kind.shape])


def learned_rows(op, way):
    """The padding row has no gradient."""
    return way * (np.arange(op.count) != op.padding_index)[:, None]


ROWS = (
    Case({"count": 3, "width": 2}, ("i64[40]",)),
    Case({"count": 3, "width": 2, "padding_index": 1}, ("i64[40]",)),
)


@reference("embedding", cases=ROWS, draw=rows, learned=learned_rows)
def embedding(op, x, weight):
    return (np.arange(op.count) == x[..., None]) @ weight
