"""The atoms of symbolic dimensions other than symbols: floor divisions, and min and max of two."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from archspec.types.dim import Dim

MAX_BITS = 4_096
"""Maximum length of a coefficient, in bits."""

MAX_DIVISION_TEXT = 2_000
"""Maximum text length of the numerator of a division or of an extreme, in characters."""

MAX_DEGREE = 64
"""Maximum number of factors in one term; a division counts with the degree of its numerator."""

MAX_NESTING = 32
"""Maximum nesting depth of divisions that do not merge into one."""


class OutsideFragment(Exception):
    """An expression that symbolic dimensions do not support; the message names it."""


class FloorDiv:
    """`numerator // divisor`, rounded down, with a constant divisor greater than 1."""

    __slots__ = ("_hash", "degree", "depth", "divisor", "extremes", "numerator", "symbols", "text")

    degree: int
    """Maximum number of symbols multiplied in one term, including those in divisions."""

    depth: int
    """Nesting depth of divisions and extremes, including this one."""

    def __init__(self, numerator: Dim, divisor: int) -> None:
        self.depth = _depth(numerator)
        self.text = str(numerator)
        long = len(self.text) > MAX_DIVISION_TEXT or divisor.bit_length() > MAX_BITS
        if long or self.depth > MAX_NESTING:
            raise OutsideFragment("a size with too many nested floor divisions")
        self.degree = _degree(numerator)
        if self.degree > MAX_DEGREE:
            raise OutsideFragment(f"a size of a degree above {MAX_DEGREE}")
        self.numerator = numerator
        self.divisor = divisor
        self.symbols: frozenset[str] = numerator.symbols
        self.extremes: frozenset[Extreme] = numerator.extremes
        self._hash = hash((self.text, divisor))

    def evaluate(self, sizes: Mapping[str, int]) -> int:
        """Its value at given sizes."""
        return self.numerator.evaluate(sizes) // self.divisor

    def __eq__(self, other: object) -> bool:
        return self is other or (
            isinstance(other, FloorDiv)
            and self.divisor == other.divisor
            and self.numerator == other.numerator
        )

    def __hash__(self) -> int:
        return self._hash

    def __reduce__(self) -> tuple[object, ...]:
        return (FloorDiv, (self.numerator, self.divisor))

    def __repr__(self) -> str:
        return f"FloorDiv({self.text!r}, {self.divisor})"


class Extreme:
    """`min(a, b)` or `max(a, b)`, with the sides sorted by their text, numbers last.

    Conditions contain no extremes: `archspec.types.condition` writes one case per side.
    """

    __slots__ = ("_hash", "degree", "depth", "extremes", "name", "sides", "symbols", "text")

    def __init__(self, name: Literal["min", "max"], sides: tuple[Dim, Dim]) -> None:
        self.depth = max(map(_depth, sides))
        self.name: Literal["min", "max"] = name
        left, right = sorted(sides, key=lambda side: (side.constant is not None, str(side)))
        self.sides = (left, right)
        self.text = f"{name}({left}, {right})"
        if len(self.text) > MAX_DIVISION_TEXT or self.depth > MAX_NESTING:
            raise OutsideFragment("too many nested `min` and `max` of sizes")
        self.degree = max(map(_degree, sides))
        self.symbols: frozenset[str] = left.symbols | right.symbols
        self._hash = hash(self.text)
        self.extremes: frozenset[Extreme] = frozenset({self}) | left.extremes | right.extremes

    def evaluate(self, sizes: Mapping[str, int]) -> int:
        """Its value at given sizes."""
        left, right = (side.evaluate(sizes) for side in self.sides)
        return min(left, right) if self.name == "min" else max(left, right)

    def __eq__(self, other: object) -> bool:
        return self is other or (
            isinstance(other, Extreme) and self.name == other.name and self.sides == other.sides
        )

    def __hash__(self) -> int:
        return self._hash

    def __reduce__(self) -> tuple[object, ...]:
        return (Extreme, (self.name, self.sides))

    def __repr__(self) -> str:
        return f"Extreme({self.text!r})"


def _depth(inside: Dim) -> int:
    return 1 + max((atom.depth for atom in inside.atoms if not isinstance(atom, str)), default=0)


def _degree(inside: Dim) -> int:
    degrees = (
        sum(1 if isinstance(atom, str) else atom.degree for atom in monomial)
        for monomial, _ in inside.terms
    )
    return max(degrees, default=0)
