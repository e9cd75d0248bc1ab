"""Symbolic sizes as Python: their variables, and expressions over these."""

from __future__ import annotations

from typing import Any

from archspec.graph.codegen.demand import is_flag
from archspec.types.atoms import Extreme
from archspec.types.dim import Dim
from archspec.types.monomial import Atom
from archspec_torch.code.names import KEYWORDS, TAKEN
from archspec_torch.code.pieces import Code, Hole, call, code
from archspec_torch.prelude import helper_names


def size_variable(symbol: str) -> str:
    """A symbol as a variable of generated code, without hiding other names in the code.

    Different symbols have different variables. None begins with `__`, which Python and TorchScript
    treat specially.
    """
    if symbol.startswith("__"):
        return f"size{symbol}"
    base = symbol.rstrip("_")
    kept = base in TAKEN or base in KEYWORDS or base in helper_names() or is_flag(base)
    return f"{symbol}_" if kept else symbol


def size_code(value: Dim) -> Code:
    """A dimension as Python: `rows * 7 - H`, numbers as holes; what is subtracted is last."""
    if not value.terms:
        return code(Hole(0, "size"))
    parts: list[Any] = []
    for monomial, factor in sorted(value.terms, key=lambda term: term[1] < 0):
        sign = ("-" if factor < 0 else "") if not parts else (" - " if factor < 0 else " + ")
        if sign:
            parts.append(sign)
        nested = len(monomial) > 1 or abs(factor) != 1 or sign == "-"
        factors: list[Code] = [_atom(atom, nested) for atom in monomial]
        if abs(factor) != 1 or not monomial:
            first = any(not isinstance(atom, str) for atom in monomial)
            factors.insert(0 if first else len(factors), code(Hole(abs(factor), "size")))
        for number, item in enumerate(factors):
            parts += [" * ", item] if number else [item]
    return code(*parts)


def _atom(atom: Atom, nested: bool) -> Code:
    if isinstance(atom, str):
        return code(atom)
    if isinstance(atom, Extreme):
        return call(atom.name, *(size_code(side) for side in atom.sides))
    inner = size_code(atom.numerator)
    if len(inner) > 1:
        inner = code("(", inner, ")")
    whole = code(inner, " // ", Hole(atom.divisor, "divisor"))
    return code("(", whole, ")") if nested else whole
