"""Residue classes: the periods for which a Dim is a polynomial, and that polynomial.

With `s = period * k + r` for every symbol, each floor division by a constant becomes a polynomial
in the k's if the periods contain enough factors of its divisor.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import takewhile
from math import gcd, lcm, prod
from types import MappingProxyType
from typing import TypeAlias

from archspec.types.atoms import FloorDiv
from archspec.types.dim import Dim
from archspec.types.meter import charge
from archspec.types.monomial import Atom, Monomial

Powers: TypeAlias = tuple[int, ...]
"""The exponent of each variable, in the order of the symbols."""

Polynomial: TypeAlias = dict[Powers, int]
"""Nonzero coefficients by exponents."""


PRODUCTS = 8
"""Products of coefficients in one step."""

LONG = 300
"""Number of bits of a coefficient that doubles the cost of its term."""


@lru_cache(maxsize=8192)
def periods(expression: Dim, modulus: int = 1) -> Mapping[str, int]:
    """Periods per symbol that make it a polynomial whose varying part is divisible by `modulus`."""
    found: dict[str, int] = {}
    for monomial, factor in expression.terms:
        needed = modulus // gcd(modulus, factor)
        for atom in monomial:
            if isinstance(atom, FloorDiv):
                inner = periods(atom.numerator, needed * atom.divisor)
            else:
                assert isinstance(atom, str), "conditions have no extremes"
                inner = {atom: needed}
            for symbol, period in inner.items():
                found[symbol] = lcm(found.get(symbol, 1), period)
    return MappingProxyType(found)


@lru_cache(maxsize=8192)
def degree(expression: Dim) -> int:
    """The total degree, where a floor division has the degree of its numerator."""
    return max((sum(map(_atom_degree, monomial)) for monomial, _ in expression.terms), default=0)


@lru_cache(maxsize=8192)
def weight(expression: Dim) -> int:
    """The approximate number of operations to evaluate it or expand it as a polynomial."""
    return sum(
        1
        + sum(weight(atom.numerator) if isinstance(atom, FloorDiv) else 1 for atom in monomial)
        + _spread(monomial) // 5
        + factor.bit_length() // LONG
        for monomial, factor in expression.terms
    )


def _spread(monomial: Monomial) -> int:
    """The number of terms after each symbol is substituted by `modulus * k + first`."""
    powers = Counter(monomial).values()
    return prod(power + 1 for power in powers)


def _atom_degree(atom: Atom) -> int:
    return degree(atom.numerator) if isinstance(atom, FloorDiv) else 1


def values(expression: Dim, sizes: Sequence[int]) -> list[int]:
    """The values of an expression in one symbol at the given sizes."""
    total = [0] * len(sizes)
    for monomial, factor in expression.terms:
        column = [factor] * len(sizes)
        for atom in monomial:
            inner = sizes
            if isinstance(atom, FloorDiv):
                divisor = atom.divisor
                inner = [value // divisor for value in values(atom.numerator, sizes)]
            column = [left * right for left, right in zip(column, inner, strict=True)]
        total = [left + right for left, right in zip(total, column, strict=True)]
    return total


class Class:
    """One residue class: a period for each symbol and its representative in 1..period.

    Classes with the same symbols and periods may share results for divisions in one symbol.
    """

    def __init__(
        self,
        symbols: Sequence[str],
        moduli: Sequence[int],
        first: Sequence[int],
        shared: dict[tuple[FloorDiv, int], Polynomial] | None = None,
    ) -> None:
        self.symbols = tuple(symbols)
        self.moduli = tuple(moduli)
        self.first = tuple(first)
        self._shared = {} if shared is None else shared
        self._atoms: dict[Atom, Polynomial] = {}
        width = len(self.symbols)
        for index, symbol in enumerate(self.symbols):
            line = {tuple(int(place == index) for place in range(width)): self.moduli[index]}
            line[(0,) * width] = self.first[index]
            self._atoms[symbol] = {powers: factor for powers, factor in line.items() if factor}

    def polynomial(self, expression: Dim) -> Polynomial:
        """The expression as a polynomial in the k's of this class."""
        charge(1 + len(expression.terms))
        total: Polynomial = {}
        products: list[Polynomial] = [{(0,) * len(self.symbols): 1}]
        before: Monomial = ()
        for monomial, factor in _alike_together(expression):
            shared = sum(1 for _ in takewhile(_are_equal, zip(before, monomial, strict=False)))
            del products[shared + 1 :]
            for atom in monomial[shared:]:
                products.append(multiplied(products[-1], self._atom(atom)))
            charge(len(products[-1]) // PRODUCTS)
            for powers, value in products[-1].items():
                total[powers] = total.get(powers, 0) + factor * value
            before = monomial
        return {powers: factor for powers, factor in total.items() if factor}

    def _atom(self, atom: Atom) -> Polynomial:
        known = self._atoms.get(atom)
        if known is None:
            assert isinstance(atom, FloorDiv)
            known = self._atoms[atom] = self._of_division(atom)
        return known

    def _of_division(self, atom: FloorDiv) -> Polynomial:
        names = atom.symbols
        place = self.symbols.index(next(iter(names))) if len(names) == 1 else None
        key = None if place is None else (atom, self.first[place])
        if key is not None and key in self._shared:
            return self._shared[key]
        inner = self.polynomial(atom.numerator)
        varying = [factor for powers, factor in inner.items() if any(powers)]
        assert not any(factor % atom.divisor for factor in varying), "the period has the divisor"
        quotient = {powers: factor // atom.divisor for powers, factor in inner.items()}
        found = {powers: factor for powers, factor in quotient.items() if factor}
        if key is not None:
            self._shared[key] = found
        return found


def _alike_together(expression: Dim) -> list[tuple[Monomial, int]]:
    """The terms sorted so that neighbours start with the same atoms and share products."""
    numbers: dict[Atom, int] = {}
    for monomial, _ in expression.terms:
        for atom in monomial:
            numbers.setdefault(atom, len(numbers))
    return sorted(expression.terms, key=lambda term: [numbers[atom] for atom in term[0]])


def _are_equal(pair: tuple[object, object]) -> bool:
    return pair[0] == pair[1]


def multiplied(left: Polynomial, right: Polynomial) -> Polynomial:
    """The product of two polynomials."""
    charge(len(left) * len(right) // PRODUCTS)
    result: Polynomial = {}
    for one, a in left.items():
        for two, b in right.items():
            powers = tuple(map(int.__add__, one, two))
            result[powers] = result.get(powers, 0) + a * b
    return {powers: factor for powers, factor in result.items() if factor}
