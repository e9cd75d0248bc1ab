"""Initial values of parameters as calls of `torch.nn.init`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from archspec.graph.expression import Expression
from archspec.types.initialiser import Initialiser
from archspec_torch.code.pieces import Argument, Code, Hole, Quoted, call, code, keyword

FUNCTIONS = {
    "zeros": "zeros_",
    "ones": "ones_",
    "constant": "constant_",
    "normal": "normal_",
    "uniform": "uniform_",
    "trunc_normal": "trunc_normal_",
    "xavier_uniform": "xavier_uniform_",
    "xavier_normal": "xavier_normal_",
    "kaiming_uniform": "kaiming_uniform_",
    "kaiming_normal": "kaiming_normal_",
    "orthogonal": "orthogonal_",
    "dirac": "dirac_",
    "eye": "eye_",
}

_KEYWORDS: dict[str, tuple[tuple[str, str, object], ...]] = {
    "normal": (("mean", "mean", 0.0), ("std", "std", 1.0)),
    "uniform": (("low", "a", 0.0), ("high", "b", 1.0)),
    "trunc_normal": (
        ("mean", "mean", 0.0),
        ("std", "std", 1.0),
        ("low", "a", -2.0),
        ("high", "b", 2.0),
    ),
    "xavier_uniform": (("gain", "gain", 1.0),),
    "xavier_normal": (("gain", "gain", 1.0),),
    "kaiming_uniform": (
        ("slope", "a", 0.0),
        ("mode", "mode", "fan_in"),
        ("nonlinearity", "nonlinearity", "leaky_relu"),
    ),
    "kaiming_normal": (
        ("slope", "a", 0.0),
        ("mode", "mode", "fan_in"),
        ("nonlinearity", "nonlinearity", "leaky_relu"),
    ),
    "orthogonal": (("gain", "gain", 1.0),),
    "dirac": (("groups", "groups", 1),),
}
"""Fields of an initialiser, the keyword in torch and its default there."""


def init_call(
    how: Initialiser, target: str, written: Mapping[str, Expression] = MappingProxyType({})
) -> Code:
    """`nn.init.normal_(target, std=0.02)`; `written` is what the spec has for its numbers."""
    if how.name == "norm_of":  # of weight normalisation, over all axes but the first
        source = f"{target.rpartition('.')[0]}.{getattr(how, 'of', 'weight_v')}.data"
        return call(f"{target}.data.copy_", call("torch.norm_except_dim", source, "2", "0"))
    if how.name == "singular_vectors_of":
        source = target.rpartition(".0.")[0]
        return call(f"{source}.find_singular_vectors")
    arguments: list[str | Argument | Hole] = [target]
    if how.name == "constant":
        arguments.append(Hole(float(getattr(how, "value", 0.0)), "value", written.get("value")))
    if how.name == "fan_in_uniform":
        bound = code("1 / math.sqrt(", Hole(getattr(how, "fan", 1), "fan"), ")")
        minus = code("-1 / math.sqrt(", Hole(getattr(how, "fan", 1), "fan"), ")")
        return call("nn.init.uniform_", target, minus, bound)
    for attribute, name, default in _KEYWORDS.get(how.name, ()):
        value = getattr(how, attribute)
        if isinstance(value, str):
            value = Hole(Quoted(value))
            default = Quoted(default) if isinstance(default, str) else default
        else:
            value = Hole(value, name, written.get(attribute))
        arguments.append(keyword(name, value, default))
    return call(f"nn.init.{FUNCTIONS[how.name]}", *arguments)
