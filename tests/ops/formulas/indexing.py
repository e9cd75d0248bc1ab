"""Selecting elements by index."""

import numpy as np

from tests.ops.formulas.table import Case, normal, reference


@reference("slice", cases=(Case({"axis": 2, "start": 1, "stop": 5, "step": 3}),
           Case({"axis": -2, "start": -3, "stop": -1}),
           Case({"axis": 2, "step": 2})))  # fmt: skip
def slice_(op, x):
    size = x.shape[op.axis]
    first, last = (
        at if at >= 0 else size + at for at in (op.start, size if op.stop is None else op.stop)
    )
    return np.take(x, [at for at in range(first, last) if (at - first) % op.step == 0], op.axis)


@reference("select", cases=(Case({"axis": 2, "index": 3}), Case({"axis": 0, "index": -2})))
def select(op, x):
    return np.take(x, op.index, op.axis)


@reference("crop", cases=(Case({"ranges": ((1, 1, 3), (-1, -3, -1))}),))
def crop(op, x):
    for axis, start, stop in op.ranges:
        size = x.shape[axis]
        first, last = (
            at if at >= 0 else size + at for at in (start, size if stop is None else stop)
        )
        x = np.take(x, range(first, last), axis)
    return x


def positions(rng, kind, position, op):
    """Valid indices of the axis, which has a size of at least 4."""
    if position == 0:
        return normal(rng, kind, position, op)
    return rng.integers(0, 4, [size.constant for size in kind.shape])


@reference("take", draw=positions, cases=(Case({"axis": 1}, ("f32[2, 5, 3]", "i64[7]")),
           Case({"axis": 1}, ("f32[2, 5, 3]", "i32[2, 2]")),
           Case({"axis": -1}, ("f32[2, 4, 5]", "i64[3]"))))  # fmt: skip
def take(op, table, indices):
    return np.take(table, indices, op.axis)


@reference("gather", draw=positions, cases=(Case({"axis": 0}, ("f32[5, 3]", "i32[7, 2]")),
           Case({"axis": 1}, ("f32[4, 5, 3]", "i64[4, 2, 3]"))))  # fmt: skip
def gather(op, x, indices):
    found = np.zeros(indices.shape)
    for place in np.ndindex(*indices.shape):
        at = list(place)
        at[op.axis] = indices[place]
        found[place] = x[tuple(at)]
    return found


def apart(rng, kind, position, op):
    """Indices of an axis of size 9; they are distinct unless values are reduced."""
    shape = [size.constant for size in kind.shape]
    if position != 1:
        return normal(rng, kind, position, op)
    if op.reduction != "none":
        return rng.integers(0, 4, shape)
    axis = op.axis % len(shape)
    drawn = rng.random([9 if at == axis else size for at, size in enumerate(shape)])
    return np.take(np.argsort(drawn, axis), range(shape[axis]), axis)


SCATTERED = (
    Case({"axis": 0}, ("f32[9, 2]", "i64[5, 2]", "f32[5, 2]")),
    Case({"axis": -1, "reduction": "add"}, ("f32[2, 4]", "i64[2, 9]", "f32[2, 9]")),
    Case({"axis": 1, "reduction": "max"}, ("i64[2, 4]", "i64[1, 9]", "i64[1, 9]")),
)


@reference("scatter", cases=SCATTERED, draw=apart)
def scatter(op, x, indices, source):
    """Values are written one after another."""
    put = {"none": lambda old, new: new, "add": np.add, "max": np.maximum, "min": np.minimum}
    y = x.copy()
    for place in np.ndindex(*indices.shape):
        at = list(place)
        at[op.axis] = indices[place]
        y[tuple(at)] = put[op.reduction](y[tuple(at)], source[place])
    return y


@reference("roll", cases=(Case({"shifts": (0, 2), "axes": (2, -1)}), Case({"shifts": 0, "axes": 1}),
           Case({"shifts": (1, 1), "axes": (2, 2)})))  # fmt: skip
def roll(op, x):
    """Element i moves to i + shift."""
    for shift, axis in zip(np.atleast_1d(op.shifts), np.atleast_1d(op.axes), strict=True):
        size = x.shape[axis]
        x = np.take(x, [(at - shift) % size for at in range(size)], axis)
    return x


@reference("flip", cases=(Case({"axes": 1}), Case({"axes": (0, -2)})))
def flip(op, x):
    for axis in np.atleast_1d(op.axes):
        x = np.take(x, range(x.shape[axis] - 1, -1, -1), axis)
    return x


def diagonals(x):
    """How far each element of a matrix is above the main diagonal."""
    return np.arange(x.shape[-1]) - np.arange(x.shape[-2])[:, None]


@reference("tril", cases=(Case({"diagonal": 2}),))
def tril(op, x):
    return x * (diagonals(x) <= op.diagonal)


@reference("triu", cases=(Case({"diagonal": -2}),))
def triu(op, x):
    return x * (diagonals(x) >= op.diagonal)
