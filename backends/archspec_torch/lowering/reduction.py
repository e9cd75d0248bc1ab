"""Reductions, and what orders elements along an axis."""

from __future__ import annotations

from collections.abc import Sequence

from archspec_torch.code.pieces import Code, Hole, call, code, keyword
from archspec_torch.lowering.base import Lowered, Lowering, Scope, Site, axes_text, lowers


def _over(site: Site) -> str:
    """The reduced axes; all of them where none are named."""
    axis = site.op.axis
    if axis is None:
        return axes_text(range(site.x.rank))
    return axes_text(axis)


def _reduction(name: str, whole: str = "") -> Lowering:
    """`x.name(axes, keepdim=)`; `whole` where there is no axis to name."""

    def lowering(site: Site) -> Lowered:
        keepdim = keyword("keepdim", site.op.keepdim, False)

        def apply(inputs: Sequence[str], scope: Scope) -> Code:
            if not site.x.rank:
                return call(f"{inputs[0]}.{whole or name}")
            if site.op.axis is None and not site.op.keepdim:
                return call(f"{inputs[0]}.{whole or name}")
            return call(f"{inputs[0]}.{name}", _over(site), keepdim)

        return Lowered(apply=apply)

    return lowering


for _name, _torch in {"sum": "sum", "mean": "mean"}.items():
    lowers(_name)(_reduction(_torch))
lowers("max")(_reduction("amax"))
lowers("min")(_reduction("amin"))
lowers("any")(_reduction("any"))
lowers("all")(_reduction("all"))


def _spread(name: str) -> Lowering:
    def lowering(site: Site) -> Lowered:
        keepdim = keyword("keepdim", site.op.keepdim, False)
        correction = keyword("correction", site.op.correction)

        def apply(inputs: Sequence[str], scope: Scope) -> Code:
            return call(f"{inputs[0]}.{name}", _over(site), correction, keepdim)

        return Lowered(apply=apply)

    return lowering


lowers("std")(_spread("std"))
lowers("var")(_spread("var"))


@lowers("norm")
def norm(site: Site) -> Lowered:
    """`torch.linalg.vector_norm`."""
    keepdim = keyword("keepdim", site.op.keepdim, False)

    def apply(inputs: Sequence[str], scope: Scope) -> Code:
        over = keyword("dim", _over(site))
        return call("torch.linalg.vector_norm", *inputs, Hole(site.op.p, "p"), over, keepdim)

    return Lowered(apply=apply)


@lowers("logsumexp")
def logsumexp(site: Site) -> Lowered:
    """`torch.logsumexp`, which takes a number as a vector of one."""
    keepdim = keyword("keepdim", site.op.keepdim, False)

    def apply(inputs: Sequence[str], scope: Scope) -> Code:
        if not site.x.rank:
            return call(f"{inputs[0]}.logsumexp", "0")
        return call(f"{inputs[0]}.logsumexp", _over(site), keepdim)

    return Lowered(apply=apply)


def _position(name: str) -> Lowering:
    def lowering(site: Site) -> Lowered:
        keepdim = keyword("keepdim", site.op.keepdim, False)

        def apply(inputs: Sequence[str], scope: Scope) -> Code:
            if site.op.axis is not None:
                return call(f"{inputs[0]}.{name}", str(site.op.axis), keepdim)
            found = call(f"{inputs[0]}.{name}")
            if not site.op.keepdim:
                return found
            ones = ", ".join(["1"] * site.x.rank)
            return code(found, f".reshape({ones or '()'})")

        return Lowered(apply=apply)

    return lowering


lowers("argmax")(_position("argmax"))
lowers("argmin")(_position("argmin"))


@lowers("cumsum")
def cumsum(site: Site) -> Lowered:
    """`torch.cumsum`."""
    return Lowered(apply=lambda inputs, scope: call(f"{inputs[0]}.cumsum", str(site.op.axis)))


@lowers("topk")
def topk(site: Site) -> Lowered:
    """`torch.topk`."""

    def apply(inputs: Sequence[str], scope: Scope) -> Code:
        count = scope.size(site.op.count)
        largest = keyword("largest", site.op.largest, True)
        return call(f"{inputs[0]}.topk", count, str(site.op.axis), largest)

    return Lowered(apply=apply)


@lowers("sort")
def sort(site: Site) -> Lowered:
    """`torch.sort`."""

    def apply(inputs: Sequence[str], scope: Scope) -> Code:
        descending = keyword("descending", site.op.descending, False)
        return call(f"{inputs[0]}.sort", str(site.op.axis), descending)

    return Lowered(apply=apply)
