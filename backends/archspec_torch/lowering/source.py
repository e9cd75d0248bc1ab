"""Tensors without input: parameters, buffers, constants, and constants like another tensor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archspec.ops.source import number_dtype
from archspec.types.dim import Dim, DimLike, dim
from archspec.types.tensor import DType
from archspec_torch.code.pieces import Argument, Code, Hole, call, code, keyword
from archspec_torch.code.text import literal
from archspec_torch.lowering.base import Lowered, Scope, Site, lowers


@lowers("param", "computed_param", "buffer", "initialised_buffer")
def raw(site: Site) -> Lowered:
    """A parameter or buffer of the module."""
    return Lowered(raw=True)


def _made(name: str, scope: Scope, dtype: DType, *arguments: Any) -> Code:
    """`torch.name(arguments, dtype=, device=)`."""
    return call(f"torch.{name}", *arguments, keyword("dtype", scope.dtype(dtype)), *_device(scope))


def _device(scope: Scope) -> list[Argument]:
    device = scope.device()
    return [keyword("device", device)] if device else []


def _shape(sizes: Sequence[DimLike], scope: Scope) -> Code:
    written = [scope.size(size) for size in sizes]
    inner: list[Any] = []
    for number, size in enumerate(written):
        inner += [", ", size] if number else [size]
    return code("[", *inner, "]")


@lowers("zeros", "ones")
def filled(site: Site) -> Lowered:
    """`torch.zeros` and `torch.ones`."""

    def apply(inputs: Sequence[str], scope: Scope) -> Code:
        return _made(site.op.name, scope, site.y.dtype, _shape(site.y.shape, scope))

    return Lowered(apply=apply)


@lowers("full")
def full(site: Site) -> Lowered:
    """`torch.full`."""

    def apply(inputs: Sequence[str], scope: Scope) -> Code:
        value = site.op.value
        given = scope.size(value) if isinstance(value, Dim) else code(Hole(value, "value"))
        return _made("full", scope, site.y.dtype, _shape(site.y.shape, scope), given)

    return Lowered(apply=apply)


@lowers("eye")
def eye(site: Site) -> Lowered:
    """`torch.eye`."""

    def apply(inputs: Sequence[str], scope: Scope) -> Code:
        rows, columns = (scope.size(size) for size in site.y.shape)
        return _made("eye", scope, site.y.dtype, rows, columns)

    return Lowered(apply=apply)


@lowers("arange")
def arange(site: Site) -> Lowered:
    """`torch.arange`."""

    def apply(inputs: Sequence[str], scope: Scope) -> Code:
        first, last = site.op.bounds
        bounds = [scope.size(last)] if first == 0 else [scope.size(first), scope.size(last)]
        if site.op.step != 1:
            bounds = [scope.size(first), scope.size(last), code(Hole(site.op.step, "step"))]
        if site.y.dtype is DType.I64 and isinstance(site.op.step, int):
            return call("torch.arange", *bounds, *_device(scope))
        return _made("arange", scope, site.y.dtype, *bounds)

    return Lowered(apply=apply)


@lowers("linspace")
def linspace(site: Site) -> Lowered:
    """`torch.linspace`."""

    def apply(inputs: Sequence[str], scope: Scope) -> Code:
        ends = [
            scope.size(end) if isinstance(end, Dim) else code(Hole(end, "end"))
            for end in (site.op.start, site.op.stop)
        ]
        return _made("linspace", scope, site.y.dtype, *ends, scope.size(dim(site.op.count)))

    return Lowered(apply=apply)


@lowers("tensor")
def tensor(site: Site) -> Lowered:
    """`torch.tensor` of numbers of one kind: TorchScript takes no others side by side."""
    kind = _LITERALS[number_dtype(site.op.values)]

    def apply(inputs: Sequence[str], scope: Scope) -> Code:
        return _made("tensor", scope, site.y.dtype, _nested(site.op.values, kind))

    return Lowered(apply=apply)


_LITERALS: dict[DType, type] = {DType.F32: float, DType.I64: int, DType.BOOL: bool}


def _nested(values: Any, kind: type) -> str:
    if isinstance(values, tuple):
        return f"[{', '.join(_nested(value, kind) for value in values)}]"
    return literal(kind(values))


@lowers("zeros_like", "ones_like")
def filled_like(site: Site) -> Lowered:
    """`torch.zeros_like` and `torch.ones_like`."""
    return Lowered(apply=lambda inputs, scope: call(f"torch.{site.op.name}", *inputs))


@lowers("full_like")
def full_like(site: Site) -> Lowered:
    """`torch.full_like`."""
    value = Hole(site.op.value, "value")
    return Lowered(apply=lambda inputs, scope: call("torch.full_like", *inputs, value))
