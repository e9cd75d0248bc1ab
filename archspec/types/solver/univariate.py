"""Solves comparisons in one symbol exactly: finds the set of sizes where they hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import gcd

from archspec.types.atoms import FloorDiv
from archspec.types.condition import Comparison, Relation
from archspec.types.dim import Dim
from archspec.types.meter import BudgetExceeded, charge, remembered
from archspec.types.solver import masks as bits
from archspec.types.solver.periodic import (
    COMBINING,
    DIGITS,
    EMPTY,
    EVERYTHING,
    PeriodicSet,
    from_rounds,
    periodic,
)
from archspec.types.solver.polynomial import Run, differences, sign_runs
from archspec.types.solver.residue import degree, periods, values, weight

EVALUATIONS = 100
"""Evaluations of a term or division in one step."""

SIGNS = 20
"""Products of coefficients in one step, when finding the signs of a polynomial."""

_WANTED = {
    Relation.EQUAL: frozenset({0}),
    Relation.UNEQUAL: frozenset({-1, 1}),
    Relation.AT_LEAST: frozenset({0, 1}),
}


def solve(comparison: Comparison) -> PeriodicSet:
    """The sizes where a comparison in one symbol holds.

    Raises BudgetExceeded if its residue classes take too much work.
    """
    expression = comparison.expression
    (symbol,) = expression.symbols
    anonymous = expression if symbol == "n" else expression.substitute({symbol: _N})
    try:
        return _solved(anonymous, comparison.relation)
    except BudgetExceeded as fault:
        raise BudgetExceeded(f"`{expression}`: {fault}") from None


def preimage(expression: Dim, wanted: PeriodicSet) -> PeriodicSet:
    """The sizes for which an expression in one symbol is in `wanted`.

    Raises BudgetExceeded as `solve` does.
    """
    found, full = EMPTY, bits.full(wanted.period)
    for (start, stop), mask in zip(wanted.spans(), wanted.masks, strict=True):
        if not mask:
            continue
        held = solve(Comparison(expression - start, Relation.AT_LEAST))
        if stop is not None:
            held = held & solve(Comparison(stop - 1 - expression, Relation.AT_LEAST))
        if mask != full:
            held = held & _with_residue(expression, wanted.period, mask)
        found = found | held
    return found


def _with_residue(expression: Dim, modulus: int, mask: int) -> PeriodicSet:
    """The sizes for which the expression has a residue modulo `modulus` in the mask."""
    ((_, period),) = periods(expression, modulus).items()
    work = 1 + (period * (4 + weight(expression)) + modulus) // EVALUATIONS
    charge(work, f"distinguishing {period} residue classes of `{expression} % {modulus}`")
    held = bits.flags(mask, modulus)
    found = values(expression, range(period))  # its residues repeat with this period from 0 on
    return periodic(period, bits.of_flags(held[value % modulus] for value in found))


@remembered(4096)
def _solved(expression: Dim, relation: Relation) -> PeriodicSet:
    expression, relation = unwrapped(expression, relation)
    if expression.constant is not None:
        return EVERYTHING if _holds(expression.constant, relation) else EMPTY
    charge(2 + weight(expression) // 2)
    pair = _two_sided(expression, relation)
    return _swept(expression, relation) if pair is None else pair


def _holds(value: int, relation: Relation) -> bool:
    return (value > 0) - (value < 0) in _WANTED[relation]


def unwrapped(expression: Dim, relation: Relation) -> tuple[Dim, Relation]:
    """An equivalent comparison without an outermost floor division, so without residues.

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


def _two_sided(expression: Dim, relation: Relation) -> PeriodicSet | None:
    """The sizes for `e // d == t`, solved as two inequalities, so a large divisor is cheap."""
    varying = expression - expression.constant_term
    if relation is Relation.AT_LEAST or len(varying.terms) != 1:
        return None
    ((monomial, factor),) = varying.terms
    if len(monomial) != 1 or not isinstance(monomial[0], FloorDiv):
        return None
    if expression.constant_term % factor:
        inside = EMPTY
    else:
        inside = _solved(expression, Relation.AT_LEAST) & _solved(-expression, Relation.AT_LEAST)
    return inside if relation is Relation.EQUAL else inside.complement()


def _swept(expression: Dim, relation: Relation) -> PeriodicSet:
    common = gcd(*(factor for _, factor in expression.terms))
    if common > 1 and relation is not Relation.AT_LEAST:
        expression = Dim({monomial: factor // common for monomial, factor in expression.terms})
    ((_, period),) = periods(expression).items()
    width = degree(expression) + 1
    what = f"distinguishing {period} residue classes"
    if width <= 2:
        charge(period * (4 + weight(expression)) // EVALUATIONS, what)
        return _of_lines(expression, relation, period)
    charge(period * width * weight(expression) // EVALUATIONS, what)
    charge(period * (10 + width * width) // SIGNS, what)
    found = values(expression, range(1, period * width + 1))
    signs = (sign_runs(differences(found[place::period])) for place in range(period))
    return _from_changes(period, (_changes(runs, _WANTED[relation]) for runs in signs))


def _of_lines(expression: Dim, relation: Relation, period: int) -> PeriodicSet:
    """The sizes for a linear expression; all residue classes have the same slope, maybe 0."""
    found = values(expression, range(1, period + 1))
    slope = expression.evaluate({"n": period + 1}) - found[0]
    if slope:
        ways = {Relation.AT_LEAST: _reaching, Relation.EQUAL: _passing, Relation.UNEQUAL: _passing}
        held = _from_changes(period, (ways[relation](value, slope) for value in found))
        return held.complement() if relation is Relation.UNEQUAL else held
    found.insert(0, found.pop())  # n = period has residue 0
    wanted = _WANTED[relation]
    return periodic(period, bits.of_flags((v > 0) - (v < 0) in wanted for v in found))


def _reaching(value: int, slope: int) -> tuple[int, ...]:
    """The k at which `value + slope * k >= 0` changes; it counts as false before k = 0."""
    if slope > 0:
        return (max(0, -(value // slope)),)
    return () if value < 0 else (0, value // -slope + 1)


def _passing(value: int, slope: int) -> tuple[int, ...]:
    """The k at which `value + slope * k == 0` changes."""
    k, rest = divmod(-value, slope)
    return () if rest or k < 0 else (k, k + 1)


def _changes(runs: Iterable[Run], wanted: frozenset[int]) -> Iterator[int]:
    """The k at which the sign enters or leaves `wanted`."""
    inside = False
    for k, sign in runs:
        if (sign in wanted) is not inside:
            inside = not inside
            yield k


def _from_changes(period: int, changes: Iterable[Iterable[int]]) -> PeriodicSet:
    """The set in which membership of `period * k + n` changes at the k's listed for n = 1, 2, .."""
    rounds: dict[int, list[int]] = {}
    for number, places in enumerate(changes, start=1):
        for k in places:
            rounds.setdefault(k, []).append(number)
    charge(len(rounds.keys() - {0}) * (1 + period // DIGITS), COMBINING)
    flips = {k: bits.of(numbers, period) for k, numbers in rounds.items()}
    return from_rounds(period, flips.pop(0, 0), flips)


_N = Dim.symbol("n")
