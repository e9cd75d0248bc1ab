"""Picking elements by position."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archspec.types.dim import Dim, dim
from archspec_torch.code.pieces import Code, Hole, call, code
from archspec_torch.lowering.base import Lowered, Scope, Site, axes_text, fixed, lowers, method


def _bound(value: int | Dim | None, scope: Scope) -> Code:
    """A bound of a slice; negative numbers count from the end, as in Python."""
    if value is None:
        return code("")
    return code(Hole(value, "position")) if isinstance(value, int) else scope.size(value)


def _sliced(
    rank: int, parts: dict[int, tuple[int | Dim, int | Dim | None, int]], scope: Scope
) -> Code:
    """`[:, 2:10]`, up to the last axis that is cut."""
    items: list[Any] = []
    for axis in range(max(parts) + 1):
        if axis:
            items.append(", ")
        if axis not in parts:
            items.append(":")
            continue
        start, stop, step = parts[axis]
        first = code("") if start == 0 else _bound(start, scope)
        items += [first, ":", _bound(stop, scope)]
        if step != 1:
            items += [":", Hole(step, "step")]
    return code("[", *items, "]")


FURTHEST_INDEXED = 2
"""The last axis that is indexed in brackets."""


@lowers("slice")
def slice_(site: Site) -> Lowered:
    """`x[:, start:stop:step]`."""
    op = site.op
    axis = op.axis % site.x.rank

    def apply(inputs: Sequence[str], scope: Scope) -> Code:
        if site.x.shape == site.y.shape:
            return code(inputs[0])
        parts = {axis: (op.start, op.stop, op.step)}
        return code(inputs[0], _sliced(site.x.rank, parts, scope))

    return Lowered(apply=apply)


@lowers("crop")
def crop(site: Site) -> Lowered:
    """`x[:, :, a:b, c:d]`."""

    def apply(inputs: Sequence[str], scope: Scope) -> Code:
        parts = {axis % site.x.rank: (start, stop, 1) for axis, start, stop in site.op.ranges}
        if site.x.shape == site.y.shape:
            return code(inputs[0])
        return code(inputs[0], _sliced(site.x.rank, parts, scope))

    return Lowered(apply=apply)


@lowers("select")
def select(site: Site) -> Lowered:
    """`x[:, index]` on one of the first axes, otherwise `x.select(axis, index)`."""
    axis = site.op.axis

    def apply(inputs: Sequence[str], scope: Scope) -> Code:
        index = _bound(site.op.index, scope)
        if 0 <= axis <= FURTHEST_INDEXED:
            return code(inputs[0], "[", ":, " * axis, index, "]")
        return call(f"{inputs[0]}.select", str(site.op.axis), index)

    return Lowered(apply=apply)


@lowers("take")
def take(site: Site) -> Lowered:
    """`table[indices]` on the axis."""
    axis = site.op.axis % site.x.rank

    def apply(inputs: Sequence[str], scope: Scope) -> Code:
        table, indices = inputs
        rank = site.inputs[1].rank
        if rank == 1:
            return call(f"{table}.index_select", str(axis), indices)
        picked = call(f"{table}.index_select", str(axis), f"{indices}.flatten()")
        if rank == 0:
            return picked + call(".squeeze", str(axis))
        return picked + call(".unflatten", str(axis), f"{indices}.shape")

    return Lowered(apply=apply)


@lowers("gather")
def gather(site: Site) -> Lowered:
    """`x.gather(axis, indices)`."""

    def apply(inputs: Sequence[str], scope: Scope) -> Code:
        indices = inputs[1]
        if str(site.inputs[1].dtype) == "i32":
            indices = f"{indices}.to(torch.int64)"
        return code(f"{inputs[0]}.gather({site.op.axis}, {indices})")

    return Lowered(apply=apply)


@lowers("scatter")
def scatter(site: Site) -> Lowered:
    """`x.scatter(axis, indices, source)`, `scatter_add` or `scatter_reduce`."""
    method, *more = {
        "none": ("scatter",),
        "add": ("scatter_add",),
        "max": ("scatter_reduce", '"amax"'),
        "min": ("scatter_reduce", '"amin"'),
    }[site.op.reduction]

    def apply(inputs: Sequence[str], scope: Scope) -> Code:
        x, indices, source = inputs
        if str(site.inputs[1].dtype) == "i32":
            indices = f"{indices}.to(torch.int64)"
        return call(f"{x}.{method}", str(site.op.axis), indices, source, *more)

    return Lowered(apply=apply)


@lowers("roll")
def roll(site: Site) -> Lowered:
    """`x.roll(shifts, axes)`."""
    op = site.op
    shifts = op.shifts if isinstance(op.shifts, tuple) else (op.shifts,)
    axes = op.axes if isinstance(op.axes, tuple) else (op.axes,)

    def apply(inputs: Sequence[str], scope: Scope) -> Code:
        if all(fixed(shift) == 0 for shift in shifts):
            return code(inputs[0])
        by = [scope.size(dim(shift)) for shift in shifts]
        if len(by) == 1:
            return call(f"{inputs[0]}.roll", by[0], str(axes[0]))
        return call(f"{inputs[0]}.roll", call("", *by), axes_text(axes))

    return Lowered(apply=apply)


@lowers("flip")
def flip(site: Site) -> Lowered:
    """`x.flip(axes)`."""
    axes = site.op.axes if isinstance(site.op.axes, tuple) else (site.op.axes,)
    return Lowered(apply=method("flip", axes_text(axes)))


@lowers("tril", "triu")
def triangle(site: Site) -> Lowered:
    """`torch.tril` and `torch.triu`."""
    return Lowered(apply=method(site.op.name, Hole(site.op.diagonal, "diagonal")))
