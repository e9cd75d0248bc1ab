"""Ops with layers as arguments, which consist of a few arithmetic ops."""

import numpy as np

from tests.backends.graphs import Builder
from tests.ops.formulas.table import Case, reference


def doubled():
    """x -> 2 * x."""
    builder = Builder("layer", "region")
    x = builder.input("f32[2, 3]")
    return builder.build(builder.op("mul", x, scalar=2.0))


GATES = ("bool[]", "bool[2]", "bool[2, 3]")


def gates(rng, kind, position, op):
    shape = [size.constant for size in kind.shape]
    if position:
        return rng.normal(size=shape)
    return np.arange(np.prod(shape, dtype=int)).reshape(shape) % 2 == 0


GATED = tuple(Case({}, (gate, "f32[2, 3]", "f32[2, 3]"), {"layer": doubled()}) for gate in GATES)


@reference("gated", cases=GATED, draw=gates)
def gated(op, gate, x, otherwise):
    gate = gate.reshape(gate.shape + (1,) * (x.ndim - gate.ndim))
    return np.where(gate, 2 * x, otherwise)


def step():
    """h -> (h - 1, 2 * h)."""
    builder = Builder("layer", "region")
    h = builder.input("f32[2, 3]")
    y, after = builder.op("sub", h, scalar=1.0), builder.op("mul", h, scalar=2.0)
    return builder.build((y, after))


ITERATED = tuple(
    Case({"steps": 4, **more}, ("f32[2, 3]",), {"layer": step()})
    for more in ({}, {"axis": 0, "steps": 2}, {"axis": -1})
)


@reference("iterate", cases=ITERATED)
def iterate(op, h):
    found = []
    for _ in range(op.steps):
        found.append(h - 1)
        h = 2 * h
    return np.stack(found, op.axis), h


def along(sequences):
    """(x, .., h) -> (x - h, 2 * h + x), where x is the product of the sequences."""
    builder = Builder("layer", "region")
    xs = [builder.input("f32[2, 3]", f"x{number}") for number in range(sequences)]
    h = builder.input("f32[2, 3]", "h")
    x = builder.op("mul", xs) if sequences > 1 else xs[0]
    twice = builder.op("mul", h, scalar=2.0)
    return builder.build((builder.op("sub", (x, h)), builder.op("add", (twice, x))))


SCANNED = (
    Case({}, ("f32[2, 5, 3]", "f32[2, 3]"), {"layer": along(1)}),
    Case({"axis": 0}, ("f32[5, 2, 3]", "f32[2, 3]"), {"layer": along(1)}),
    Case(
        {"axis": -1, "sequences": 2},
        ("f32[2, 3, 5]", "f32[2, 3, 5]", "f32[2, 3]"),
        {"layer": along(2)},
    ),
)


@reference("scan", cases=SCANNED)
def scan(op, *inputs):
    *xs, h = inputs
    found = []
    for at in range(xs[0].shape[op.axis]):
        x = np.prod([np.take(one, at, op.axis) for one in xs], 0)
        found.append(x - h)
        h = 2 * h + x
    return np.stack(found, op.axis), h
