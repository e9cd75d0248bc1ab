"""Examples of single ops, with NumPy formulas for the most common ones."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from archspec.analysis.parameters import table
from archspec.graph.build import Building
from archspec.graph.compiled import Compiled
from archspec.graph.model import Region
from archspec.ops.base import Op, type_of_text
from archspec.ops.registry import all_ops
from archspec.targets.conformance.examine import Array, Example, Run
from archspec.types.tensor import DType, TensorType

Numbers: TypeAlias = NDArray[np.float64]
Formula: TypeAlias = Callable[..., "Array | tuple[Array, ...]"]
"""Maps inputs, and weights by their names within the op (`weight=..`), to the results."""

DTYPES: Mapping[DType, type[np.generic]] = {
    DType.F32: np.float32,
    DType.I32: np.int32,
    DType.I64: np.int64,
    DType.BOOL: np.bool_,
    DType.C64: np.complex64,
}


def op_example(
    op: Op,
    types: Sequence[TensorType],
    formula: Formula,
    *,
    inputs: Sequence[Array] | None = None,
    regions: Sequence[Region] = (),
) -> Example:
    """An example of one op on inputs of these types, in inference.

    The formula receives inputs and weights in double precision. By default inputs are random:
    floating values of both signs, and integers from 0 to 4.
    """
    building = Building("net", "network")
    ports = [building.input(f"x{number}", kind) for number, kind in enumerate(types)]
    made = building.op(op, *ports, key="it", regions=regions)
    for number, port in enumerate(made):
        building.output(f"y{number}", port)
    graph = building.graph()
    network = Compiled("net", graph, graph)
    rng = np.random.default_rng(0)
    given = inputs if inputs is not None else [drawn(rng, kind) for kind in types]
    given = [np.asarray(one, DTYPES[kind.dtype]) for one, kind in zip(given, types, strict=True)]
    weights = drawn_weights(rng, network)
    named = {
        name.removeprefix("it").removeprefix(".").replace(".", "_") or "it": exact(value)
        for name, value in weights.items()
    }
    found = formula(*map(exact, given), **named)
    results = found if isinstance(found, tuple) else (found,)
    kinds = [DTYPES[kind.dtype] for kind in graph.output_types]
    outputs = tuple(
        exact(np.asarray(one).astype(kind)) for one, kind in zip(results, kinds, strict=True)
    )
    run = Run(tuple(given), outputs)
    return Example(op.name, network, weights, (run,))


def drawn(rng: np.random.Generator, kind: TensorType) -> Array:
    """A random input of a type whose sizes are numbers."""
    shape = tuple(size.evaluate({}) for size in kind.shape)
    if kind.dtype is DType.BOOL:
        return rng.random(shape) > 0.5
    if kind.dtype in (DType.I32, DType.I64):
        return rng.integers(0, 5, shape).astype(DTYPES[kind.dtype])
    values = rng.normal(0, 2, shape)
    if kind.dtype is DType.C64:
        return (values + 1j * rng.normal(0, 2, shape)).astype(np.complex64)
    return values.astype(np.float32)


def drawn_weights(rng: np.random.Generator, network: Compiled) -> Mapping[str, Array]:
    """Random values for the state dict of a network; variances are positive, integers are 3."""
    found: dict[str, Array] = {}
    for entry in table(network):
        if not entry.persistent:
            continue
        if not entry.dtype.is_float:
            found[entry.name] = np.full(entry.shape, 3, DTYPES[entry.dtype])
        elif entry.name.endswith("running_var"):
            found[entry.name] = (0.5 + rng.random(entry.shape)).astype(np.float32)
        else:
            found[entry.name] = rng.normal(0.5, 1, entry.shape).astype(np.float32)
    return found


def exact(value: Array) -> Array:
    """The value in double precision if it is floating or complex, else unchanged."""
    kinds = {"f": np.dtype(np.float64), "c": np.dtype(np.complex128)}
    return value.astype(kinds.get(value.dtype.kind, value.dtype))


def op_examples() -> Iterator[Example]:
    """An example for each of the formulas below."""
    for name, attributes, inputs, formula in _OPS:
        op = all_ops()[name](**attributes)
        yield op_example(op, [type_of_text(one) for one in inputs], formula)


# ---------------------------------------------------------------------- formulas


def _softmax(x: Numbers) -> Numbers:
    powers: Numbers = np.exp(x - x.max(-1, keepdims=True))
    result: Numbers = powers / powers.sum(-1, keepdims=True)
    return result


def _conv(x: Numbers, weight: Numbers, bias: Numbers) -> Numbers:
    """A convolution with kernel 3, stride 2, padding 1 and two groups."""
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    width, inside = weight.shape[:2]
    rows, columns = ((size - 1) // 2 + 1 for size in x.shape[2:])
    found = np.zeros((len(x), width, rows, columns))
    for channel in range(width):
        first = channel // (width // 2) * inside
        for row in range(rows):
            for column in range(columns):
                window = padded[
                    :, first : first + inside, 2 * row : 2 * row + 3, 2 * column : 2 * column + 3
                ]
                found[:, channel, row, column] = (window * weight[channel]).sum((1, 2, 3))
    return found + bias[:, None, None]


def _pooled(reduce: Callable[..., Numbers]) -> Formula:
    def formula(x: Numbers) -> Numbers:
        tiles = x.reshape(*x.shape[:2], x.shape[2] // 2, 2, x.shape[3] // 2, 2)
        result: Numbers = reduce(tiles, axis=(3, 5))
        return result

    return formula


def _layer_norm(x: Numbers, weight: Numbers, bias: Numbers) -> Numbers:
    mean, variance = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    result: Numbers = (x - mean) / np.sqrt(variance + 1e-5) * weight + bias
    return result


def batch_norm(
    x: Numbers, mean: Numbers, variance: Numbers, weight: Numbers, bias: Numbers
) -> Numbers:
    """Batch normalisation with the channels on axis 1."""
    shape = (-1, *(1,) * (x.ndim - 2))
    scale = weight / np.sqrt(variance + 1e-5)
    result: Numbers = (x - mean.reshape(shape)) * scale.reshape(shape) + bias.reshape(shape)
    return result


def _gelu(x: Numbers) -> Numbers:
    result: Numbers = x * 0.5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))
    return result


_MAP = ("f32[2, 4, 6, 8]",)
_ROWS = ("f32[2, 5, 8]",)
_PAIR = ("f32[2, 5, 8]", "f32[5, 1]")
_OPS: tuple[tuple[str, Mapping[str, object], tuple[str, ...], Formula], ...] = (
    ("relu", {}, _MAP, lambda x: np.maximum(x, 0)),
    ("sigmoid", {}, _MAP, lambda x: 1 / (1 + np.exp(-x))),
    ("tanh", {}, _MAP, np.tanh),
    ("exp", {}, _MAP, np.exp),
    ("gelu", {}, _ROWS, _gelu),
    ("softmax", {}, _ROWS, _softmax),
    ("add", {}, _PAIR, lambda x, y: x + y),
    ("sub", {}, _PAIR, lambda x, y: x - y),
    ("mul", {}, _PAIR, lambda x, y: x * y),
    ("div", {}, _PAIR, lambda x, y: x / y),
    ("sub", {"scalar": 3.0, "reverse": True}, _ROWS, lambda x: 3.0 - x),
    ("maximum", {}, _PAIR, np.maximum),
    ("gt", {}, _PAIR, lambda x, y: x > y),
    ("where", {}, ("bool[2, 5, 8]", *_PAIR), np.where),
    ("argmax", {"axis": 1}, _ROWS, lambda x: x.argmax(1)),
    ("matmul", {}, ("f32[3, 1, 4, 5]", "f32[2, 5, 6]"), lambda x, y: x @ y),
    ("mean", {"axis": (1, 2)}, _ROWS, lambda x: x.mean((1, 2))),
    ("sum", {"axis": 1, "keepdim": True}, _ROWS, lambda x: x.sum(1, keepdims=True)),
    ("concat", {"axis": -1}, ("f32[2, 3]", "f32[2, 4]"), lambda x, y: np.concatenate([x, y], -1)),
    ("split", {"parts": (3, 5), "axis": 2}, _ROWS, lambda x: (x[..., :3], x[..., 3:])),
    ("transpose", {"axis_a": 1, "axis_b": 2}, _ROWS, lambda x: x.swapaxes(1, 2)),
    ("permute", {"axes": (0, 2, 3, 1)}, _MAP, lambda x: x.transpose(0, 2, 3, 1)),
    ("reshape", {"shape": (2, 4, 10)}, _ROWS, lambda x: x.reshape(2, 4, 10)),
    ("flatten", {}, _MAP, lambda x: x.reshape(len(x), -1)),
    ("linear", {"width": 3}, _ROWS, lambda x, weight, bias: x @ weight.T + bias),
    ("conv", {"width": 6, "kernel": 3, "stride": 2, "padding": 1, "groups": 2}, _MAP, _conv),
    ("max_pool", {"kernel": 2}, _MAP, _pooled(np.max)),
    ("avg_pool", {"kernel": 2}, _MAP, _pooled(np.mean)),
    ("layer_norm", {}, _ROWS, _layer_norm),
    (
        "batch_norm",
        {},
        _MAP,
        lambda x, weight, bias, running_mean, running_var, **_: batch_norm(
            x, running_mean, running_var, weight, bias
        ),
    ),
    ("embedding", {"count": 5, "width": 3}, ("i64[2, 7]",), lambda x, weight: weight[x]),
)
