"""Sizes in simpler forms: remainders, and `H//8` for `2*(H//16)` if a spec promises multiples."""

from __future__ import annotations

from collections.abc import Mapping
from math import gcd, lcm

from archspec.types.atoms import FloorDiv
from archspec.types.condition import All, Comparison, Condition, Relation
from archspec.types.dim import ZERO, Dim


def multiples(where: Condition) -> Mapping[str, int]:
    """The symbols that a `where` makes multiples of a number: `H % 16 == 0`."""
    found: dict[str, int] = {}
    for part in where.parts if isinstance(where, All) else (where,):
        if not isinstance(part, Comparison) or part.relation is not Relation.EQUAL:
            continue
        for atom in part.expression.atoms:
            if isinstance(atom, FloorDiv):
                rest = atom.numerator - atom.divisor * (atom.numerator // atom.divisor)
                for name in part.expression.symbols:
                    if atom.numerator == Dim.symbol(name) and part.expression in (rest, -rest):
                        found[name] = lcm(found.get(name, 1), atom.divisor)
    return found


def simpler(size: Dim, units: Mapping[str, int]) -> Dim:
    """An equal size, if symbols are multiples of `units`, with a shorter text if there is one."""
    if size.symbols.isdisjoint(units) or all(isinstance(atom, str) for atom in size.atoms):
        return size
    counted = size.substitute({name: units[name] * Dim.symbol(name) for name in units})
    found = ZERO
    for monomial, factor in counted.terms:
        if len(monomial) > 1 or not all(isinstance(atom, str) for atom in monomial):
            return size
        found += factor if not monomial else _part(str(monomial[0]), factor, units)
    return found if len(str(found)) < len(str(size)) else size


def remainder(size: Dim) -> str | None:
    """`-(H//4) % 7` for `7*((H + 24)//28) - H//4`, as in a padding; None for others."""
    for monomial, factor in size.terms:
        atom = monomial[0] if len(monomial) == 1 else None
        if not isinstance(atom, FloorDiv):
            continue
        quotient = atom.numerator // atom.divisor
        unit, rounded = abs(factor), factor * quotient
        rest = (rounded - size) if factor > 0 else (size - rounded)
        multiple = (rest + unit - 1) // unit if factor > 0 else rest // unit
        if unit > 1 and rest.symbols and multiple == quotient:
            plain = len(rest.terms) == 1 and str(rest).isidentifier()
            sign = "-" if factor > 0 else ""
            return f"{sign}{rest} % {unit}" if plain else f"{sign}({rest}) % {unit}"
    return None


def _part(name: str, factor: int, units: Mapping[str, int]) -> Dim:
    """`factor` times the unit of a symbol."""
    unit = units.get(name, 1)
    common = gcd(factor, unit)
    return (factor // common) * (Dim.symbol(name) // (unit // common))
