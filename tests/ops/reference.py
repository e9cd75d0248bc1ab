"""The semantics of ops, in torch: one function per op, from the op and its inputs to its result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import einops
import torch
import torch.nn.functional as F

from archspec.ops.base import Check, Op, OpError
from archspec.types.condition import evaluate
from archspec.types.dim import Dim
from archspec.types.tensor import DType, TensorType

DTYPES = {
    DType.F32: torch.float32,
    DType.I64: torch.int64,
    DType.I32: torch.int32,
    DType.BOOL: torch.bool,
    DType.C64: torch.complex64,
}


def binary(run: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    def apply(op, *xs):
        if op.scalar is None:
            return reduce(run, xs)
        number = torch.tensor(op.scalar, dtype=xs[0].dtype)
        return run(number, xs[0]) if op.reverse else run(xs[0], number)

    return apply


def unary(run: Callable[[Any], Any]) -> Callable[..., Any]:
    return lambda op, x: run(x)


def over_axes(run: Callable[..., Any]) -> Callable[..., Any]:
    def apply(op, x):
        axis = tuple(range(x.dim())) if op.axis is None else op.axis
        return run(x, dim=axis, keepdim=op.keepdim)

    return apply


def where(op, condition, *sides):
    sides = list(sides)
    value = op.value if op.value is not None else sides.pop(0)
    otherwise = op.otherwise if op.otherwise is not None else sides.pop(0)
    return torch.where(condition, value, otherwise)


def every(run: Callable[..., Any], op, x):
    if op.axis is None:
        return run(x) if not op.keepdim else run(x).reshape([1] * x.dim())
    return run(x, dim=op.axis, keepdim=op.keepdim)


def slice_(op, x):
    index = [slice(None)] * x.dim()
    index[op.axis] = slice(op.start, op.stop, op.step)
    return x[tuple(index)]


def crop(op, x):
    index = [slice(None)] * x.dim()
    for axis, start, stop in op.ranges:
        index[axis] = slice(start, stop)
    return x[tuple(index)]


def take(op, table, indices):
    index = [slice(None)] * table.dim()
    index[op.axis] = indices
    return table[tuple(index)]


def expand(op, x):
    kept = x.dim() - len(op.sizes)
    return x.expand(*op.sizes, *([-1] * max(0, kept)))


def pad(op, x):
    skip = 0 if op.mode == "constant" else 2
    amounts = dict.fromkeys(range(skip, x.dim()), (0, 0))
    amounts |= {axis % x.dim(): (before, after) for axis, before, after in op.amounts}
    flat = [amount for axis in sorted(amounts, reverse=True) for amount in amounts[axis]]
    return F.pad(x, flat, op.mode, op.value if op.mode == "constant" else None)


def resize(op, x, like=None):
    size = tuple(like.shape[2:]) if like is not None else op.size
    corners = (
        op.align_corners if op.mode in ("linear", "bilinear", "bicubic", "trilinear") else None
    )
    return F.interpolate(x, size=size, mode=op.mode, align_corners=corners, antialias=op.antialias)


def upsample(op, x):
    corners = (
        op.align_corners if op.mode in ("linear", "bilinear", "bicubic", "trilinear") else None
    )
    return F.interpolate(x, scale_factor=op.scale, mode=op.mode, align_corners=corners)


def arange(op):
    start, stop = (0, op.start) if op.stop is None else (op.start, op.stop)
    return torch.arange(start, stop, op.step, dtype=DTYPES[op.dtype])


def literal(run: Callable[..., Any], op, value, *before):
    dtype = None if op.dtype is None else DTYPES[op.dtype]
    return run(*before, value, dtype=dtype)


def scatter(op, x, index, source):
    reduce = {"add": "sum", "max": "amax", "min": "amin"}.get(op.reduction)
    index = index.long()
    if reduce is None:
        return torch.scatter(x, op.axis, index, source)
    return torch.scatter_reduce(x, op.axis, index, source, reduce)


def roll(op, x):
    return torch.roll(x, op.shifts, op.axes)


REFERENCE: dict[str, Callable[..., Any]] = {
    "add": binary(torch.add),
    "sub": binary(torch.sub),
    "mul": binary(torch.mul),
    "div": binary(torch.div),
    "floor_div": binary(torch.floor_divide),
    "mod": binary(torch.remainder),
    "pow": binary(torch.pow),
    "neg": unary(torch.neg),
    "maximum": binary(torch.maximum),
    "minimum": binary(torch.minimum),
    "eq": binary(torch.eq),
    "ne": binary(torch.ne),
    "lt": binary(torch.lt),
    "le": binary(torch.le),
    "gt": binary(torch.gt),
    "ge": binary(torch.ge),
    "logical_and": lambda op, *xs: reduce(torch.logical_and, xs),
    "logical_or": lambda op, *xs: reduce(torch.logical_or, xs),
    "logical_not": unary(torch.logical_not),
    "cast": lambda op, x: x.to(DTYPES[op.dtype]),
    "detach": unary(torch.detach),
    "where": where,
    "masked_fill": lambda op, x, mask: torch.masked_fill(x, mask, op.value),
    "clamp": lambda op, x: torch.clamp(x, op.low, op.high),
    "binarize": lambda op, x: (x > op.threshold).to(x.dtype),
    "sum": over_axes(torch.sum),
    "mean": over_axes(torch.mean),
    "max": over_axes(torch.amax),
    "min": over_axes(torch.amin),
    "any": lambda op, x: every(torch.any, op, x),
    "all": lambda op, x: every(torch.all, op, x),
    "std": lambda op, x: torch.std(x, dim=op.axis, correction=op.correction, keepdim=op.keepdim),
    "var": lambda op, x: torch.var(x, dim=op.axis, correction=op.correction, keepdim=op.keepdim),
    "norm": lambda op, x: torch.linalg.vector_norm(x, op.p, dim=op.axis, keepdim=op.keepdim),
    "logsumexp": over_axes(torch.logsumexp),
    "argmax": lambda op, x: torch.argmax(x, op.axis, op.keepdim),
    "argmin": lambda op, x: torch.argmin(x, op.axis, op.keepdim),
    "cumsum": lambda op, x: torch.cumsum(x, op.axis),
    "topk": lambda op, x: tuple(torch.topk(x, op.count, op.axis, op.largest)),
    "sort": lambda op, x: tuple(torch.sort(x, op.axis, op.descending)),
    "identity": lambda op, *xs: xs,
    "flatten": lambda op, x: torch.flatten(x, op.start, op.stop),
    "reshape": lambda op, x: torch.reshape(x, op.shape),
    "unflatten": lambda op, x: torch.unflatten(x, op.axis, op.sizes),
    "transpose": lambda op, x: torch.transpose(x, op.axis_a, op.axis_b),
    "permute": lambda op, x: torch.permute(x, op.axes),
    "unsqueeze": lambda op, x: torch.unsqueeze(x, op.axis),
    "squeeze": lambda op, x: torch.squeeze(x, op.axis),
    "expand": expand,
    "concat": lambda op, *xs: torch.cat(xs, op.axis),
    "stack": lambda op, *xs: torch.stack(xs, op.axis),
    "split": lambda op, x: (
        torch.tensor_split(x, op.parts, op.axis)
        if isinstance(op.parts, int)
        else torch.split(x, op.parts, op.axis)
    ),
    "unbind": lambda op, x: torch.unbind(x, op.axis),
    "meshgrid": lambda op, *xs: torch.meshgrid(*xs, indexing=op.indexing),
    "rearrange": lambda op, x: einops.rearrange(x, op.pattern, **dict(op.axes)),
    "reduce": lambda op, x: einops.reduce(x, op.pattern, op.reduction, **dict(op.axes)),
    "repeat": lambda op, x: einops.repeat(x, op.pattern, **dict(op.axes)),
    "einsum": lambda op, *xs: torch.einsum(op.equation, *xs),
    "matmul": lambda op, a, b: torch.matmul(a, b),
    "outer": lambda op, a, b: torch.outer(a, b),
    "slice": slice_,
    "select": lambda op, x: torch.select(x, op.axis, op.index),
    "crop": crop,
    "take": take,
    "gather": lambda op, x, index: torch.gather(x, op.axis, index),
    "scatter": scatter,
    "roll": roll,
    "flip": lambda op, x: torch.flip(x, (op.axes,) if isinstance(op.axes, int) else op.axes),
    "tril": lambda op, x: torch.tril(x, op.diagonal),
    "triu": lambda op, x: torch.triu(x, op.diagonal),
    "unfold": lambda op, x: F.unfold(x, op.kernel, op.dilation, op.padding, op.stride),
    "fold": lambda op, x: F.fold(x, op.size, op.kernel, op.dilation, op.padding, op.stride),
    "pad": pad,
    "pixel_shuffle": lambda op, x: F.pixel_shuffle(x, op.factor),
    "pixel_unshuffle": lambda op, x: F.pixel_unshuffle(x, op.factor),
    "resize": resize,
    "resize_like": resize,
    "upsample": upsample,
    "grid_sample": lambda op, x, grid: F.grid_sample(
        x, grid, op.mode, op.padding_mode, op.align_corners
    ),
    "rfft": lambda op, x: torch.fft.rfft(x, op.size, op.axis, op.norm),
    "irfft": lambda op, x: torch.fft.irfft(x, op.size, op.axis, op.norm),
    "rfft2": lambda op, x: torch.fft.rfft2(x, norm=op.norm),
    "irfft2": lambda op, x: torch.fft.irfft2(x, op.size, norm=op.norm),
    "as_complex": unary(torch.view_as_complex),
    "as_real": unary(torch.view_as_real),
    "conjugate": unary(torch.conj),
    "arange": arange,
    "linspace": lambda op: torch.linspace(op.start, op.stop, op.count),
    "zeros": lambda op: torch.zeros(op.shape, dtype=DTYPES[op.dtype]),
    "ones": lambda op: torch.ones(op.shape, dtype=DTYPES[op.dtype]),
    "full": lambda op: literal(torch.full, op, op.value, op.shape),
    "eye": lambda op: torch.eye(
        op.size, op.size if op.columns is None else op.columns, dtype=DTYPES[op.dtype]
    ),
    "tensor": lambda op: literal(torch.tensor, op, op.values),
    "param": lambda op: torch.zeros(op.shape),
    "zeros_like": unary(torch.zeros_like),
    "ones_like": unary(torch.ones_like),
    "full_like": lambda op, x: torch.full_like(x, op.value),
}
REFERENCE |= {
    name: unary(getattr(torch, name))
    for name in (
        "exp", "log", "log1p", "sqrt", "rsqrt", "square", "reciprocal", "sign", "sin", "cos",
        "erf", "floor", "ceil", "round", "abs",
    )
}  # fmt: skip


def sized(value: Any, sizes: Mapping[str, int]) -> Any:
    """The attribute with symbolic dims replaced by their sizes."""
    if isinstance(value, Dim):
        return value.evaluate(sizes)
    if isinstance(value, tuple):
        return tuple(sized(part, sizes) for part in value)
    return value


def example_tensor(kind: TensorType, sizes: Mapping[str, int]) -> torch.Tensor:
    """Distinct numbers, or zeros for indices, of a type."""
    shape = sized(kind.shape, sizes)
    if not kind.dtype.is_float:
        return torch.zeros(shape, dtype=DTYPES[kind.dtype])
    return torch.rand(shape, generator=torch.Generator().manual_seed(0)) + 0.5


def as_types(result: Any) -> tuple[tuple[torch.dtype, tuple[int, ...]], ...]:
    results = result if isinstance(result, tuple | list) else (result,)
    return tuple((one.dtype, tuple(one.shape)) for one in results)


def happens(op: Op, inputs: tuple[TensorType, ...], sizes: Mapping[str, int]) -> Any:
    """Types of torch's results at these sizes; None if it raises."""
    fields = {name: sized(value, sizes) for name, value in op}
    tensors = [example_tensor(kind, sizes) for kind in inputs]
    try:
        return as_types(REFERENCE[op.name](op.model_copy(update=fields), *tensors))
    except (RuntimeError, ValueError, IndexError, TypeError, einops.EinopsError):
        return None


def inferred(op: Op, inputs: tuple[TensorType, ...], sizes: Mapping[str, int]) -> Any:
    """Types that the op infers at these sizes; None if it rejects them."""
    check = Check()
    try:
        out = op.infer(check, *inputs)
    except OpError:
        return None
    if not all(evaluate(need.condition, sizes) for need in check.needs):
        return None
    outs = out if isinstance(out, tuple) else (out,)
    return tuple((DTYPES[one.dtype], sized(one.shape, sizes)) for one in outs)
