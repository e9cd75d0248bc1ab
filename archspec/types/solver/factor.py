"""Products: a Dim as a product of Dims over disjoint symbols, where it is one."""

from __future__ import annotations

from functools import lru_cache
from math import gcd

from archspec.types.dim import Atom, Dim, Monomial


def symbols_of_atom(atom: Atom) -> frozenset[str]:
    """The symbols in a symbol or a floor division."""
    return frozenset({atom}) if isinstance(atom, str) else atom.numerator.symbols


@lru_cache(maxsize=2048)
def factors(expression: Dim) -> tuple[Dim, ...]:
    """Dims whose product it is, each over symbols of its own; the first may be a number."""
    whole = content(expression)
    if whole == 0:
        return (expression,)
    rest = exact(expression, whole)
    found = [Dim.constant_of(whole)] if whole != 1 else []
    for symbol in sorted(expression.symbols):
        split = _split(rest, symbol)
        if split is not None:
            found.append(split[0])
            rest = split[1]
    if rest != 1 or not found:
        found.append(rest)
    return tuple(found)


def exact(expression: Dim, divisor: int) -> Dim:
    """The expression with all its coefficients divided by a common divisor of them."""
    return Dim({monomial: factor // divisor for monomial, factor in expression.terms})


def content(expression: Dim) -> int:
    """The greatest common divisor of its coefficients, negative where the first one is."""
    common = gcd(*(factor for _, factor in expression.terms))
    return -common if expression.terms and expression.terms[0][1] < 0 else common


def _split(expression: Dim, symbol: str) -> tuple[Dim, Dim] | None:
    """`expression = u * v` with `u` over `symbol` alone and `v` without it, neither a number."""
    rows: dict[Monomial, dict[Monomial, int]] = {}
    for monomial, factor in expression.terms:
        inside = tuple(atom for atom in monomial if symbol in symbols_of_atom(atom))
        if any(symbols_of_atom(atom) != {symbol} for atom in inside):
            return None
        outside = tuple(atom for atom in monomial if symbol not in symbols_of_atom(atom))
        rows.setdefault(outside, {})[inside] = factor
    if not any(rows):  # nothing outside: it is a factor by itself
        return None
    pattern = _primitive(next(iter(rows.values())))
    weights: dict[Monomial, int] = {}
    for outside, row in rows.items():
        reduced = _primitive(row)
        if reduced == pattern:
            weights[outside] = gcd(*row.values())
        elif reduced == {inside: -factor for inside, factor in pattern.items()}:
            weights[outside] = -gcd(*row.values())
        else:
            return None
    first = Dim(pattern)
    return None if first.constant is not None else (first, Dim(weights))


def _primitive(row: dict[Monomial, int]) -> dict[Monomial, int]:
    common = gcd(*row.values())
    return {monomial: factor // common for monomial, factor in row.items()}
