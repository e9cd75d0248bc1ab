"""Activations: modules in a Sequential, functions elsewhere."""

from __future__ import annotations

from archspec.types.initialiser import Constant
from archspec_torch.code import Argument, Hole, Quoted, call, keyword
from archspec_torch.lowering.base import Lowered, Lowering, Site, lowers

PLAIN = {
    "relu": ("nn.ReLU", "F.relu"),
    "relu6": ("nn.ReLU6", "F.relu6"),
    "selu": ("nn.SELU", "F.selu"),
    "silu": ("nn.SiLU", "F.silu"),
    "mish": ("nn.Mish", "F.mish"),
    "sigmoid": ("nn.Sigmoid", "torch.sigmoid"),
    "log_sigmoid": ("nn.LogSigmoid", "F.logsigmoid"),
    "tanh": ("nn.Tanh", "torch.tanh"),
    "tanh_shrink": ("nn.Tanhshrink", "F.tanhshrink"),
    "softsign": ("nn.Softsign", "F.softsign"),
    "hard_swish": ("nn.Hardswish", "F.hardswish"),
    "hard_sigmoid": ("nn.Hardsigmoid", "F.hardsigmoid"),
}


def _both(module: str, function: str, *arguments: Argument) -> Lowered:
    return Lowered(
        call(module, *arguments), lambda inputs, scope: call(function, *inputs, *arguments)
    )


def _plain(module: str, function: str) -> Lowering:
    return lambda site: _both(module, function)


for _name, (_module, _function) in PLAIN.items():
    lowers(_name)(_plain(_module, _function))


@lowers("leaky_relu")
def leaky_relu(site: Site) -> Lowered:
    """`F.leaky_relu`."""
    return _both("nn.LeakyReLU", "F.leaky_relu", keyword("negative_slope", site.op.slope, 0.01))


@lowers("elu")
def elu(site: Site) -> Lowered:
    """`F.elu`."""
    return _both("nn.ELU", "F.elu", keyword("alpha", site.op.alpha, 1.0))


@lowers("celu")
def celu(site: Site) -> Lowered:
    """`F.celu`."""
    return _both("nn.CELU", "F.celu", keyword("alpha", site.op.alpha, 1.0))


@lowers("gelu")
def gelu(site: Site) -> Lowered:
    """`F.gelu`."""
    how = keyword("approximate", Hole(Quoted(site.op.approximate)), Quoted("none"))
    return _both("nn.GELU", "F.gelu", how)


@lowers("softplus")
def softplus(site: Site) -> Lowered:
    """`F.softplus`."""
    beta = keyword("beta", site.op.beta, 1.0)
    return _both("nn.Softplus", "F.softplus", beta, keyword("threshold", site.op.threshold, 20.0))


@lowers("hard_tanh")
def hard_tanh(site: Site) -> Lowered:
    """`F.hardtanh`."""
    low = keyword("min_val", site.op.low, -1.0)
    return _both("nn.Hardtanh", "F.hardtanh", low, keyword("max_val", site.op.high, 1.0))


@lowers("hard_shrink")
def hard_shrink(site: Site) -> Lowered:
    """`F.hardshrink`."""
    return _both("nn.Hardshrink", "F.hardshrink", keyword("lambd", site.op.bound, 0.5))


@lowers("soft_shrink")
def soft_shrink(site: Site) -> Lowered:
    """`F.softshrink`."""
    return _both("nn.Softshrink", "F.softshrink", keyword("lambd", site.op.bound, 0.5))


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
