"""Shapes: reshaping, einops notation, expansion, concatenation and splitting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archspec.graph.expression import Number, has_unknown_sizes
from archspec.ops.einops_notation import Plan
from archspec.types.dim import Dim
from archspec.types.tensor import TensorType
from archspec_torch.code.pieces import Code, Hole, Quoted, call, code, keyword, listing
from archspec_torch.lowering.base import Apply, Lowered, Scope, Site, axes_text, lowers, method


@lowers("identity")
def identity(site: Site) -> Lowered:
    """Nothing."""
    return Lowered(call("nn.Identity"), lambda inputs, scope: code(inputs[0]))


@lowers("flatten")
def flatten(site: Site) -> Lowered:
    """`x.flatten(start, stop)`; a number has no axis to begin with."""
    start, stop = (site.op.start, site.op.stop) if site.x.rank else (0, -1)
    module = call("nn.Flatten", keyword("start_dim", start, 1), keyword("end_dim", stop, -1))

    def apply(inputs: Sequence[str], scope: Scope) -> Code:
        arguments = [str(start)] if stop == -1 else [str(start), str(stop)]
        return call(f"{inputs[0]}.flatten", *arguments)

    return Lowered(module, apply)


def sizes_code(
    shape: Sequence[Dim], scope: Scope, source: str = "", given: TensorType | None = None
) -> list[Code]:
    """Target sizes of a reshape, read from `source` of type `given` if it has them."""
    found = []
    for size in shape:
        axis = _axis_of(size, given)
        if size.constant is None and axis is not None and source:
            found.append(code(f"{source}.shape[{axis}]"))
        else:
            found.append(scope.size(size))
    return found or [code("()")]


def _axis_of(size: Dim, given: TensorType | None) -> int | None:
    if given is None or size.constant is not None:
        return None
    return next((axis for axis, one in enumerate(given.shape) if one == size), None)


def reshaped(x: str, shape: Sequence[Dim], scope: Scope, given: TensorType) -> Code:
    """`x.reshape(...)`, with sizes read from x if it has them."""
    return call(f"{x}.reshape", *sizes_code(shape, scope, x, given))


@lowers("reshape")
def reshape(site: Site) -> Lowered:
    """`x.reshape(...)`."""
    return Lowered(apply=lambda inputs, scope: reshaped(inputs[0], site.y.shape, scope, site.x))


@lowers("unflatten")
def unflatten(site: Site) -> Lowered:
    """`x.reshape(...)` with one axis split."""
    return Lowered(apply=lambda inputs, scope: reshaped(inputs[0], site.y.shape, scope, site.x))


@lowers("transpose")
def transpose(site: Site) -> Lowered:
    """`x.transpose(a, b)`."""
    return Lowered(apply=method("transpose", str(site.op.axis_a), str(site.op.axis_b)))


@lowers("permute")
def permute(site: Site) -> Lowered:
    """`x.permute(...)`."""
    return _permuted([axis % site.x.rank for axis in site.op.axes])


@lowers("unsqueeze")
def unsqueeze(site: Site) -> Lowered:
    """`x.unsqueeze(axis)`."""
    return Lowered(apply=method("unsqueeze", str(site.op.axis)))


@lowers("squeeze")
def squeeze(site: Site) -> Lowered:
    """`x.squeeze(axis)`."""
    return Lowered(apply=method("squeeze", axes_text(site.op.axis)))


@lowers("expand")
def expand(site: Site) -> Lowered:
    """`x.expand(...)`."""

    def apply(inputs: Sequence[str], scope: Scope) -> Code:
        new = site.y.rank - site.x.rank
        sizes: list[Any] = []
        for axis, size in enumerate(site.y.shape):
            kept = axis >= new and site.x.shape[axis - new] == size
            sizes.append("-1" if kept else scope.size(size))
        return call(f"{inputs[0]}.expand", *(sizes or ["()"]))

    return Lowered(apply=apply)


# ---------------------------------------------------------------------- einops notation


@lowers("rearrange", "reduce", "repeat")
def einops(site: Site) -> Lowered:
    """Reshape, reduce, permute, insert, reshape: those of the steps that change something."""
    plan = site.op.plan(site.x)
    if _only_permutes(site, plan):
        return _permuted(plan.order)

    return Lowered(apply=lambda inputs, scope: _rearranged(site, plan, inputs[0], scope))


def _rearranged(site: Site, plan: Plan, x: str, scope: Scope) -> Code:
    result = _taken_apart(code(x), site, plan, x, scope)
    kept = len(plan.split) - len(plan.reduce)
    if plan.reduce:
        result = _reduced(result, site.op.reduction, plan.reduce)
    if list(plan.order) != sorted(plan.order):
        result += call(".permute", *(str(axis) for axis in plan.order))
    if plan.insert:
        result = _inserted(result, plan.insert, kept, scope, x, site.x)
    return _joined_axes(result, plan, x, scope, site.x)


MOST_CALLS = 2
"""Axes that are split or merged by a separate call; more are one `reshape`."""


def _taken_apart(source: Code, site: Site, plan: Plan, x: str, scope: Scope) -> Code:
    """`x.unflatten(2, [3, heads, -1])`: torch infers the size that is not given."""
    changed = [axis for axis, count in enumerate(plan.taken_apart) if count != 1]
    if len(changed) > MOST_CALLS:
        sizes = sizes_code(plan.split, scope, x, site.x)
        return source + call(
            ".reshape", *(_factor(site, plan, part, size) for part, size in enumerate(sizes))
        )
    for axis in reversed(changed):  # so that the axes before it keep their numbers
        start = sum(plan.taken_apart[:axis])
        parts = range(start, start + plan.taken_apart[axis])
        if not parts:
            source += call(".squeeze", str(axis))
            continue
        parted: list[Any] = [
            "-1"
            if part in plan.inferred
            else _factor(site, plan, part, scope.size(plan.split[part]))
            for part in parts
        ]
        source += call(".unflatten", str(axis), listing(parted))
    return source


def _factor(site: Site, plan: Plan, part: int, size: Code) -> Code:
    """The size of an axis: what the spec has for its name, whatever else is equal to it.

    One without a size follows from the others of its group.
    """
    name, number = plan.names[part], plan.split[part].constant
    if number is None:
        return size
    if name in dict(site.op.axes):
        written = site.instance.written.get(name, Number(number))
        if not has_unknown_sizes(written):
            return code(Hole(number, "size", written))
    return code(Hole(number, "size", factor=part))


def _joined_axes(source: Code, plan: Plan, x: str, scope: Scope, given: TensorType) -> Code:
    """`x.flatten(2, 3)` where axes become one, `x.unsqueeze(0)` where one of size 1 is new."""
    changed = [axis for axis, count in enumerate(plan.joined) if count != 1]
    if len(changed) > MOST_CALLS:
        sizes = sizes_code(plan.merge, scope, x, given)
        numbers = (one.constant for one in plan.merge)
        return source + call(
            ".reshape",
            *(
                size if number is None else code(Hole(number, "size", axis=axis))
                for axis, (size, number) in enumerate(zip(sizes, numbers, strict=True))
            ),
        )
    for axis in reversed(changed):
        start = sum(plan.joined[:axis])
        end = start + plan.joined[axis] - 1
        if end < start:
            source += call(".unsqueeze", str(start))
        else:
            last = start + plan.joined[axis] == sum(plan.joined) and axis == changed[-1]
            source += call(".flatten", str(start), *([] if last else [str(end)]))
    return source


def _only_permutes(site: Site, plan: Plan) -> bool:
    whole = plan.split == site.x.shape and not plan.reduce and not plan.insert
    return whole and tuple(site.x.shape[axis] for axis in plan.order) == plan.merge


def _permuted(order: Sequence[int]) -> Lowered:
    """`x.permute(...)`, and a helper that is a module."""
    if list(order) == sorted(order):
        return Lowered(call("nn.Identity"), lambda inputs, scope: code(inputs[0]))
    axes = [str(axis) for axis in order]
    module = call("Permute", *axes)
    return Lowered(module, method("permute", *axes), module_helpers=("Permute",))


def _reduced(source: Code, how: str, axes: Sequence[int]) -> Code:
    if how == "prod":  # one axis at a time, from the last
        for axis in sorted(axes, reverse=True):
            source += code(f".prod({axis})")
        return source
    name = {"max": "amax", "min": "amin"}.get(how, how)
    return source + code(f".{name}({axes_text(tuple(axes))})")


def _inserted(
    source: Code,
    insert: Sequence[tuple[int, Dim]],
    rank: int,
    scope: Scope,
    x: str,
    given: TensorType,
) -> Code:
    sizes: list[Any] = ["-1"] * rank
    for axis, size in insert:
        source += code(f".unsqueeze({axis})")
        (wanted,) = sizes_code([size], scope, x, given)
        sizes.insert(axis, wanted)
    return source + call(".expand", *sizes)


# ---------------------------------------------------------------------- several tensors


@lowers("concat", fresh=True)
def concat(site: Site) -> Lowered:
    """`torch.cat`."""
    return Lowered(apply=_listed("torch.cat", site))


@lowers("stack")
def stack(site: Site) -> Lowered:
    """`torch.stack`."""
    return Lowered(apply=_listed("torch.stack", site))


def _listed(name: str, site: Site) -> Any:
    def apply(inputs: Sequence[str], scope: Scope) -> Code:
        axis = keyword("dim", str(site.op.axis))
        return call(name, listing(inputs), axis)

    return apply


def _parts(site: Site, apply: Apply) -> Apply:
    """The parts that an expression yields; of one part, the part itself."""
    if len(site.outputs) > 1:
        return apply
    return lambda inputs, scope: code(apply(inputs, scope), "[0]")


@lowers("split")
def split(site: Site) -> Lowered:
    """`x.split(sizes, axis)`."""
    axis = site.op.axis % site.x.rank

    def apply(inputs: Sequence[str], scope: Scope) -> Code:
        sizes = [one.shape[axis] for one in site.outputs]
        if all(size == sizes[0] for size in sizes):
            return call(f"{inputs[0]}.split", scope.size(sizes[0]), keyword("dim", str(axis)))
        listed = listing([scope.size(size) for size in sizes])
        return call(f"{inputs[0]}.split", listed, keyword("dim", str(axis)))

    return Lowered(apply=_parts(site, apply))


@lowers("unbind")
def unbind(site: Site) -> Lowered:
    """`x.unbind(axis)`."""
    return Lowered(apply=_parts(site, method("unbind", str(site.op.axis))))


@lowers("meshgrid")
def meshgrid(site: Site) -> Lowered:
    """`torch.meshgrid`."""
    how = Hole(Quoted(site.op.indexing))

    def apply(inputs: Sequence[str], scope: Scope) -> Code:
        return call("torch.meshgrid", listing(inputs), keyword("indexing", how))

    return Lowered(apply=_parts(site, apply))
