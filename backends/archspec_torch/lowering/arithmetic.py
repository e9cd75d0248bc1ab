"""Arithmetic, comparisons, choices and elementwise functions."""

from __future__ import annotations

from collections.abc import Sequence

from archspec.types.dim import Dim
from archspec_torch.code.pieces import Code, Hole, call, code, keyword
from archspec_torch.lowering.base import (
    Apply,
    Lowered,
    Lowering,
    Scope,
    Site,
    accumulated,
    function,
    lowers,
    method,
    number,
)

OPERATORS = {"add": "+", "sub": "-", "mul": "*", "div": "/"}

COMPARISONS = {
    "eq": ("==", "=="),
    "ne": ("!=", "!="),
    "lt": ("<", ">"),
    "le": ("<=", ">="),
    "gt": (">", "<"),
    "ge": (">=", "<="),
}
"""Sign of a comparison, and with the sides exchanged."""

FUNCTIONS = """
    exp log log1p sqrt rsqrt square reciprocal sign sin cos erf floor ceil round abs
    """.split()  # noqa: SIM905  (a table)


def operands(site: Site, inputs: Sequence[str], scope: Scope) -> list[Code]:
    """All operands as code; `reverse` decides the position of a scalar."""
    found = [code(item) for item in inputs]
    if site.op.scalar is None:
        return found
    scalar = number(site.op.scalar, scope)
    return [scalar, *found] if site.op.reverse else [*found, scalar]


def _operator(sign: str) -> Lowering:
    def lowering(site: Site) -> Lowered:
        def apply(inputs: Sequence[str], scope: Scope) -> Code:
            given = operands(site, inputs, scope)
            return accumulated(given, lambda left, right: code(left, f" {sign} ", right), scope)

        return Lowered(apply=apply)

    return lowering


def _pairwise(name: str) -> Apply:
    """`torch.name(torch.name(a, b), c)`."""

    def apply(inputs: Sequence[str], scope: Scope) -> Code:
        given = [code(item) for item in inputs]
        return accumulated(given, lambda left, right: call(f"torch.{name}", left, right), scope)

    return apply


for _name, _sign in OPERATORS.items():
    lowers(_name, fresh=True)(_operator(_sign))


@lowers("floor_div")
def floor_div(site: Site) -> Lowered:
    """Division rounded down."""

    def apply(inputs: Sequence[str], scope: Scope) -> Code:
        left, right = _tensor_first(site, inputs, scope)
        return call("torch.div", left, right, keyword("rounding_mode", '"floor"'))

    return Lowered(apply=apply)


def _tensor_first(site: Site, inputs: Sequence[str], scope: Scope) -> list[Code]:
    """Both operands; the first is a tensor, where torch has nothing (or no gradient) otherwise."""
    left, right = operands(site, inputs, scope)
    if site.op.scalar is not None and site.op.reverse:
        left = call("torch.full_like", inputs[0], left)
    return [left, right]


@lowers("mod")
def mod(site: Site) -> Lowered:
    """The rest of division rounded down, as Python's `%`."""
    return Lowered(
        apply=lambda inputs, scope: call("torch.remainder", *_tensor_first(site, inputs, scope))
    )


@lowers("pow")
def power(site: Site) -> Lowered:
    """`torch.pow`."""
    return Lowered(apply=lambda inputs, scope: call("torch.pow", *operands(site, inputs, scope)))


@lowers("neg")
def neg(site: Site) -> Lowered:
    """The opposite."""
    return Lowered(apply=lambda inputs, scope: code(f"-{inputs[0]}"))


def _extreme(name: str, bound: str) -> Lowering:
    def lowering(site: Site) -> Lowered:
        def apply(inputs: Sequence[str], scope: Scope) -> Code:
            if site.op.scalar is not None:
                given = number(site.op.scalar, scope)
                return call(f"{inputs[0]}.clamp", keyword(bound, given))
            return _pairwise(name)(inputs, scope)

        return Lowered(apply=apply)

    return lowering


lowers("maximum")(_extreme("maximum", "min"))
lowers("minimum")(_extreme("minimum", "max"))


def _comparison(sign: str, exchanged: str) -> Lowering:
    def lowering(site: Site) -> Lowered:
        def apply(inputs: Sequence[str], scope: Scope) -> Code:
            if site.op.scalar is None:
                return code(f"{inputs[0]} {sign} {inputs[1]}")
            shown = exchanged if site.op.reverse else sign
            scalar = site.op.scalar
            bound = scope.size(scalar) if isinstance(scalar, Dim) else number(scalar, scope)
            return code(f"{inputs[0]} {shown} ", bound)

        return Lowered(apply=apply)

    return lowering


for _name, (_sign, _exchanged) in COMPARISONS.items():
    lowers(_name)(_comparison(_sign, _exchanged))


lowers("logical_and")(lambda site: Lowered(apply=_pairwise("logical_and")))
lowers("logical_or")(lambda site: Lowered(apply=_pairwise("logical_or")))
lowers("logical_not")(lambda site: Lowered(apply=function("torch.logical_not")))


def _elementwise(name: str) -> Lowering:
    return lambda site: Lowered(apply=function(f"torch.{name}"))


for _name in FUNCTIONS:
    lowers(_name)(_elementwise(_name))

lowers("detach")(lambda site: Lowered(apply=method("detach")))


@lowers("cast")
def cast(site: Site) -> Lowered:
    """`x.to(dtype)`."""

    def apply(inputs: Sequence[str], scope: Scope) -> Code:
        return call(f"{inputs[0]}.to", scope.dtype(site.op.dtype))

    return Lowered(apply=apply)


# ---------------------------------------------------------------------- choices


@lowers("where")
def where(site: Site) -> Lowered:
    """`torch.where`; two numbers give the type that the op says."""
    op = site.op

    def apply(inputs: Sequence[str], scope: Scope) -> Code:
        rest = list(inputs[1:])
        first = number(op.value, scope) if op.value is not None else code(rest.pop(0))
        second = number(op.otherwise, scope) if op.otherwise is not None else code(rest.pop(0))
        result = call("torch.where", inputs[0], first, second)
        if len(inputs) > 1:
            return result
        return call("torch.where", inputs[0], first, second) + call(
            ".to", scope.dtype(site.y.dtype)
        )

    return Lowered(apply=apply)


@lowers("masked_fill")
def masked_fill(site: Site) -> Lowered:
    """`x.masked_fill(mask, value)`."""
    return Lowered(apply=method("masked_fill", Hole(site.op.value, "value")))


@lowers("clamp")
def clamp(site: Site) -> Lowered:
    """`x.clamp(min, max)`."""
    op = site.op

    def apply(inputs: Sequence[str], scope: Scope) -> Code:
        bounds = [
            keyword(name, number(value, scope))
            for name, value in (("min", op.low), ("max", op.high))
            if value is not None
        ]
        return call(f"{inputs[0]}.clamp", *bounds)

    return Lowered(apply=apply)


@lowers("binarize")
def binarize(site: Site) -> Lowered:
    """1 above the threshold; straight through, the gradient is that of the input."""
    op = site.op

    def apply(inputs: Sequence[str], scope: Scope) -> Code:
        x = inputs[0]
        hard = code("(", f"{x} > ", Hole(op.threshold, "threshold"), f").to({x}.dtype)")
        if op.gradient == "zero":
            return hard
        return code(f"{x} + (", hard, f" - {x}).detach()")

    return Lowered(apply=apply)
