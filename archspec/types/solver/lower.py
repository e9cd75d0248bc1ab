"""Lowers conditions to formulas by axis: comparisons of several symbols are split.

The steps, in order: undo an outermost floor division; split a product into its factors; turn a
comparison of a product with a number into thresholds for the factors; else examine each residue
class: if the signs of all its polynomials are known, the comparison is a union of boxes. A
comparison that cannot be split remains a `Joint`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product as choices
from math import prod

from archspec.types.atoms import FloorDiv
from archspec.types.condition import All, AnyOf, Comparison, Condition, Relation
from archspec.types.dim import ONE, Dim, product
from archspec.types.meter import charge, remembered
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
    joints_in,
    merged,
    opposite,
)
from archspec.types.solver.periodic import (
    EVERYTHING,
    PeriodicSet,
    interval,
    periodic,
)
from archspec.types.solver.region import KBox, region
from archspec.types.solver.residue import Class, Polynomial, periods, weight
from archspec.types.solver.threshold import against_number
from archspec.types.solver.univariate import solve, unwrapped

MAX_WORK = 50_000
"""Maximum number of operations on residue classes to split a comparison; else it stays joint."""

READABLE_BOXES = 3
"""A comparison that splits into more boxes than this is shown as it was written."""


def lower(condition: Condition) -> Formula:
    """The condition as a formula by axis.

    Raises BudgetExceeded if a comparison takes too much work.
    """
    if isinstance(condition, All):
        return both([lower(part) for part in condition.parts])
    if isinstance(condition, AnyOf):
        return either([lower(part) for part in condition.parts])
    return _lowered(condition)


@remembered(4096)
def _lowered(comparison: Comparison) -> Formula:
    charge(2 + len(comparison.expression.terms) // 2)
    symbols = comparison.expression.symbols
    if not symbols:
        return _truth(comparison)
    if len(symbols) == 1:
        (symbol,) = symbols
        return axis(symbol, solve(comparison))
    expression, relation = unwrapped(comparison.expression, comparison.relation)
    expression = reduced(expression, relation)
    if expression != comparison.expression:
        return _lowered(Comparison(expression, relation))
    parts = [part for part in factors(expression) if part.constant is None]
    if len(parts) > 1:
        return _of_product(parts, content(expression), relation)
    threshold = against_number(comparison, _lowered)
    if threshold is not None:
        return threshold
    return _by_class(comparison)


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


def _of_product(parts: Sequence[Dim], sign: int, relation: Relation) -> Formula:
    if relation is Relation.EQUAL:
        return either([_lowered(Comparison(part, relation)) for part in parts])
    if relation is Relation.UNEQUAL:
        return both([_lowered(Comparison(part, relation)) for part in parts])
    first, rest = parts[0], product(parts[1:])
    return either(
        both(
            [
                _lowered(Comparison(first * one, relation)),
                _lowered(Comparison(rest * one * sign, relation)),
            ]
        )
        for one in (1, -1)
    )


# ---------------------------------------------------------------------- residue classes


def _by_class(comparison: Comparison) -> Formula:
    moduli = periods(comparison.expression)
    symbols = sorted(moduli)
    work = prod(moduli.values()) * weight(comparison.expression)
    if work > MAX_WORK:
        return Joint(comparison)
    if comparison.relation is Relation.UNEQUAL:
        agreed = _lowered(Comparison(comparison.expression, Relation.EQUAL))
        if not joints_in(agreed):
            return opposite(agreed)
    boxes: list[Box] = []
    shared: dict[tuple[FloorDiv, int], Polynomial] = {}
    steps = [moduli[symbol] for symbol in symbols]
    for first in choices(*(range(1, step + 1) for step in steps)):
        polynomial = Class(symbols, steps, first, shared).polynomial(comparison.expression)
        found = region(polynomial, comparison.relation)
        if found is None:
            return Joint(comparison)
        charge(len(found))
        boxes += [_sizes(symbols, steps, first, box) for box in found]
    boxes = merged(boxes)
    apart = from_boxes(boxes)
    return apart if len(boxes) <= READABLE_BOXES else Joint(comparison, apart)


def _sizes(symbols: Sequence[str], steps: Sequence[int], first: Sequence[int], box: KBox) -> Box:
    return {
        symbol: class_sizes(steps[index], first[index], *box.get(index, (0, None)))
        for index, symbol in enumerate(symbols)
    }


@remembered(4096)
def class_sizes(step: int, first: int, low: int, high: int | None) -> PeriodicSet:
    """The numbers `step * k + first` for k from `low` to `high`, inclusive."""
    span = interval(step * low + first, None if high is None else step * high + first)
    return (EVERYTHING if step == 1 else periodic(step, 1 << first % step)) & span
