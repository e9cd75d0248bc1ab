"""Normalisations, with mean and variance written out."""

import numpy as np

from tests.ops.formulas.table import Case, reference


def wide(values, x, axis=1):
    """One number for each index of an axis, for broadcasting with x."""
    shape = [1] * x.ndim
    shape[axis] = -1
    return np.reshape(values, shape)


def standardised(x, axes, eps):
    mean = x.sum(axes, keepdims=True) / np.prod([x.shape[axis] for axis in axes])
    variance = ((x - mean) ** 2).sum(axes, keepdims=True) / np.prod([x.shape[i] for i in axes])
    return (x - mean) / (variance + eps) ** 0.5


def others(op, x):
    axis = op.axis % x.ndim
    return tuple(one for one in range(x.ndim) if one != axis)


BATCHES = (
    Case({"eps": 2.0, "affine": False, "track": False}),
    Case({"eps": 2.0, "affine": False, "track": False, "axis": 2}, ("f32[3, 5, 4]",)),
    Case({"eps": 0.5, "momentum": None, "axis": -1}, ("f32[3, 5, 4]",)),
    Case({"eps": 0.5, "momentum": 0.3, "affine": False}, ("f32[2, 3, 2, 3, 4]",)),
    Case({"eps": 0.5, "track": False}),
    Case({"eps": 0.5}, ("f32[3, 4]",)),
)


def batch_norm(op, x, weight=1.0, bias=0.0, running_mean=None, running_var=None, **count):
    if running_mean is None:
        y = standardised(x, others(op, x), op.eps)
    else:
        y = (x - wide(running_mean, x, op.axis)) / (wide(running_var, x, op.axis) + op.eps) ** 0.5
    return y * wide(weight, x, op.axis) + wide(bias, x, op.axis)


def running_after(op, x, running_mean=None, running_var=None, num_batches_tracked=0, **weights):
    """Running averages after one batch, with the unbiased variance."""
    if running_mean is None:
        return {}
    axes = others(op, x)
    share = 1 / (num_batches_tracked + 1) if op.momentum is None else op.momentum
    mean, variance = x.mean(axes), x.var(axes, ddof=1)
    return {
        "running_mean": (1 - share) * running_mean + share * mean,
        "running_var": (1 - share) * running_var + share * variance,
        "num_batches_tracked": num_batches_tracked + 1,
    }


@reference("batch_norm", cases=BATCHES, after=running_after, training=lambda op, x, weight=1.0,
           bias=0.0, **held: batch_norm(op, x, weight, bias))  # fmt: skip
def batch_norm_in_inference(op, x, **weights):
    return batch_norm(op, x, **weights)


@reference("frozen_batch_norm", cases=(Case({"eps": 2.0}),))
def frozen_batch_norm(op, x, weight, bias, running_mean, running_var):
    y = (x - wide(running_mean, x)) / (wide(running_var, x) + op.eps) ** 0.5
    return y * wide(weight, x) + wide(bias, x)


INSTANCES = (
    Case({"eps": 2.0}),
    Case({"eps": 2.0, "affine": True, "track": True}, ("f32[2, 3, 6]",)),
    Case({"eps": 0.5, "affine": True}, ("f32[2, 3, 2, 3, 4]",)),
    Case({"track": True, "momentum": 0.3}),
)


def instance_training(op, x, weight=1.0, bias=0.0, **held):
    y = standardised(x, tuple(range(2, x.ndim)), op.eps)
    return y * wide(weight, x) + wide(bias, x)


def instance_after(op, x, running_mean=None, running_var=None, num_batches_tracked=0, **weights):
    """torch averages over the samples the statistics of each sample."""
    if running_mean is None:
        return {}
    axes = tuple(range(2, x.ndim))
    mean, variance = x.mean(axes).mean(0), x.var(axes, ddof=1).mean(0)
    return {
        "running_mean": (1 - op.momentum) * running_mean + op.momentum * mean,
        "running_var": (1 - op.momentum) * running_var + op.momentum * variance,
    }


@reference("instance_norm", cases=INSTANCES, training=instance_training, after=instance_after)
def instance_norm(op, x, weight=1.0, bias=0.0, running_mean=None, running_var=None, **count):
    if running_mean is None:
        return instance_training(op, x, weight, bias)
    y = (x - wide(running_mean, x)) / (wide(running_var, x) + op.eps) ** 0.5
    return y * wide(weight, x) + wide(bias, x)


@reference("group_norm", cases=(Case({"groups": 2, "eps": 2.0}), Case({"groups": 2, "eps": 2.0,
           "affine": False}), Case({"groups": 3}, ("f32[2, 6]",))))  # fmt: skip
def group_norm(op, x, weight=1.0, bias=0.0):
    parts = x.reshape(x.shape[0], op.groups, -1)
    return standardised(parts, (2,), op.eps).reshape(x.shape) * wide(weight, x) + wide(bias, x)


LAYERS = (
    Case({"eps": 2.0}),
    Case({"eps": 2.0, "axis": 1}),
    Case({"eps": 2.0, "axis": 1, "bias": False}, ("f32[2, 4, 5]",)),
    Case({"eps": 2.0, "axis": (1, 3)}, ("f32[2, 3, 4, 5]",)),
    Case({"eps": 2.0, "axis": (1, 2), "affine": False}, ("f32[2, 3, 4, 5]",)),
    Case({"eps": 2.0, "axis": 1, "affine": False}, ("f32[2, 3, 4]",)),
)


def over(op, x):
    given = (op.axis,) if isinstance(op.axis, int) else op.axis
    return tuple(sorted(axis % x.ndim for axis in given))


def spread(weight, x, axes):
    """A weight with the sizes of `axes`, for broadcasting with x."""
    shape = [size if axis in axes else 1 for axis, size in enumerate(x.shape)]
    return np.broadcast_to(weight, [x.shape[axis] for axis in axes]).reshape(shape)


@reference("layer_norm", cases=LAYERS)
def layer_norm(op, x, weight=1.0, bias=0.0):
    axes = over(op, x)
    return standardised(x, axes, op.eps) * spread(weight, x, axes) + spread(bias, x, axes)


RMS = (
    Case({"eps": 2.0, "axis": 1}),
    Case({"eps": 2.0, "axis": (1, 2), "affine": False}, ("f32[2, 3, 4, 5]",)),
    Case({"eps": 2.0, "axis": (3, 1)}, ("f32[2, 3, 4, 5]",)),
)


@reference("rms_norm", cases=RMS)
def rms_norm(op, x, weight=1.0):
    axes = over(op, x)
    eps = np.finfo(x.dtype).eps if op.eps is None else op.eps
    mean = (x**2).sum(axes, keepdims=True) / np.prod([x.shape[axis] for axis in axes])
    return x / np.sqrt(mean + eps) * spread(weight, x, axes)


@reference("local_response_norm", cases=(
    Case({"size": 3, "alpha": 2.0}), Case({"size": 3, "alpha": 2.0, "beta": 0.5, "k": 0.5}),
    Case({"size": 2, "alpha": 2.0}, ("f32[2, 5, 3]",))))  # fmt: skip
def local_response_norm(op, x):
    """The sum is over `size` channels, of which size // 2 come before (Krizhevsky et al. 2012)."""
    total = np.zeros_like(x)
    for channel in range(x.shape[1]):
        first = channel - op.size // 2
        total[:, channel] = (x[:, max(first, 0) : first + op.size] ** 2).sum(1)
    return x / (op.k + op.alpha / op.size * total) ** op.beta


@reference("l2_normalize", cases=(Case({"eps": 5.0, "axis": 2}), Case({"eps": 5.0})))
def l2_normalize(op, x):
    length = np.sqrt((x**2).sum(op.axis, keepdims=True))
    return x / np.maximum(length, op.eps)
