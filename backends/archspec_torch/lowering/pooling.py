"""Pools."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archspec_torch.code.pieces import Argument, Code, Hole, call, code, keyword, positional
from archspec_torch.lowering.base import (
    Apply,
    Lowered,
    Lowering,
    Scope,
    Site,
    axes_text,
    collapsed,
    fixed,
    lowers,
)
from archspec_torch.lowering.resampling import listed


def _window(op: Any) -> list[Argument]:
    """Kernel size, stride and padding of a pool."""
    kernel = collapsed(op.kernel)
    return [
        positional(kernel, "kernel_size"),
        keyword("stride", collapsed(op.stride) or kernel, kernel),
        keyword("padding", collapsed(op.padding), 0),
    ]


@lowers("max_pool")
def max_pool(site: Site) -> Lowered:
    """`F.max_pool1d` to `3d`."""
    op = site.op
    arguments = [
        *_window(op),
        keyword("dilation", collapsed(op.dilation), 1),
        keyword("ceil_mode", op.ceil, False),
        keyword("return_indices", op.indices, False),
    ]
    return _pool(f"nn.MaxPool{site.axes}d", f"F.max_pool{site.axes}d", arguments)


@lowers("max_unpool")
def max_unpool(site: Site) -> Lowered:
    """`F.max_unpool1d` to `3d`."""
    op = site.op
    arguments = _window(op)

    def apply(inputs: Sequence[str], scope: Scope) -> Code:
        sizes = [] if op.size is None else [keyword("output_size", listed(site.y.shape[2:], scope))]
        return call(f"F.max_unpool{site.axes}d", *inputs, *arguments, *sizes)

    return Lowered(apply=apply)


@lowers("avg_pool")
def avg_pool(site: Site) -> Lowered:
    """`F.avg_pool1d` to `3d`."""
    op = site.op
    arguments = [
        *_window(op),
        keyword("ceil_mode", op.ceil, False),
        keyword("count_include_pad", op.count_include_pad, True),
    ]
    return _pool(f"nn.AvgPool{site.axes}d", f"F.avg_pool{site.axes}d", arguments)


def _pool(module: str, function: str, arguments: list[Argument]) -> Lowered:
    return Lowered(
        call(module, *arguments), lambda inputs, scope: call(function, *inputs, *arguments)
    )


@lowers("adaptive_avg_pool", "adaptive_max_pool")
def adaptive_pool(site: Site) -> Lowered:
    """`F.adaptive_avg_pool1d` to `3d`; a size may be free, None keeps an axis."""
    op = site.op
    kind = "avg" if op.name == "adaptive_avg_pool" else "max"
    sizes = op.size if isinstance(op.size, tuple) else (op.size,) * site.axes
    function = f"F.adaptive_{kind}_pool{site.axes}d"

    def apply(inputs: Sequence[str], scope: Scope) -> Code:
        wanted = [
            scope.size(old if new is None else new)
            for old, new in zip(site.x.shape[2:], sizes, strict=True)
        ]
        target = wanted[0] if site.axes == 1 else call("", *wanted)
        return call(function, *inputs, target)

    numbers = tuple(None if size is None else fixed(size) for size in sizes)
    if None in numbers:  # TorchScript takes no None in the modules' sizes
        return Lowered(apply=apply)
    module = f"nn.Adaptive{kind.capitalize()}Pool{site.axes}d"
    size = positional(collapsed(numbers), "output_size")  # type: ignore[arg-type]
    return Lowered(call(module, size), _fixed(function, size))


def _fixed(function: str, size: Argument) -> Apply:
    return lambda inputs, scope: call(function, *inputs, size)


def _global(module: str, method: str) -> Lowering:
    """One value of all positions: a pool to one position in a Sequential, a reduction elsewhere."""

    def lower(site: Site) -> Lowered:
        keepdim = keyword("keepdim", site.op.keepdim, False)
        over = axes_text(range(2, site.x.rank))
        pool = call(f"nn.{module}{site.axes}d", code(Hole(1)))
        return Lowered(
            _flattened(pool, site.op.keepdim),
            lambda inputs, scope: call(f"{inputs[0]}.{method}", over, keepdim),
        )

    return lower


lowers("global_avg_pool")(_global("AdaptiveAvgPool", "mean"))
lowers("global_max_pool")(_global("AdaptiveMaxPool", "amax"))


def _flattened(pool: Code, keepdim: bool) -> Code:
    return pool if keepdim else call("nn.Sequential", pool, call("nn.Flatten"))
