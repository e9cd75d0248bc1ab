"""Fourier transforms and complex numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archspec_torch.code.pieces import Code, Hole, Quoted, call, code, keyword
from archspec_torch.lowering.base import Lowered, Scope, Site, function, lowers


def _norm(site: Site) -> Any:
    return keyword("norm", Hole(Quoted(site.op.norm)), Quoted("backward"))


@lowers("rfft", "irfft")
def along_axis(site: Site) -> Lowered:
    """`torch.fft.rfft` and `irfft`."""
    op = site.op

    def apply(inputs: Sequence[str], scope: Scope) -> Code:
        size = [] if op.size is None else [keyword("n", scope.size(op.size))]
        axis = keyword("dim", str(op.axis))
        return call(f"torch.fft.{op.name}", *inputs, *size, axis, _norm(site))

    return Lowered(apply=apply)


@lowers("rfft2", "irfft2")
def over_two_axes(site: Site) -> Lowered:
    """`torch.fft.rfft2` and `irfft2`."""
    op = site.op

    def apply(inputs: Sequence[str], scope: Scope) -> Code:
        size = []
        if getattr(op, "size", None) is not None:
            high, wide = (scope.size(one) for one in op.size)
            size = [keyword("s", code("[", high, ", ", wide, "]"))]
        return call(f"torch.fft.{op.name}", *inputs, *size, _norm(site))

    return Lowered(apply=apply)


@lowers("as_complex")
def as_complex(site: Site) -> Lowered:
    """`torch.view_as_complex`, which needs the two parts of a number side by side."""
    return Lowered(apply=lambda inputs, scope: call("torch.view_as_complex", packed(inputs[0])))


def packed(x: str) -> Code:
    """The tensor in the order of its axes in memory: itself, where it already is."""
    return call(f"{x}.contiguous")


lowers("as_real")(lambda site: Lowered(apply=function("torch.view_as_real")))
lowers("conjugate")(lambda site: Lowered(apply=function("torch.conj_physical")))
