"""What draws at random in training, and the mean of several inputs."""

from __future__ import annotations

from collections.abc import Sequence

from archspec_torch.code.pieces import Code, Hole, call, code, keyword
from archspec_torch.lowering.base import Lowered, Scope, Site, accumulated, lowers


@lowers("dropout")
def dropout(site: Site) -> Lowered:
    """`F.dropout`."""
    return _random(site, "nn.Dropout", "F.dropout")


@lowers("channel_dropout")
def channel_dropout(site: Site) -> Lowered:
    """`F.dropout1d` to `3d`; [B, C] as [B, C, 1]."""
    axes = site.axes
    if axes == 0 or axes > 3:
        mask = "channel_dropout"

        def apply(inputs: Sequence[str], scope: Scope) -> Code:
            return call(mask, *inputs, Hole(site.op.p, "p"), scope.training())

        return Lowered(apply=apply, helpers=(mask,))
    return _random(site, f"nn.Dropout{axes}d", f"F.dropout{axes}d")


@lowers("alpha_dropout")
def alpha_dropout(site: Site) -> Lowered:
    """`F.alpha_dropout`."""
    return _random(site, "nn.AlphaDropout", "F.alpha_dropout")


def _random(site: Site, module: str, function: str) -> Lowered:
    p = Hole(site.op.p, "p")

    def apply(inputs: Sequence[str], scope: Scope) -> Code:
        return call(function, *inputs, p, scope.training())

    return Lowered(call(module, p), apply)


@lowers("drop_path")
def drop_path(site: Site) -> Lowered:
    """A helper: torch has none."""
    op = site.op
    p = Hole(op.p, "p")
    options = [
        keyword("by_row", op.mode == "row", True),
        keyword("in_training", op.scale == "training", True),
    ]

    def apply(inputs: Sequence[str], scope: Scope) -> Code:
        return call("drop_path", *inputs, p, scope.training(), *options)

    module = call("DropPath", p, *options)
    return Lowered(module, apply, helpers=("drop_path",), module_helpers=("DropPath",))


@lowers("bernoulli")
def bernoulli(site: Site) -> Lowered:
    """A helper: torch's own refuses values outside of 0..1, and is coarse in half precision."""

    def apply(inputs: Sequence[str], scope: Scope) -> Code:
        return call("bernoulli", *inputs, scope.training())

    return Lowered(apply=apply, helpers=("bernoulli",))


@lowers("join")
def join(site: Site) -> Lowered:
    """The mean; joins that drop inputs are written with their block."""

    def apply(inputs: Sequence[str], scope: Scope) -> Code:
        if len(inputs) == 1:
            return code(inputs[0])
        total = accumulated(list(map(code, inputs)), lambda a, b: code(a, " + ", b), scope)
        return code("(", total, f") / {len(inputs)}")

    return Lowered(apply=apply)
