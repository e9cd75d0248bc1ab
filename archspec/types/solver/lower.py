"""From conditions to formulas by axis: comparisons of several symbols are taken apart.

In this order: an outermost floor division is undone; a product falls into its factors; a product
against a number becomes thresholds for its factors; else every residue class is looked at, and
where the polynomial of each has a known sign there, the comparison is a union of boxes. What stays
together after that is `Joint`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import product as choices
from math import prod

from archspec.types.condition import All, AnyOf, Comparison, Condition, Relation
from archspec.types.dim import ONE, Dim, product
from archspec.types.solver.factor import content, exact, factors
from archspec.types.solver.formula import (
    NO,
    YES,
    Box,
    Formula,
    Joint,
    axis,
    both,
    either,
    from_boxes,
    merged,
)
from archspec.types.solver.periodic import (
    EVERYTHING,
    PeriodicSet,
    interval,
    residues,
)
from archspec.types.solver.region import KBox, region
from archspec.types.solver.residue import Class, periods
from archspec.types.solver.univariate import solve, unwrapped

READABLE_BOXES = 3
"""A comparison that comes apart into more boxes than this is shown as it was written."""

MAX_CORNERS = 512
"""Thresholds that a product against a number may come apart into."""


def lower(condition: Condition, budget: int) -> Formula:
    """The formula by axis of a condition.

    Raises BudgetExceeded where a comparison in one symbol has too many residue classes.
    """
    if isinstance(condition, All):
        return both([lower(part, budget) for part in condition.parts])
    if isinstance(condition, AnyOf):
        return either([lower(part, budget) for part in condition.parts])
    return _lowered(condition, budget)


@lru_cache(maxsize=4096)
def _lowered(comparison: Comparison, budget: int) -> Formula:
    symbols = comparison.expression.symbols
    if not symbols:
        return _truth(comparison)
    if len(symbols) == 1:
        (symbol,) = symbols
        return axis(symbol, solve(comparison, budget))
    expression, relation = unwrapped(comparison.expression, comparison.relation)
    expression = reduced(expression, relation)
    if expression != comparison.expression:
        return _lowered(Comparison(expression, relation), budget)
    parts = [part for part in factors(expression) if part.constant is None]
    if len(parts) > 1:
        return _of_product(parts, content(expression), relation, budget)
    threshold = _threshold(comparison, budget)
    if threshold is not None:
        return threshold
    return _by_class(comparison, budget)


def _truth(comparison: Comparison) -> Formula:
    value = comparison.expression.constant or 0
    match comparison.relation:
        case Relation.EQUAL:
            return YES if value == 0 else NO
        case Relation.UNEQUAL:
            return YES if value != 0 else NO
        case Relation.AT_LEAST:
            return YES if value >= 0 else NO


def reduced(expression: Dim, relation: Relation) -> Dim:
    """The same comparison with the smallest coefficients: `3 * H - 7 >= 0` is `H - 3 >= 0`."""
    constant = expression.constant_term
    varying = expression - constant
    common = abs(content(varying))
    if common <= 1:
        return expression
    if relation is not Relation.AT_LEAST and constant % common:
        return ONE
    return exact(varying, common) + constant // common


def _of_product(parts: Sequence[Dim], sign: int, relation: Relation, budget: int) -> Formula:
    if relation is Relation.EQUAL:
        return either([_lowered(Comparison(part, relation), budget) for part in parts])
    if relation is Relation.UNEQUAL:
        return both([_lowered(Comparison(part, relation), budget) for part in parts])
    first, rest = parts[0], product(parts[1:])
    return either(
        both(
            [
                _lowered(Comparison(first * one, relation), budget),
                _lowered(Comparison(rest * one * sign, relation), budget),
            ]
        )
        for one in (1, -1)
    )


# ---------------------------------------------------------------------- products against a number


def _threshold(comparison: Comparison, budget: int) -> Formula | None:
    """`c * g1 * g2 * ... RELATION t`, where every g is a function of one symbol, never negative."""
    constant = comparison.expression.constant_term
    varying = comparison.expression - constant
    whole = content(varying)
    parts = [part for part in factors(varying) if part.constant is None]
    if len(parts) < 2 or any(len(part.symbols) > 1 for part in parts):
        return None
    if any(lower(Comparison(part, Relation.AT_LEAST), budget) != YES for part in parts):
        return None
    if constant == 0:
        return None
    at_least, at_most = -(constant // abs(whole)), constant // abs(whole)
    if comparison.relation is Relation.AT_LEAST:
        target = at_least if whole > 0 else at_most
        found = (
            _reaches(parts, target, budget) if whole > 0 else _stays_within(parts, target, budget)
        )
    else:
        target = -constant // whole
        found = _exactly(parts, constant, whole, comparison.relation, budget)
    if found is None:
        return None
    return found if target <= 2 else Joint(comparison, found)


def _reaches(parts: Sequence[Dim], target: int, budget: int) -> Formula | None:
    """The product is at least `target`."""
    if target <= 0:
        return YES
    if target <= 2:
        positive = [_at_least(part, 1, budget) for part in parts]
        some = either([_at_least(part, target, budget) for part in parts])
        return both([*positive, some])
    if target > MAX_CORNERS**2:
        return None
    first, rest = parts[0], parts[1:]
    if not rest:
        return _at_least(first, target, budget)
    found = []
    for low in _corners(target - 1):
        # From `low` on, the others need no more than this.
        inner = _reaches(rest, -(-target // low), budget)
        if inner is None:
            return None
        found.append(both([_at_least(first, low, budget), inner]))
    return either(
        [*found, both([_at_least(first, target, budget), _reaches(rest, 1, budget) or NO])]
    )


def _corners(number: int) -> list[int]:
    """Each v where `(number // v)` is smaller than for v - 1, and 1."""
    found, v = [], 1
    while v <= number:
        found.append(v)
        v = number // (number // v) + 1
    return found


def _stays_within(parts: Sequence[Dim], bound: int, budget: int) -> Formula | None:
    """The product is at most `bound`."""
    if bound < 0:
        return NO
    first, rest = parts[0], parts[1:]
    if not rest:
        return lower(Comparison(bound - first, Relation.AT_LEAST), budget)
    if bound > MAX_CORNERS**2:
        return None
    found = [lower(Comparison(first, Relation.EQUAL), budget)]
    zero = _stays_within(rest, 0, budget)
    if zero is None:
        return None
    found.append(zero)
    for low in _corners(bound):
        high = bound // (bound // low)
        inner = _stays_within(rest, bound // low, budget)
        if inner is None:
            return None
        found.append(both([lower(Comparison(high - first, Relation.AT_LEAST), budget), inner]))
    return either(found)


def _exactly(
    parts: Sequence[Dim], constant: int, whole: int, relation: Relation, budget: int
) -> Formula | None:
    equal = relation is Relation.EQUAL
    if constant % whole or -constant // whole < 0:
        return NO if equal else YES
    target = -constant // whole
    if not equal:
        above = _reaches(parts, target + 1, budget)
        below = _stays_within(parts, target - 1, budget)
        return None if above is None or below is None else either([above, below])
    return _product_is(parts, target, budget)


def _product_is(parts: Sequence[Dim], target: int, budget: int) -> Formula | None:
    if target > MAX_CORNERS**2:
        return None
    first, rest = parts[0], parts[1:]
    if not rest:
        return lower(Comparison(first - target, Relation.EQUAL), budget)
    found = []
    for divisor in range(1, target + 1):
        if target % divisor == 0:
            here = lower(Comparison(first - divisor, Relation.EQUAL), budget)
            if here != NO:
                found.append(both([here, _product_is(rest, target // divisor, budget) or NO]))
    return either(found)


def _at_least(part: Dim, bound: int, budget: int) -> Formula:
    return lower(Comparison(part - bound, Relation.AT_LEAST), budget)


# ---------------------------------------------------------------------- residue classes


def _by_class(comparison: Comparison, budget: int) -> Formula:
    moduli = periods(comparison.expression)
    symbols = sorted(moduli)
    work = prod(moduli.values()) * len(comparison.expression.terms)
    if work > budget:
        return Joint(comparison)
    boxes: list[Box] = []
    steps = [moduli[symbol] for symbol in symbols]
    for first in choices(*(range(1, step + 1) for step in steps)):
        polynomial = Class(symbols, steps, first).polynomial(comparison.expression)
        found = region(polynomial, comparison.relation)
        if found is None:
            return Joint(comparison)
        boxes += [_sizes(symbols, steps, first, box) for box in found]
    boxes = merged(boxes)
    apart = from_boxes(boxes)
    return apart if len(boxes) <= READABLE_BOXES else Joint(comparison, apart)


def _sizes(symbols: Sequence[str], steps: Sequence[int], first: Sequence[int], box: KBox) -> Box:
    return {
        symbol: class_sizes(steps[index], first[index], *box.get(index, (0, None)))
        for index, symbol in enumerate(symbols)
    }


@lru_cache(maxsize=4096)
def class_sizes(step: int, first: int, low: int, high: int | None) -> PeriodicSet:
    """`step * k + first` for k from `low` to `high`, included."""
    span = interval(step * low + first, None if high is None else step * high + first)
    return (EVERYTHING if step == 1 else residues(step, [first])) & span
