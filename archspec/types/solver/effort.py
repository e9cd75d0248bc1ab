"""How long the lowering of a condition takes, from its form alone.

Lowered comparisons are remembered between questions, so the time that one really took says little.
An estimate is the same each time, and a caller can count it against a budget of its own.
"""

from __future__ import annotations

from functools import lru_cache
from math import prod

from archspec.types.atoms import FloorDiv
from archspec.types.condition import Comparison, Condition
from archspec.types.dim import Dim
from archspec.types.solver.budget import BUDGET
from archspec.types.solver.residue import degree, periods, weight

PRODUCTS = 32
"""Products of coefficients that take as long as one unit."""


def effort(condition: Condition) -> int:
    """Units of work, some ten microseconds each, to lower a condition; never above BUDGET each."""
    if isinstance(condition, Comparison):
        return _of_comparison(condition.expression)
    return sum(effort(part) for part in condition.parts)


@lru_cache(maxsize=4096)
def _of_comparison(expression: Dim) -> int:
    classes = prod(periods(expression).values())
    if len(expression.symbols) < 2 or classes * weight(expression) > BUDGET:
        return 1  # solved as a whole, or left as it is
    return min(BUDGET, 1 + classes * _products(expression) // PRODUCTS)


def _products(expression: Dim) -> int:
    """Products of coefficients to write it as a polynomial of its symbols on one class."""
    width = len(expression.symbols)
    total = 0
    for monomial, _ in expression.terms:
        reached = 1
        for atom in monomial:
            inner = 1
            if isinstance(atom, FloorDiv):
                total += _products(atom.numerator)
                inner = degree(atom.numerator)
            total += _terms(reached, width) * _terms(inner, width)
            reached += inner
    return total


def _terms(power: int, width: int) -> int:
    """About how many terms a polynomial of this degree has."""
    return int(power ** min(width, 3)) + 1
