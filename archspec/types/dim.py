"""Symbolic dimensions: integer polynomials over symbols, floor divisions and extremes.

A `Dim` is a sum of monomials with integer coefficients. A monomial is a product of atoms; an
atom is a symbol, a `FloorDiv` of a Dim by a positive constant, or the minimum or maximum of two
Dims (`archspec.types.atoms`). The form is nearly canonical, so most equal expressions are equal
objects: multiples of the divisor are moved out of a division, common factors cancel, and
`(e // a + k) // b` becomes `(e + k * a) // (a * b)`. `archspec.types.solver` decides equalities
that the form does not show. `a % c` is `a - c * (a // c)`, with floors as in Python. Symbols are
integers from 1 on, or from 0 on where a `where` clause says so.

Dims are immutable; sums, products and quotients are cached. Unbounded growth (of terms, degree,
digits or nested divisions) is refused with `OutsideFragment`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache
from math import gcd
from typing import Any, Literal, TypeAlias

from archspec.types.atoms import MAX_BITS, MAX_DEGREE, Extreme, FloorDiv, OutsideFragment
from archspec.types.dim_text import terms_text
from archspec.types.meter import charge
from archspec.types.monomial import Atom, Monomial, joined, term_key

MAX_TERMS = 4_096
"""Maximum number of terms in one Dim."""

FEW = 8
"""Operations on up to this many terms are free; the caller's own steps cover them."""

_REMEMBERED = 1 << 15


class Dim:
    """An immutable symbolic integer."""

    __slots__ = ("_hash", "_symbols", "constant", "extremes", "terms")

    terms: tuple[tuple[Monomial, int], ...]
    """Monomials with their nonzero coefficients, in canonical order."""

    constant: int | None
    """The value if this is a number, else None."""

    extremes: frozenset[Extreme]
    """All `min` and `max` atoms, including those nested in others and in divisions."""

    def __init__(self, terms: Mapping[Monomial, int]) -> None:
        kept = [term for term in terms.items() if term[1]]
        if len(kept) > 1:
            kept.sort(key=term_key)
            if len(kept) > MAX_TERMS:
                raise OutsideFragment(f"a size with more than {MAX_TERMS} terms")
        self.terms = tuple(kept)
        self.constant = _constant(self.terms)
        self.extremes = _extremes(self.terms)
        self._hash = hash(self.terms if self.constant is None else self.constant)
        self._symbols: frozenset[str] | None = None

    @staticmethod
    def constant_of(value: DimLike) -> Dim:
        """The constant dimension `value`; a Dim is returned unchanged."""
        return value if isinstance(value, Dim) else _number(value)

    @staticmethod
    def symbol(name: str) -> Dim:
        """The dimension that is the symbol `name`."""
        return Dim({(name,): 1})

    @property
    def constant_term(self) -> int:
        """The coefficient of the empty monomial."""
        if self.terms and not self.terms[-1][0]:
            return self.terms[-1][1]
        return 0

    @property
    def atoms(self) -> frozenset[Atom]:
        """Symbols, floor divisions and extremes at the top level."""
        return frozenset(atom for monomial, _ in self.terms for atom in monomial)

    @property
    def symbols(self) -> frozenset[str]:
        """All symbols, including those inside divisions and extremes."""
        if self._symbols is None:
            found: set[str] = set()
            for atom in self.atoms:
                found |= {atom} if isinstance(atom, str) else atom.symbols
            self._symbols = frozenset(found)
        return self._symbols

    def evaluate(self, sizes: Mapping[str, int]) -> int:
        """The value at the given sizes. Raises KeyError for a symbol without a size."""
        total = 0
        known: dict[Atom, int] = {}
        for monomial, factor in self.terms:
            value = factor
            for atom in monomial:
                if isinstance(atom, str):
                    value *= sizes[atom]
                    continue
                if atom not in known:
                    known[atom] = atom.evaluate(sizes)
                value *= known[atom]
            total += value
        return total

    def substitute(self, replacement: Mapping[str, DimLike]) -> Dim:
        """Replace symbols by dimensions, all simultaneously."""
        if not any(name in replacement for name in self.symbols):
            return self
        return self._replaced(replacement)

    def choose(self, extreme: Extreme, side: Dim) -> Dim:
        """The dimension with `extreme` replaced by `side`, one of its two sides."""
        return self._replaced({extreme: side}) if extreme in self.extremes else self

    def _replaced(self, replacement: Mapping[Any, DimLike]) -> Dim:
        total: dict[Monomial, int] = {}
        charge(len(self.terms) // 2)
        for monomial, factor in self.terms:
            value = _number(factor)
            for atom in monomial:
                value = value * _substituted(atom, replacement)
            for inner, coefficient in value.terms:
                total[inner] = total.get(inner, 0) + coefficient
        return Dim(total)

    def __add__(self, other: DimLike) -> Dim:
        if other == 0:
            return self
        value = dim(other)
        _charge_terms(len(self.terms) + len(value.terms))
        return _sum(self, value)

    __radd__ = __add__

    def __neg__(self) -> Dim:
        _charge_terms(len(self.terms))
        return _scaled(self, -1)

    def __sub__(self, other: DimLike) -> Dim:
        return self + -dim(other) if other != 0 else self

    def __rsub__(self, other: DimLike) -> Dim:
        return dim(other) - self

    def __mul__(self, other: DimLike) -> Dim:
        value = dim(other)
        if self.constant is not None:
            self, value = value, self
        if value.constant is not None:
            _charge_terms(len(self.terms))
            return self if value.constant == 1 else _scaled(self, value.constant)
        pairs = len(self.terms) * len(value.terms)
        if pairs > FEW:
            charge(pairs * (2 + len(self.terms[0][0]) + len(value.terms[0][0])) // 16)
        return _product(self, value)

    __rmul__ = __mul__

    def __pow__(self, exponent: int) -> Dim:
        if exponent < 0:
            raise OutsideFragment(f"a negative power of {self}")
        if self.constant is not None:
            if (abs(self.constant).bit_length() - 1) * exponent > MAX_BITS:
                raise OutsideFragment(f"a number of more than {MAX_BITS} bits")
            return _number(self.constant**exponent)
        if exponent > MAX_DEGREE:
            raise OutsideFragment(f"the power {exponent} of a size; the highest is {MAX_DEGREE}")
        result = ONE
        for _ in range(exponent):
            result = result * self
        return result

    def __floordiv__(self, divisor: DimLike) -> Dim:
        by = dim(divisor).constant
        if by is None:
            exact = exact_quotient(self, dim(divisor))
            if exact is not None:
                return exact
            raise OutsideFragment(f"division by `{divisor}`, which is not a fixed number")
        if by == 0:
            raise ZeroDivisionError("division by zero")
        if by < 0:
            return (-self) // -by
        _charge_terms(2 * len(self.terms))
        return _floor_divide(self, by)

    def __rfloordiv__(self, other: DimLike) -> Dim:
        return dim(other) // self

    def __mod__(self, divisor: DimLike) -> Dim:
        return self - dim(divisor) * (self // divisor)

    def __rmod__(self, other: DimLike) -> Dim:
        return dim(other) % self

    def __bool__(self) -> bool:
        value = self.constant
        if value is None:
            raise OutsideFragment(f"whether `{self}` is 0, which depends on a size")
        return value != 0

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if isinstance(other, Dim):
            return self._hash == other._hash and self.terms == other.terms
        if isinstance(other, int) and not isinstance(other, bool):
            return self.constant == other
        return False

    def __hash__(self) -> int:
        return self._hash

    def __reduce__(self) -> tuple[object, ...]:
        return (Dim, (dict(self.terms),))

    def __repr__(self) -> str:
        return f"Dim({self})"

    def __str__(self) -> str:
        return terms_text(self.terms)


DimLike: TypeAlias = "int | Dim"


def dim(value: DimLike) -> Dim:
    """A Dim from a number or a Dim."""
    return value if isinstance(value, Dim) else _number(value)


@lru_cache(maxsize=_REMEMBERED)
def _number(value: int) -> Dim:
    if value.bit_length() > MAX_BITS:
        raise OutsideFragment(f"a number of more than {MAX_BITS} bits")
    return Dim({(): int(value)})


def _constant(terms: tuple[tuple[Monomial, int], ...]) -> int | None:
    if not terms:
        return 0
    return terms[0][1] if len(terms) == 1 and not terms[0][0] else None


def _extremes(terms: tuple[tuple[Monomial, int], ...]) -> frozenset[Extreme]:
    found: frozenset[Extreme] = frozenset()
    for monomial, _ in terms:
        for atom in monomial:
            if not isinstance(atom, str) and atom.extremes:
                found |= atom.extremes
    return found


def _substituted(atom: Atom, replacement: Mapping[Any, DimLike]) -> DimLike:
    found = replacement.get(atom)
    if found is not None:
        return found
    if isinstance(atom, FloorDiv):
        return atom.numerator._replaced(replacement) // atom.divisor
    if isinstance(atom, Extreme):
        left, right = (side._replaced(replacement) for side in atom.sides)
        return extreme(atom.name, left, right)
    return Dim.symbol(atom)


def _charge_terms(count: int) -> None:
    """Charge for terms that are added, scaled or divided; the cached functions charge nothing."""
    if count > FEW:
        charge(count // 2)


@lru_cache(maxsize=_REMEMBERED)
def _sum(left: Dim, right: Dim) -> Dim:
    terms = dict(left.terms)
    for monomial, factor in right.terms:
        terms[monomial] = terms.get(monomial, 0) + factor
    return Dim(terms)


@lru_cache(maxsize=_REMEMBERED)
def _scaled(value: Dim, by: int) -> Dim:
    return _within_bits(Dim({monomial: factor * by for monomial, factor in value.terms}))


@lru_cache(maxsize=_REMEMBERED)
def _product(left: Dim, right: Dim) -> Dim:
    if len(left.terms) * len(right.terms) > 16 * MAX_TERMS:
        raise OutsideFragment(f"a size with more than {MAX_TERMS} terms")
    if len(left.terms[0][0]) + len(right.terms[0][0]) > MAX_DEGREE:
        raise OutsideFragment(f"a size of a degree above {MAX_DEGREE}")
    terms: dict[Monomial, int] = {}
    for one, a in left.terms:
        for two, b in right.terms:
            monomial = joined(one, two) if one and two else one or two
            terms[monomial] = terms.get(monomial, 0) + a * b
    return _within_bits(Dim(terms))


def _within_bits(value: Dim) -> Dim:
    if any(factor.bit_length() > MAX_BITS for _, factor in value.terms):
        raise OutsideFragment(f"a number of more than {MAX_BITS} bits")
    return value


def ceil_divide(numerator: DimLike, divisor: int) -> Dim:
    """`numerator / divisor` rounded up."""
    return (dim(numerator) + (divisor - 1)) // divisor


def extreme(name: Literal["min", "max"], left: DimLike, right: DimLike) -> Dim:
    """The smaller or the larger of two dimensions."""
    sides = (dim(left), dim(right))
    difference = (sides[0] - sides[1]).constant
    if difference is not None:
        return sides[0] if (difference > 0) == (name == "max") else sides[1]
    return Dim({(Extreme(name, sides),): 1})


def sum_of(parts: Iterable[DimLike]) -> Dim:
    """The sum of the parts, 0 for none; much faster than adding many parts one by one."""
    terms: dict[Monomial, int] = {}
    for part, times in Counter(map(dim, parts)).items():
        _charge_terms(len(part.terms))
        for monomial, factor in part.terms:
            terms[monomial] = terms.get(monomial, 0) + factor * times
    return _within_bits(Dim(terms))


def product(factors: Iterable[DimLike]) -> Dim:
    """The product of the factors, 1 for none."""
    result = ONE
    for factor in factors:
        result = result * factor
    return result


def exact_quotient(numerator: Dim, divisor: Dim) -> Dim | None:
    """`numerator / divisor` if it is a polynomial with integer coefficients, else None."""
    if not divisor.terms:
        return None
    lead, lead_factor = divisor.terms[0]
    quotient, rest = ZERO, numerator
    for _ in range(len(numerator.terms) * 4 + 4):
        if not rest.terms:
            return quotient
        step = _divide_term(rest.terms[0], (lead, lead_factor))
        if step is None:
            return None
        quotient, rest = quotient + step, rest - step * divisor
    return None


def _divide_term(term: tuple[Monomial, int], by: tuple[Monomial, int]) -> Dim | None:
    if term[1] % by[1]:
        return None
    left = list(term[0])
    for atom in by[0]:
        if atom not in left:
            return None
        left.remove(atom)
    return Dim({tuple(left): term[1] // by[1]})


@lru_cache(maxsize=_REMEMBERED)
def _floor_divide(numerator: Dim, by: int) -> Dim:
    if by == 1:
        return numerator
    if numerator.constant is not None:
        return _number(numerator.constant // by)
    outside = {monomial: factor // by for monomial, factor in numerator.terms if monomial}
    inside = {monomial: factor % by for monomial, factor in numerator.terms if monomial}
    constant = numerator.constant_term
    rest = Dim(inside)
    if not rest.terms:
        return _sum(Dim(outside), _number(constant // by))
    common = gcd(by, *(factor for _, factor in rest.terms))
    if common > 1:
        inside = {m: f // common for m, f in rest.terms} | {(): constant // common}
        return _sum(Dim(outside), _floor_divide(Dim(inside), by // common))
    whole, constant = divmod(constant, by)
    if len(rest.terms) == 1 and rest.terms[0][1] == 1 and len(rest.terms[0][0]) == 1:
        (atom,) = rest.terms[0][0]
        if isinstance(atom, FloorDiv):
            inner = _sum(atom.numerator, _number(constant * atom.divisor))
            found = _floor_divide(inner, atom.divisor * by)
            return _sum(Dim(outside | {(): whole}), found)
    divided = FloorDiv(Dim(inside | {(): constant}), by)
    return _sum(Dim(outside | {(): whole}), Dim({(divided,): 1}))


ZERO = Dim({})
ONE = Dim({(): 1})
