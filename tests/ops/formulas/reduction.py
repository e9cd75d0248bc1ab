"""Reductions, and ops that sort elements along an axis."""

import numpy as np

from tests.ops.formulas.table import Case, reference


def over(run):
    """`run` over the axes of an op, which are moved to the end and merged."""

    def apply(op, x):
        axes = range(x.ndim) if op.axis is None else np.atleast_1d(op.axis)
        axes = [int(axis) % x.ndim for axis in axes]
        kept = [axis for axis in range(x.ndim) if axis not in axes]
        flat = x.transpose(*kept, *axes).reshape(*(x.shape[axis] for axis in kept), -1)
        found = np.asarray(run(op, flat))
        return np.expand_dims(found, axes) if op.keepdim else found

    return apply


AXES = (
    Case({"axis": (1, 3)}),
    Case({"axis": 2, "keepdim": True}),
    Case({"keepdim": True}, ("f32[3, 4]",)),
    Case({}, ("f32[]",)),
)
SPREAD = (*AXES[:3], Case({"correction": 0, "axis": 1}), Case({"correction": 2, "axis": 2}))
NORMS = (
    *AXES,
    *(Case({"p": p, "axis": 1}) for p in (1, 3, 0.5, -1.0, float("inf"), float("-inf"))),
)
HELD = (
    Case({"axis": 1}, ("bool[6, 3]",)),
    Case({"axis": (0, 2)}, ("bool[2, 5, 2]",)),
    Case({"keepdim": True}, ("bool[2, 3]",)),
    Case({"axis": (-1,), "keepdim": True}, ("bool[6, 3]",)),
)
WHOLE = (Case({"axis": 1}, ("i32[2, 8]",)),)

for _name, _cases, _run in (
    ("sum", AXES + WHOLE, lambda op, x: np.einsum("...i->...", x)),
    ("mean", AXES, lambda op, x: np.einsum("...i->...", x) / x.shape[-1]),
    ("max", AXES + WHOLE, lambda op, x: np.sort(x)[..., -1]),
    ("min", AXES + WHOLE, lambda op, x: np.sort(x)[..., 0]),
    ("any", HELD, lambda op, x: x.sum(-1) > 0),
    ("all", HELD, lambda op, x: x.sum(-1) == x.shape[-1]),
    ("logsumexp", AXES, lambda op, x: np.log(np.exp(x).sum(-1))),
):
    reference(_name, cases=_cases)(over(_run))


@reference("var", cases=SPREAD)
@over
def var(op, x):
    squares = (x - x.mean(-1, keepdims=True)) ** 2
    return squares.sum(-1) / (x.shape[-1] - op.correction)


@reference("std", cases=SPREAD)
def std(op, x):
    return np.sqrt(var(op, x))


@reference("norm", cases=NORMS)
@over
def norm(op, x):
    if np.isinf(op.p):
        return np.sort(np.abs(x))[..., -1 if op.p > 0 else 0]
    return (np.abs(x) ** op.p).sum(-1) ** (1 / op.p)


@reference("argmax", cases=(Case({"axis": 2}), Case({"keepdim": True}), Case({}, ("f32[]",))))
@over
def argmax(op, x):
    return np.argsort(-x)[..., 0]


@reference("argmin", cases=(Case({"axis": 2}), Case({"keepdim": True}), Case({}, ("f32[]",))))
@over
def argmin(op, x):
    return np.argsort(x)[..., 0]


@reference("cumsum", cases=(Case({"axis": -2}), Case({"axis": 0}, ("c64[4, 2]",))))
def cumsum(op, x):
    size = x.shape[op.axis]
    upto = np.tri(size)[:, :, None] * np.moveaxis(x, op.axis, 0).reshape(1, size, -1)
    shape = np.moveaxis(x, op.axis, 0).shape
    found = np.moveaxis(upto.sum(1).reshape(shape), 0, op.axis)
    return found if x.dtype.kind != "i" else found.astype(int)


def ordered(x, axis, descending):
    order = np.argsort(-x if descending else x, axis, kind="stable")
    return np.take_along_axis(x, order, axis), order


@reference("sort", cases=(Case({"axis": 1, "descending": True}), Case({"axis": 0})))
def sort(op, x):
    return ordered(x, op.axis, op.descending)


TOPS = (
    Case({"count": 2, "axis": 2}),
    Case({"count": 2, "axis": 1, "largest": False}),
    Case({"count": 1}),
)


@reference("topk", cases=TOPS)
def topk(op, x):
    return tuple(one.take(range(op.count), op.axis) for one in ordered(x, op.axis, op.largest))
