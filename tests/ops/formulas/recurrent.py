"""Recurrent layers, one step at a time (Hochreiter and Schmidhuber 1997, Cho et al. 2014)."""

from __future__ import annotations

import numpy as np

from tests.ops.formulas.table import Case, reference


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


class Counted:
    """Matrix products that count their multiplications."""

    macs = 0

    def __call__(self, a, b):
        Counted.macs += a.shape[0] * b.shape[0] * b.shape[1]
        return np.einsum("bi,oi->bo", a, b)


times = Counted()


def lstm_step(x, h, c, weight_ih, weight_hh, bias_ih=0, bias_hh=0):
    gates = times(x, weight_ih) + bias_ih + times(h, weight_hh) + bias_hh
    i, f, g, o = np.split(gates, 4, 1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def gru_step(x, h, weight_ih, weight_hh, bias_ih=0, bias_hh=0):
    """torch applies the reset gate after the product with the state."""
    rx, zx, nx = np.split(times(x, weight_ih) + bias_ih, 3, 1)
    rh, zh, nh = np.split(times(h, weight_hh) + bias_hh, 3, 1)
    r, z = sigmoid(rx + rh), sigmoid(zx + zh)
    return ((1 - z) * np.tanh(nx + r * nh) + z * h,)


def over_time(op, step, count, x, states, weights, drop=lambda x: x):
    """The results of all layers and directions, for x of [T, B, C]."""
    ways = 2 if op.bidirectional else 1
    batch = x.shape[1]
    if not states:
        states = (np.zeros((op.layers * ways, batch, op.hidden)),) * count
    last = [[] for _ in range(count)]
    for layer in range(op.layers):
        sides = []
        for way in range(ways):
            suffix = f"_l{layer}" + ("_reverse" if way else "")
            mine = {
                key: weights[key + suffix]
                for key in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
                if key + suffix in weights
            }
            held, ys = [one[layer * ways + way] for one in states], []
            for one in x[::-1] if way else x:
                held = step(one, *held, **mine)
                ys.append(held[0])
            sides.append(np.stack(ys[::-1] if way else ys))
            for one, value in zip(last, held, strict=True):
                one.append(value)
        x = np.concatenate(sides, 2)
        if layer < op.layers - 1:
            x = drop(x)
    return (x, *(np.stack(one) for one in last))


def sequence(step, count):
    def run(op, x, *states, drop=lambda x: x, **weights):
        x = np.swapaxes(x, 0, 1) if op.batch_first else x
        y, *last = over_time(op, step, count, x, states, weights, drop)
        return (np.swapaxes(y, 0, 1) if op.batch_first else y, *last)

    return run


LSTM, GRU = sequence(lstm_step, 2), sequence(gru_step, 1)


def nothing_between_layers(run):
    """With probability 1 the input of the second layer is 0; with 0.5 the results vary."""

    def holds(op, inputs, results, **weights):
        zeros = run(op, *inputs, drop=lambda x: 0 * x, **weights)
        plain = run(op, *inputs, **weights)
        for found, dropped, whole in zip(results, zeros, plain, strict=True):
            if op.dropout == 1:
                np.testing.assert_allclose(found, dropped, 1e-9, 1e-9)
            else:
                assert not np.allclose(found, whole)
                assert not np.allclose(found, dropped)

    return holds


DROPPED = (
    Case({"hidden": 3, "layers": 2, "dropout": 0.5}, ("f32[2, 9, 4]",)),
    Case({"hidden": 3, "layers": 2, "dropout": 1.0}, ("f32[2, 9, 4]",)),
)


def stacked(states):
    both = ("f32[4, 2, 3]",) * states
    return (
        Case({"hidden": 3, "layers": 2, "bidirectional": True}, ("f32[2, 4, 5]", *both)),
        Case({"hidden": 3, "batch_first": False, "bias": False}, ("f32[4, 2, 5]",)),
        Case({"hidden": 2, "layers": 3}, ("f32[1, 2, 3]",)),
    )


reference("lstm", cases=stacked(2), drawn=DROPPED, holds=nothing_between_layers(LSTM))(LSTM)
reference("gru", cases=stacked(1), drawn=DROPPED, holds=nothing_between_layers(GRU))(GRU)


@reference("lstm_cell", cases=(Case({"hidden": 3}, ("f32[2, 8]",)),))
def lstm_cell(op, x, h=None, c=None, **weights):
    zeros = np.zeros((x.shape[0], op.hidden))
    return lstm_step(x, zeros if h is None else h, zeros if c is None else c, **weights)


@reference("gru_cell", cases=(Case({"hidden": 3}, ("f32[2, 8]",)),))
def gru_cell(op, x, h=None, **weights):
    return gru_step(x, np.zeros((x.shape[0], op.hidden)) if h is None else h, **weights)
