"""Normalisations."""

from __future__ import annotations

from collections.abc import Sequence

from archspec.types.initialiser import Initialiser, Ones, Zeros
from archspec_torch.code.pieces import Argument, Code, Hole, call, code, keyword, positional
from archspec_torch.lowering.base import Apply, Lowered, Scope, Site, axes_text, constant, lowers

GIVEN: dict[str, Initialiser] = {
    "weight": Ones(),
    "bias": Zeros(),
    "running_mean": Zeros(),
    "running_var": Ones(),
    "num_batches_tracked": Zeros(),
}
"""The defaults of the constructors of torch."""


@lowers("batch_norm", fresh=True)
def batch_norm(site: Site) -> Lowered:
    """`nn.BatchNorm1d` to `3d`; another channel axis is moved to 1 and back."""
    op = site.op
    axis = op.axis % site.x.rank
    kind = {2: 1, 3: 1, 4: 2, 5: 3}[site.x.rank]
    width = site.x.shape[axis].constant
    module = call(
        f"nn.BatchNorm{kind}d",
        positional(width or 1, "channels"),
        keyword("eps", op.eps, 1e-5),
        keyword("momentum", Hole(op.momentum, "momentum"), 0.1),
        keyword("affine", op.affine, True),
        keyword("track_running_stats", op.track, True),
    )
    if not (op.affine or op.track):
        return Lowered(apply=_batch_statistics(site, axis))
    if site.instance.frozen and op.track:
        fixed = [keyword("eps", op.eps, 1e-5)]
        return Lowered(module, _running_statistics("F.batch_norm", axis, fixed), given=GIVEN)
    if axis == 1:
        return Lowered(module, given=GIVEN)
    return Lowered(module, _moved(axis), given=GIVEN)


def _batch_statistics(site: Site, axis: int) -> Apply:
    op = site.op

    def apply(inputs: Sequence[str], scope: Scope) -> Code:
        x = inputs[0] if axis == 1 else f"{inputs[0]}.movedim({axis}, 1)"
        found = call(
            "F.batch_norm", x, "None", "None", keyword("training", "True"), keyword("eps", op.eps)
        )
        return found if axis == 1 else code(found, f".movedim(1, {axis})")

    return apply


def _running_statistics(function: str, axis: int, options: Sequence[Argument]) -> Apply:
    """As in inference, in any mode of the module."""

    def apply(inputs: Sequence[str], scope: Scope) -> Code:
        own = scope.module()
        x = inputs[0] if axis == 1 else f"{inputs[0]}.movedim({axis}, 1)"
        tensors = [f"{own}.{name}" for name in ("running_mean", "running_var", "weight", "bias")]
        found = call(function, x, *tensors, *options)
        return found if axis == 1 else code(found, f".movedim(1, {axis})")

    return apply


def _moved(axis: int) -> Apply:
    def apply(inputs: Sequence[str], scope: Scope) -> Code:
        return code(f"{scope.module()}({inputs[0]}.movedim({axis}, 1)).movedim(1, {axis})")

    return apply


@lowers("frozen_batch_norm", fresh=True)
def frozen_batch_norm(site: Site) -> Lowered:
    """A helper class: torch has none."""
    module = call(
        "FrozenBatchNorm",
        positional(constant(site.x.shape[1]), "channels"),
        keyword("eps", site.op.eps, 1e-5),
    )
    return Lowered(module, module_helpers=("FrozenBatchNorm",), given=GIVEN)


@lowers("instance_norm")
def instance_norm(site: Site) -> Lowered:
    """`nn.InstanceNorm1d` to `3d`."""
    op = site.op
    module = call(
        f"nn.InstanceNorm{site.axes}d",
        positional(site.x.shape[1].constant or 1, "channels"),
        keyword("eps", op.eps, 1e-5),
        keyword("momentum", op.momentum, 0.1),
        keyword("affine", op.affine, False),
        keyword("track_running_stats", op.track, False),
    )
    if site.instance.frozen and op.track:
        fixed = [keyword("use_input_stats", "False"), keyword("eps", op.eps, 1e-5)]
        return Lowered(module, _running_statistics("F.instance_norm", 1, fixed), given=GIVEN)
    if op.affine or op.track:
        return Lowered(module, given=GIVEN)

    def apply(inputs: Sequence[str], scope: Scope) -> Code:
        return call("F.instance_norm", *inputs, keyword("eps", op.eps, 1e-5))

    return Lowered(module, apply)


@lowers("group_norm", fresh=True)
def group_norm(site: Site) -> Lowered:
    """`nn.GroupNorm`."""
    op = site.op
    groups = positional(op.groups, "num_groups")

    def apply(inputs: Sequence[str], scope: Scope) -> Code:
        return call("F.group_norm", *inputs, groups, keyword("eps", op.eps, 1e-5))

    width = site.x.shape[1].constant
    if width is None:
        return Lowered(apply=apply)
    module = call(
        "nn.GroupNorm",
        groups,
        positional(width, "num_channels"),
        keyword("eps", op.eps, 1e-5),
        keyword("affine", op.affine, True),
    )
    return Lowered(module, None if op.affine else apply, given=GIVEN)


def _axes(site: Site) -> tuple[int, ...]:
    given = site.op.axis
    found = (given,) if isinstance(given, int) else given
    return tuple(sorted(axis % site.x.rank for axis in found))


def _is_trailing(site: Site, axes: tuple[int, ...]) -> bool:
    return axes == tuple(range(site.x.rank - len(axes), site.x.rank))


def _shape(site: Site, axes: tuple[int, ...]) -> object:
    sizes = tuple(constant(site.x.shape[axis]) for axis in axes)
    return sizes[0] if len(sizes) == 1 else sizes


@lowers("layer_norm", fresh=True)
def layer_norm(site: Site) -> Lowered:
    """`nn.LayerNorm` on the last axes; on others the axes are moved there and back."""
    op, axes = site.op, _axes(site)
    plain = _plain("F.layer_norm", axes, site, keyword("eps", op.eps, 1e-5))
    if any(site.x.shape[axis].constant is None for axis in axes):
        return Lowered(apply=plain)
    first = axes == (1,) and site.x.rank > 2 and op.affine
    module = call(
        "ChannelsFirstNorm" if first else "nn.LayerNorm",
        positional(_shape(site, axes), "features"),
        keyword("eps", op.eps, 1e-5),
        keyword("elementwise_affine", op.affine, True),
        keyword("bias", op.bias, True),
    )
    if first:
        return Lowered(module, module_helpers=("ChannelsFirstNorm",), given=GIVEN)
    return _norm(site, axes, module, plain)


def _norm(site: Site, axes: tuple[int, ...], module: Code, plain: Apply) -> Lowered:
    if _is_trailing(site, axes):
        return Lowered(module, None if site.op.affine else plain, given=GIVEN)
    if not site.op.affine:
        return Lowered(apply=plain)
    there, back = _moves(site, axes)

    def apply(inputs: Sequence[str], scope: Scope) -> Code:
        return code(f"{scope.module()}({inputs[0]}.movedim({there})).movedim({back})")

    return Lowered(module, apply, given=GIVEN)


def _plain(name: str, axes: tuple[int, ...], site: Site, eps: Argument) -> Apply:
    """`F.name` over the axes, which are moved to the end and back where they are elsewhere."""

    def apply(inputs: Sequence[str], scope: Scope) -> Code:
        sizes = [scope.size(site.x.shape[axis]) for axis in axes]
        shape = code(
            "[", *(p for n, size in enumerate(sizes) for p in ([", "] * (n > 0) + [size])), "]"
        )
        if _is_trailing(site, axes):
            return call(name, inputs[0], shape, eps)
        there, back = _moves(site, axes)
        return code(call(name, f"{inputs[0]}.movedim({there})", shape, eps), f".movedim({back})")

    return apply


def _moves(site: Site, axes: tuple[int, ...]) -> tuple[str, str]:
    """Arguments of `movedim` there and back."""
    last = tuple(range(site.x.rank - len(axes), site.x.rank))
    if len(axes) == 1:
        return f"{axes[0]}, {last[0]}", f"{last[0]}, {axes[0]}"
    there, back = axes_text(axes), axes_text(last)
    return f"{there}, {back}", f"{back}, {there}"


@lowers("rms_norm")
def rms_norm(site: Site) -> Lowered:
    """`nn.RMSNorm` on the last axes; on others the axes are moved there and back."""
    op, axes = site.op, _axes(site)
    eps = keyword("eps", Hole(op.eps, "eps"), None)
    plain = _plain("F.rms_norm", axes, site, eps)
    if any(site.x.shape[axis].constant is None for axis in axes):
        return Lowered(apply=plain)
    affine = keyword("elementwise_affine", op.affine, True)
    shape = positional(_shape(site, axes), "features")
    return _norm(site, axes, call("nn.RMSNorm", shape, eps, affine), plain)


@lowers("local_response_norm")
def local_response_norm(site: Site) -> Lowered:
    """`F.local_response_norm`."""
    op = site.op
    arguments = [
        positional(op.size, "size"),
        keyword("alpha", op.alpha, 1e-4),
        keyword("beta", op.beta, 0.75),
        keyword("k", op.k, 1.0),
    ]
    module = call("nn.LocalResponseNorm", *arguments)
    return Lowered(module, lambda inputs, scope: call("F.local_response_norm", *inputs, *arguments))


@lowers("l2_normalize")
def l2_normalize(site: Site) -> Lowered:
    """`F.normalize`."""
    axis = keyword("dim", str(site.op.axis))
    eps = keyword("eps", site.op.eps, 1e-12)
    return Lowered(apply=lambda inputs, scope: call("F.normalize", *inputs, axis, eps))
