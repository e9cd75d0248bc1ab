"""Initial values of parameters as calls of `torch.nn.init`."""

from __future__ import annotations

from collections.abc import Mapping
from math import exp, isqrt, log, sqrt
from types import MappingProxyType
from typing import Any

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


SHORT = 9
"""Number of characters of a number that is written as such."""

GREATEST = 10_000
"""The greatest integer whose root or logarithm is written as such."""


class Spelled(float):
    """A number that is written as an expression."""

    text: str

    def __repr__(self) -> str:
        return self.text


def spelled(value: float) -> float:
    """A number with many digits as a root or a logarithm of an integer, if it is one."""
    if len(repr(value)) <= SHORT or not 1 / GREATEST < abs(value) < GREATEST:
        return value
    if value < 0:
        positive = spelled(-value)
        return spelled_as(value, f"-{positive!r}") if isinstance(positive, Spelled) else value
    square, inverse = round(value**2), round(value**-2)
    power = round(exp(min(value, log(GREATEST))))
    forms = [(f"math.sqrt({square})", sqrt(square)), (f"math.log({power})", log(power))]
    if inverse and isqrt(inverse) ** 2 == inverse:
        forms.append((f"1 / {isqrt(inverse)}", 1 / isqrt(inverse)))
    forms += [(f"1 / math.sqrt({inverse})", 1 / sqrt(inverse))] if inverse else []
    forms += [(f"{inverse} ** -0.5", inverse**-0.5)] if inverse else []
    for text, number in forms:
        if number == value:
            return spelled_as(value, text)
    return value


def spelled_as(value: float, text: str) -> Spelled:
    """A number that is written as this text."""
    found = Spelled(value)
    found.text = text
    return found


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
        number = float(getattr(how, "value", 0.0))
        arguments.append(_hole(number, "value", written.get("value")))
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
            value = _hole(value, name, written.get(attribute))
        arguments.append(keyword(name, value, default))
    return call(f"nn.init.{FUNCTIONS[how.name]}", *arguments)


def _hole(value: Any, name: str, written: Expression | None) -> Hole:
    known = spelled(value) if type(value) is float and written is None else value
    return Hole(known, name, written)
