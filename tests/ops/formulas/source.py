"""Tensors without input, and constants with the shape of another tensor."""

import numpy as np

from archspec.types.initialiser import Normal
from archspec.types.tensor import DType
from tests.backends.graphs import Builder
from tests.ops.formulas.table import Case, reference

KINDS = {DType.F32: float, DType.I64: int, DType.I32: int, DType.BOOL: bool, DType.C64: complex}


def kind_of(op, *values):
    """The given element type, or that of the numbers."""
    return np.array(values).dtype if op.dtype is None else KINDS[op.dtype]


@reference("param", cases=(Case({"shape": (3, 2)}, ()),))
def param(op, it):
    return it


@reference("initialised_buffer", cases=(Case({"shape": (3, 2), "init": Normal(std=0.5)}, ()),))
def initialised_buffer(op, it):
    return it


def held(name, **attributes):
    """A layer without input that has one output."""
    builder = Builder("value", "region")
    return builder.build(builder.op(name, (), **attributes))


STORED = (
    Case({"shape": (4,), "dtype": "i64"}, (), {"value": held("arange", start=4)}),
    Case({"shape": (2,), "dtype": "i64"}, (), {"value": held("arange", start=2)}),
    Case(
        {"shape": (4,), "transient": True},
        (),
        {"value": held("arange", start=2, stop=6, dtype="f32")},
    ),
)


@reference("buffer", cases=STORED)
def buffer(op, it=None):
    """The value, or the one in the state dict."""
    return np.arange(2.0, 6) if it is None else it


COMPUTED = (
    Case({"shape": (4,)}, (), {"value": held("arange", start=2, stop=6, dtype="f32")}),
    Case({"shape": (2, 2)}, (), {"value": held("eye", size=2)}),
)


@reference("computed_param", cases=COMPUTED)
def computed_param(op, it=None):
    """The value, or the one in the state dict."""
    return np.arange(2.0, 6) if it is None else it


@reference("arange", cases=(Case({"start": 2, "stop": 9, "dtype": "i32"}, ()),))
def arange(op):
    start, stop = (0, op.start) if op.stop is None else (op.start, op.stop)
    found, at = [], start
    while (at < stop) if op.step > 0 else (at > stop):
        found.append(at)
        at += op.step
    return np.array(found).astype(KINDS[op.dtype])


@reference("linspace", cases=(Case({"start": 1, "stop": 2.5, "count": 7}, ()),))
def linspace(op):
    return op.start + (op.stop - op.start) * np.arange(op.count) / (op.count - 1)


@reference("zeros", cases=(Case({"shape": (3,), "dtype": "i32"}, ()),))
def zeros(op):
    return np.array([0]).repeat(np.prod(op.shape)).reshape(op.shape).astype(KINDS[op.dtype])


@reference("ones", cases=(Case({"shape": (3,), "dtype": "bool"}, ()),))
def ones(op):
    return np.array([1]).repeat(np.prod(op.shape)).reshape(op.shape).astype(KINDS[op.dtype])


@reference("full", cases=(Case({"shape": (3,), "value": 2, "dtype": "i32"}, ()),))
def full(op):
    one = np.array(op.value).astype(kind_of(op, op.value))
    return np.broadcast_to(one, op.shape)


@reference("eye", cases=(Case({"size": 2, "columns": 3}, ()),))
def eye(op):
    columns = op.size if op.columns is None else op.columns
    found = np.arange(op.size)[:, None] == np.arange(columns)
    return found.astype(KINDS[op.dtype])


@reference("tensor", cases=(Case({"values": (1, 2), "dtype": "i32"}, ()),
           Case({"values": ((1, 2), (0.5, True))}, ())))  # fmt: skip
def tensor(op):
    return np.array(op.values).astype(kind_of(op, *np.ravel(np.array(op.values))))


@reference("zeros_like")
def zeros_like(op, x):
    return x - x


@reference("ones_like")
def ones_like(op, x):
    return x - x + 1


@reference("full_like", cases=(Case({"value": -2.5}),))
def full_like(op, x):
    return x - x + op.value
