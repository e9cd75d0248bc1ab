"""Symbolic dimensions: integer polynomials over symbols and floor divisions by constants.

A `Dim` is a sum of monomials with integer coefficients. A monomial is a product of atoms; an
atom is a symbol or a `FloorDiv` of a Dim by a positive constant. The form is canonical enough
that most equal expressions are equal objects: multiples of the divisor leave the division,
common factors cancel, and `(e // a + k) // b` becomes `(e + k * a) // (a * b)`. What the form
does not see is decided by `archspec.types.solver`. `a % c` is `a - c * (a // c)`, floors are
as in Python. Symbols stand for positive integers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import gcd
from typing import TypeAlias

Monomial: TypeAlias = "tuple[Atom, ...]"
"""A product of atoms, sorted; the empty product is 1."""


class OutsideFragment(Exception):
    """An expression that symbolic dimensions do not cover; the message says which."""


@dataclass(frozen=True, slots=True, order=True)
class FloorDiv:
    """`numerator // divisor`, floored, with a constant divisor above 1."""

    text: str  # orders atoms and makes hashing cheap
    numerator: Dim
    divisor: int

    def __hash__(self) -> int:
        return hash((self.text, self.divisor))


Atom: TypeAlias = "str | FloorDiv"


def _atom_key(atom: Atom) -> tuple[int, str]:
    return (0, atom) if isinstance(atom, str) else (1, atom.text)


class Dim:
    """An immutable symbolic integer."""

    __slots__ = ("_hash", "terms")

    terms: tuple[tuple[Monomial, int], ...]
    """Monomials with their coefficients, in canonical order, no coefficient 0."""

    def __init__(self, terms: Mapping[Monomial, int]) -> None:
        kept = [(monomial, factor) for monomial, factor in terms.items() if factor]
        kept.sort(key=lambda term: (-len(term[0]), [_atom_key(atom) for atom in term[0]]))
        self.terms = tuple(kept)
        self._hash = hash(self.terms)

    # ------------------------------------------------------------------ construction

    @staticmethod
    def constant_of(value: int) -> Dim:
        """The dimension that is always `value`."""
        return Dim({(): value})

    @staticmethod
    def symbol(name: str) -> Dim:
        """The free dimension `name`."""
        return Dim({(name,): 1})

    # ------------------------------------------------------------------ inspection

    @property
    def constant(self) -> int | None:
        """Its value when it is a number, else None."""
        if not self.terms:
            return 0
        if len(self.terms) == 1 and not self.terms[0][0]:
            return self.terms[0][1]
        return None

    @property
    def constant_term(self) -> int:
        """The coefficient of the empty monomial."""
        return next((factor for monomial, factor in self.terms if not monomial), 0)

    @property
    def atoms(self) -> frozenset[Atom]:
        """Symbols and floor divisions at the top level."""
        return frozenset(atom for monomial, _ in self.terms for atom in monomial)

    @property
    def symbols(self) -> frozenset[str]:
        """All symbols, those inside divisions too."""
        found: set[str] = set()
        for atom in self.atoms:
            found |= {atom} if isinstance(atom, str) else atom.numerator.symbols
        return frozenset(found)

    def evaluate(self, sizes: Mapping[str, int]) -> int:
        """Its value at given sizes. Raises KeyError for a symbol without one."""
        total = 0
        for monomial, factor in self.terms:
            value = factor
            for atom in monomial:
                if isinstance(atom, str):
                    value *= sizes[atom]
                else:
                    value *= atom.numerator.evaluate(sizes) // atom.divisor
            total += value
        return total

    def substitute(self, replacement: Mapping[str, DimLike]) -> Dim:
        """Replace symbols by dimensions, all at once."""
        if not any(name in replacement for name in self.symbols):
            return self
        total = ZERO
        for monomial, factor in self.terms:
            value = Dim.constant_of(factor)
            for atom in monomial:
                if isinstance(atom, str):
                    value = value * replacement.get(atom, Dim.symbol(atom))
                else:
                    value = value * (atom.numerator.substitute(replacement) // atom.divisor)
            total = total + value
        return total

    # ------------------------------------------------------------------ arithmetic

    def __add__(self, other: DimLike) -> Dim:
        terms = dict(self.terms)
        for monomial, factor in dim(other).terms:
            terms[monomial] = terms.get(monomial, 0) + factor
        return Dim(terms)

    __radd__ = __add__

    def __neg__(self) -> Dim:
        return Dim({monomial: -factor for monomial, factor in self.terms})

    def __sub__(self, other: DimLike) -> Dim:
        return self + (-dim(other))

    def __rsub__(self, other: DimLike) -> Dim:
        return dim(other) - self

    def __mul__(self, other: DimLike) -> Dim:
        terms: dict[Monomial, int] = {}
        for left, a in self.terms:
            for right, b in dim(other).terms:
                monomial = tuple(sorted(left + right, key=_atom_key))
                terms[monomial] = terms.get(monomial, 0) + a * b
        return Dim(terms)

    __rmul__ = __mul__

    def __pow__(self, exponent: int) -> Dim:
        if exponent < 0:
            raise OutsideFragment(f"a negative power of {self}")
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
        return _floor_divide(self, by)

    def __rfloordiv__(self, other: DimLike) -> Dim:
        return dim(other) // self

    def __mod__(self, divisor: DimLike) -> Dim:
        return self - dim(divisor) * (self // divisor)

    def __rmod__(self, other: DimLike) -> Dim:
        return dim(other) % self

    # ------------------------------------------------------------------ identity and text

    def __eq__(self, other: object) -> bool:
        if isinstance(other, int) and not isinstance(other, bool):
            return self.constant == other
        return isinstance(other, Dim) and self._hash == other._hash and self.terms == other.terms

    def __hash__(self) -> int:
        constant = self.constant
        return hash(constant) if constant is not None else self._hash

    def __reduce__(self) -> tuple[object, ...]:
        return (Dim, (dict(self.terms),))

    def __repr__(self) -> str:
        return f"Dim({self})"

    def __str__(self) -> str:
        if not self.terms:
            return "0"
        text = ""
        for monomial, factor in self.terms:
            sign = ("-" if factor < 0 else "") if not text else (" - " if factor < 0 else " + ")
            text += sign + _term_text(monomial, abs(factor))
        return text


DimLike: TypeAlias = "int | Dim"


def dim(value: DimLike) -> Dim:
    """A Dim from a number or a Dim."""
    return value if isinstance(value, Dim) else Dim({(): value})


def ceil_divide(numerator: DimLike, divisor: int) -> Dim:
    """`numerator / divisor` rounded up."""
    return (dim(numerator) + (divisor - 1)) // divisor


def product(factors: Iterable[DimLike]) -> Dim:
    """The product of all, 1 for none."""
    result = ONE
    for factor in factors:
        result = result * factor
    return result


def exact_quotient(numerator: Dim, divisor: Dim) -> Dim | None:
    """`numerator / divisor` where it is a polynomial with integer coefficients, else None."""
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


def _floor_divide(numerator: Dim, by: int) -> Dim:
    if by == 1:
        return numerator
    outside = {monomial: factor // by for monomial, factor in numerator.terms if monomial}
    inside = {monomial: factor % by for monomial, factor in numerator.terms if monomial}
    constant = numerator.constant_term
    rest = Dim(inside)
    if not rest.terms:
        return Dim(outside) + constant // by
    common = gcd(by, *(factor for _, factor in rest.terms))
    if common > 1:
        return Dim(outside) + _floor_divide(
            Dim({m: f // common for m, f in rest.terms}) + constant // common, by // common
        )
    whole, constant = divmod(constant, by)
    if len(rest.terms) == 1 and rest.terms[0][1] == 1 and len(rest.terms[0][0]) == 1:
        (atom,) = rest.terms[0][0]
        if isinstance(atom, FloorDiv):
            inner = atom.numerator + constant * atom.divisor
            return Dim(outside) + whole + _floor_divide(inner, atom.divisor * by)
    rest = rest + constant
    return Dim(outside) + whole + Dim({(FloorDiv(str(rest), rest, by),): 1})


def _term_text(monomial: Monomial, factor: int) -> str:
    if not monomial:
        return str(factor)
    parts: list[str] = []
    index = 0
    while index < len(monomial):
        atom = monomial[index]
        power = monomial.count(atom)
        text = atom if isinstance(atom, str) else _division_text(atom)
        if not isinstance(atom, str) and (power > 1 or len(monomial) > 1 or factor != 1):
            text = f"({text})"
        parts.append(text if power == 1 else f"{text}**{power}")
        index += power
    return ("" if factor == 1 else f"{factor}*") + "*".join(parts)


def _division_text(atom: FloorDiv) -> str:
    single = len(atom.numerator.terms) == 1 and atom.numerator.terms[0][1] == 1
    simple = single and len(atom.numerator.terms[0][0]) == 1
    return f"{atom.text if simple else f'({atom.text})'}//{atom.divisor}"


ZERO = Dim({})
ONE = Dim({(): 1})
