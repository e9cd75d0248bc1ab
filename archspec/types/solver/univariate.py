"""Comparisons in one symbol, solved exactly: the set of sizes where they hold."""

from __future__ import annotations

from functools import lru_cache
from math import gcd

from archspec.types.atoms import FloorDiv
from archspec.types.condition import Comparison, Relation
from archspec.types.dim import Dim
from archspec.types.solver.budget import BudgetExceeded
from archspec.types.solver.periodic import (
    EMPTY,
    EVERYTHING,
    PeriodicSet,
    from_events,
)
from archspec.types.solver.polynomial import differences, sign_runs
from archspec.types.solver.residue import degree, periods, values, weight

WORK = 20
"""Evaluations of one term or division that count as one unit of the budget."""

_WANTED = {
    Relation.EQUAL: frozenset({0}),
    Relation.UNEQUAL: frozenset({-1, 1}),
    Relation.AT_LEAST: frozenset({0, 1}),
}


def solve(comparison: Comparison, budget: int) -> PeriodicSet:
    """The sizes where a comparison in one symbol holds.

    Raises BudgetExceeded when its residue classes are more work than `budget`.
    """
    expression = comparison.expression
    (symbol,) = expression.symbols
    anonymous = expression if symbol == "n" else expression.substitute({symbol: _N})
    try:
        return _solved(anonymous, comparison.relation, budget)
    except BudgetExceeded as fault:
        raise BudgetExceeded(f"`{expression}` {fault}") from None


@lru_cache(maxsize=4096)
def _solved(expression: Dim, relation: Relation, budget: int) -> PeriodicSet:
    expression, relation = unwrapped(expression, relation)
    if expression.constant is not None:
        return EVERYTHING if _holds(expression.constant, relation) else EMPTY
    pair = _two_sided(expression, relation, budget)
    return _swept(expression, relation, budget) if pair is None else pair


def _holds(value: int, relation: Relation) -> bool:
    return (value > 0) - (value < 0) in _WANTED[relation]


def unwrapped(expression: Dim, relation: Relation) -> tuple[Dim, Relation]:
    """An equivalent comparison without an outermost floor division, which needs no residues.

    `e // d >= t` is `e >= d * t`, and `e // d <= t` is `e <= d * t + d - 1`.
    """
    while relation is Relation.AT_LEAST:
        constant = expression.constant_term
        varying = expression - constant
        if len(varying.terms) != 1 or len(varying.terms[0][0]) != 1:
            break
        (monomial, factor) = varying.terms[0]
        (atom,) = monomial
        if not isinstance(atom, FloorDiv):
            break
        if factor > 0:
            expression = atom.numerator - atom.divisor * (-(constant // factor))
        else:
            bound = constant // -factor
            expression = atom.divisor * bound + (atom.divisor - 1) - atom.numerator
    return expression, relation


def _two_sided(expression: Dim, relation: Relation, budget: int) -> PeriodicSet | None:
    """`e // d == t` as two inequalities, so that a large divisor costs nothing."""
    varying = expression - expression.constant_term
    if relation is Relation.AT_LEAST or len(varying.terms) != 1:
        return None
    ((monomial, factor),) = varying.terms
    if len(monomial) != 1 or not isinstance(monomial[0], FloorDiv):
        return None
    if expression.constant_term % factor:
        inside = EMPTY
    else:
        inside = _solved(expression, Relation.AT_LEAST, budget) & _solved(
            -expression, Relation.AT_LEAST, budget
        )
    return inside if relation is Relation.EQUAL else inside.complement()


def _swept(expression: Dim, relation: Relation, budget: int) -> PeriodicSet:
    common = gcd(*(factor for _, factor in expression.terms))
    if common > 1 and relation is not Relation.AT_LEAST:
        expression = Dim({monomial: factor // common for monomial, factor in expression.terms})
    ((_, period),) = periods(expression).items()
    width = degree(expression) + 1
    if period * width * (weight(expression) + width) > WORK * budget:
        raise BudgetExceeded(
            f"has {period} residue classes, which is more work than the budget of {budget} allows"
        )
    found = values(expression, range(1, period * width + 1))
    wanted = _WANTED[relation]
    first, flips = 0, []
    for residue in range(1, period + 1):
        runs = sign_runs(differences(found[residue - 1 :: period]))
        inside = False
        for k, sign in runs:
            if (sign in wanted) is not inside:
                inside = not inside
                flips.append((residue + period * k, residue % period))
    # A class whose first number lies beyond 1 may as well be counted from 1: nothing lies between.
    late = [flip for flip in flips if flip[0] > period]
    for number, residue in flips:
        if number <= period:
            first |= 1 << residue
    return from_events(period, first, late)


_N = Dim.symbol("n")
