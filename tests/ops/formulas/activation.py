"""Activations, from the formulas of their docstrings and papers."""

from math import erf, sqrt

import numpy as np

from tests.ops.formulas.table import Case, reference

ERF = np.vectorize(erf, otypes=[float])


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def soft_plus(x):
    return np.log1p(np.exp(x))


@reference("relu")
def relu(op, x):
    return np.where(x > 0, x, 0)


@reference("relu6")
def relu6(op, x):
    return np.where(x > 6, 6, np.where(x > 0, x, 0))


@reference("selu")
def selu(op, x):
    """Constants of Klambauer et al. 2017, appendix."""
    alpha, scale = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946
    return scale * np.where(x > 0, x, alpha * (np.exp(x) - 1))


@reference("silu")
def silu(op, x):
    return x * sigmoid(x)


@reference("mish")
def mish(op, x):
    return x * np.tanh(soft_plus(x))


@reference("sigmoid")
def logistic(op, x):
    return sigmoid(x)


@reference("log_sigmoid")
def log_sigmoid(op, x):
    return np.log(sigmoid(x))


@reference("tanh")
def tanh(op, x):
    return (np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x))


@reference("tanh_shrink")
def tanh_shrink(op, x):
    return x - np.tanh(x)


@reference("softsign")
def softsign(op, x):
    return x / (1 + np.abs(x))


@reference("hard_sigmoid")
def hard_sigmoid(op, x):
    return np.clip(x + 3, 0, 6) / 6


@reference("hard_swish")
def hard_swish(op, x):
    return x * np.clip(x + 3, 0, 6) / 6


@reference("leaky_relu")
def leaky_relu(op, x):
    return np.where(x > 0, x, op.slope * x)


@reference("elu")
def elu(op, x):
    return np.where(x > 0, x, op.alpha * (np.exp(x) - 1))


@reference("celu", cases=(Case({"alpha": -2.0}),))
def celu(op, x):
    return np.maximum(x, 0) + np.minimum(op.alpha * (np.exp(x / op.alpha) - 1), 0)


@reference("gelu")
def gelu(op, x):
    if op.approximate == "tanh":
        return x / 2 * (1 + np.tanh(sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
    return x * (1 + ERF(x / sqrt(2))) / 2


@reference("softplus", cases=(Case({"threshold": 1.0}), Case({"beta": 0.5})))
def softplus(op, x):
    return np.where(op.beta * x > op.threshold, x, soft_plus(op.beta * x) / op.beta)


@reference("hard_tanh")
def hard_tanh(op, x):
    return np.minimum(np.maximum(x, op.low), op.high)


@reference("hard_shrink")
def hard_shrink(op, x):
    return np.where(np.abs(x) > op.bound, x, 0)


@reference("soft_shrink")
def soft_shrink(op, x):
    return np.sign(x) * np.maximum(np.abs(x) - op.bound, 0)


@reference("prelu", cases=(Case({"weights": 4}), Case({"weights": 3}, ("f32[2, 3]",))))
def prelu(op, x, weight):
    of_channel = weight.reshape((-1,) + (1,) * (x.ndim - 2)) if len(weight) > 1 else weight
    return np.where(x > 0, x, of_channel * x)


@reference("glu", cases=(Case({"axis": 2}),))
def glu(op, x):
    a, b = np.split(x, 2, op.axis)
    return a * sigmoid(b)


@reference("softmax", cases=(Case({"axis": 0}), Case({"axis": -2}, ("f32[3, 4]",))))
def softmax(op, x):
    return np.exp(x) / np.exp(x).sum(op.axis, keepdims=True)


@reference("log_softmax", cases=(Case({"axis": 0}), Case({"axis": -2}, ("f32[3, 4]",))))
def log_softmax(op, x):
    return x - np.log(np.exp(x).sum(op.axis, keepdims=True))
