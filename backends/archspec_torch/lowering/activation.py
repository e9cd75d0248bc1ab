"""Activations: modules in a Sequential, functions elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from archspec.types.initialiser import Constant
from archspec_torch.code.pieces import Argument, Hole, Quoted, call, keyword
from archspec_torch.lowering.base import Lowered, Lowering, Site, lowers

ACTIVATIONS: dict[str, tuple[str, str, list[tuple[str, str, float]]]] = {
    "relu": ("nn.ReLU", "F.relu", []),
    "relu6": ("nn.ReLU6", "F.relu6", []),
    "selu": ("nn.SELU", "F.selu", []),
    "silu": ("nn.SiLU", "F.silu", []),
    "mish": ("nn.Mish", "F.mish", []),
    "sigmoid": ("nn.Sigmoid", "torch.sigmoid", []),
    "log_sigmoid": ("nn.LogSigmoid", "F.logsigmoid", []),
    "tanh": ("nn.Tanh", "torch.tanh", []),
    "tanh_shrink": ("nn.Tanhshrink", "F.tanhshrink", []),
    "softsign": ("nn.Softsign", "F.softsign", []),
    "hard_swish": ("nn.Hardswish", "F.hardswish", []),
    "hard_sigmoid": ("nn.Hardsigmoid", "F.hardsigmoid", []),
    "leaky_relu": ("nn.LeakyReLU", "F.leaky_relu", [("negative_slope", "slope", 0.01)]),
    "elu": ("nn.ELU", "F.elu", [("alpha", "alpha", 1.0)]),
    "celu": ("nn.CELU", "F.celu", [("alpha", "alpha", 1.0)]),
    "softplus": (
        "nn.Softplus",
        "F.softplus",
        [("beta", "beta", 1.0), ("threshold", "threshold", 20.0)],
    ),
    "hard_tanh": (
        "nn.Hardtanh",
        "F.hardtanh",
        [("min_val", "low", -1.0), ("max_val", "high", 1.0)],
    ),
    "hard_shrink": ("nn.Hardshrink", "F.hardshrink", [("lambd", "bound", 0.5)]),
    "soft_shrink": ("nn.Softshrink", "F.softshrink", [("lambd", "bound", 0.5)]),
}
"""Module and function, and for each setting torch's keyword, our attribute, and torch's default."""


def _both(module: str, function: str, *arguments: Argument) -> Lowered:
    return Lowered(
        call(module, *arguments), lambda inputs, scope: call(function, *inputs, *arguments)
    )


IN_PLACE = ("relu", "leaky_relu", "elu", "celu", "selu")
"""Those whose backward pass reads the result and not the input, where the slope is positive."""


def _in_table(module: str, function: str, settings: Sequence[tuple[str, str, float]]) -> Lowering:
    def lower(site: Site) -> Lowered:
        values = [getattr(site.op, of) for _, of, _ in settings]
        arguments = [
            keyword(name, value, usual)
            for (name, _, usual), value in zip(settings, values, strict=True)
        ]
        found = _both(module, function, *arguments)
        if site.op.name not in IN_PLACE or any(value <= 0 for value in values):
            return found
        over = Argument(("True",), "inplace")
        return replace(found, in_place=_both(module, function, *arguments, over))

    return lower


for _name, _row in ACTIVATIONS.items():
    lowers(_name)(_in_table(*_row))


@lowers("gelu")
def gelu(site: Site) -> Lowered:
    """`F.gelu`."""
    how = keyword("approximate", Hole(Quoted(site.op.approximate)), Quoted("none"))
    return _both("nn.GELU", "F.gelu", how)


@lowers("prelu")
def prelu(site: Site) -> Lowered:
    """`nn.PReLU`."""
    count = keyword("num_parameters", site.op.weights, 1)
    module = call("nn.PReLU", count, keyword("init", site.op.init, 0.25))
    return Lowered(module, given={"weight": Constant(value=site.op.init)})


@lowers("glu")
def glu(site: Site) -> Lowered:
    """`F.glu`."""
    return _both("nn.GLU", "F.glu", keyword("dim", Hole(site.op.axis), -1))


@lowers("softmax")
def softmax(site: Site) -> Lowered:
    """`F.softmax`."""
    return _both("nn.Softmax", "F.softmax", keyword("dim", str(site.op.axis)))


@lowers("log_softmax")
def log_softmax(site: Site) -> Lowered:
    """`F.log_softmax`."""
    return _both("nn.LogSoftmax", "F.log_softmax", keyword("dim", str(site.op.axis)))
