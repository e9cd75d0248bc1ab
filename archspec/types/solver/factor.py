"""Factors a Dim into a product of Dims over disjoint symbols, where possible."""

from __future__ import annotations

from collections import Counter
from math import gcd

from archspec.types.dim import Dim
from archspec.types.meter import charge, remembered
from archspec.types.monomial import Atom, Monomial


def symbols_of_atom(atom: Atom) -> frozenset[str]:
    """The symbols in a symbol or a floor division."""
    return frozenset({atom}) if isinstance(atom, str) else atom.symbols


@remembered(2048)
def factors(expression: Dim) -> tuple[Dim, ...]:
    """Dims whose product is the expression; the first may be a number.

    Atoms that all terms share are factored out first, then factors in a single symbol.
    """
    charge(1 + len(expression.terms))
    whole = content(expression)
    if whole == 0:
        return (expression,)
    rest = exact(expression, whole)
    found = [Dim.constant_of(whole)] if whole != 1 else []
    for atom in _shared(rest):
        found.append(Dim({(atom,): 1}))
        rest = Dim({_less(monomial, atom): factor for monomial, factor in rest.terms})
    for symbol in sorted(expression.symbols):
        split = _split(rest, symbol)
        if split is not None:
            found.append(split[0])
            rest = split[1]
    if rest != 1 or not found:
        found.append(rest)
    return tuple(found)


def product_and_rest(expression: Dim) -> tuple[int, tuple[Dim, ...], int] | None:
    """`(scale, factors, rest)` with `scale * expression = product of factors + rest`.

    There are at least two factors, each in one symbol: `H*W - 2*H - 2*W` is
    `(H - 2) * (W - 2) - 4`. None if there is no such form.
    """
    constant = expression.constant_term
    plain = factors(expression - constant)
    if len([part for part in plain if part.constant is None]) > 1:
        return (1, plain, constant) if _each_in_one(plain) else None
    for symbol in sorted(expression.symbols):
        found = _shifted(expression, symbol)
        if found is not None and _each_in_one(found[1]):
            return found
    return None


def _each_in_one(parts: tuple[Dim, ...]) -> bool:
    return all(len(part.symbols) <= 1 for part in parts)


def _shifted(expression: Dim, symbol: str) -> tuple[int, tuple[Dim, ...], int] | None:
    """The product and rest for `expression = u * v + w`, with `u` and `w` in `symbol` only.

    None unless the varying part of `w` is a rational multiple of that of `u`.
    """
    alone = Dim({m: f for m, f in expression.terms if _only(m, symbol)})
    split = _split(expression - alone, symbol)
    if split is None:
        return None
    first, second = split
    pattern, wanted = first - first.constant_term, alone - alone.constant_term
    scale, weight = content(pattern), content(wanted)
    if wanted.terms and wanted * scale != pattern * weight:
        return None
    others = tuple(part for part in factors(second * scale + weight))
    return scale, (first, *others), alone.constant_term * scale - weight * first.constant_term


def _only(monomial: Monomial, symbol: str) -> bool:
    return all(symbols_of_atom(atom) == {symbol} for atom in monomial)


def _shared(expression: Dim) -> Monomial:
    """The atoms that every term contains, with multiplicity."""
    common = Counter(expression.terms[0][0])
    for monomial, _ in expression.terms:
        common &= Counter(monomial)
    return tuple(common.elements())


def _less(monomial: Monomial, atom: Atom) -> Monomial:
    place = monomial.index(atom)
    return (*monomial[:place], *monomial[place + 1 :])


def exact(expression: Dim, divisor: int) -> Dim:
    """The expression with all coefficients divided by `divisor`, which divides each of them."""
    return Dim({monomial: factor // divisor for monomial, factor in expression.terms})


def content(expression: Dim) -> int:
    """The greatest common divisor of the coefficients, negative if the first one is."""
    common = gcd(*(factor for _, factor in expression.terms))
    return -common if expression.terms and expression.terms[0][1] < 0 else common


def _split(expression: Dim, symbol: str) -> tuple[Dim, Dim] | None:
    """`u` in `symbol` only and `v` without it, with `expression = u * v`; None if impossible."""
    charge(1 + len(expression.terms))
    rows: dict[Monomial, dict[Monomial, int]] = {}
    for monomial, factor in expression.terms:
        inside = tuple(atom for atom in monomial if symbol in symbols_of_atom(atom))
        if any(symbols_of_atom(atom) != {symbol} for atom in inside):
            return None
        outside = tuple(atom for atom in monomial if symbol not in symbols_of_atom(atom))
        rows.setdefault(outside, {})[inside] = factor
    if not any(rows):  # `symbol` is the only symbol: nothing to split
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
