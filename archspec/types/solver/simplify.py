"""Finds a short condition that is equivalent on the allowed sizes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, partial

from archspec.types.atoms import OutsideFragment
from archspec.types.condition import (
    TRUE,
    Condition,
    comparisons,
    conjunction,
    disjunction,
    zero_allowed,
)
from archspec.types.meter import BudgetExceeded, Meter, charge, left, within
from archspec.types.solver.alternatives import without_idle
from archspec.types.solver.formula import (
    NO,
    YES,
    Axis,
    Both,
    Box,
    Either,
    Formula,
    Joint,
    both,
    either,
    symbols_in,
)
from archspec.types.solver.implied import conjuncts, implied, limits
from archspec.types.solver.lower import lower
from archspec.types.solver.origin import back, from_one
from archspec.types.solver.periodic import EVERYTHING
from archspec.types.solver.render import describe

WRITING = 30_000
"""Budget for simplifying one condition, in steps."""

WRITTEN = 2
"""Fixed cost of each comparison to simplify, in steps, besides the reasoning about it."""


def simplify(condition: Condition, given: Condition = TRUE, budget: int = WRITING) -> Condition:
    """The shortest condition found that is equivalent for all sizes that `given` allows.

    Sizes start at 1, or at 0 where `given` has a conjunct `P >= 0`. A condition that takes more
    than `budget` steps is returned unchanged.
    """
    found, steps = _remembered(condition, given, budget)
    charge(steps, "writing a condition in its shortest form")
    return found


@lru_cache(maxsize=4096)
def _remembered(condition: Condition, given: Condition, budget: int) -> tuple[Condition, int]:
    meter = Meter(budget)
    try:
        found = meter.run(partial(_simplified, condition, given))
    except (BudgetExceeded, OutsideFragment):
        found = condition
    return found, min(meter.steps, budget)


def _simplified(condition: Condition, given: Condition) -> Condition:
    zero = zero_allowed(given)
    charge(WRITTEN * (comparisons(condition) + comparisons(given)))
    allowed = lower(from_one(given, zero))
    box = limits(allowed)
    formula = _reduced(lower(from_one(condition, zero)), box)
    parts = _without_implied(list(conjuncts(formula)), allowed)
    found = conjunction(_written(part, box, zero) for part in sorted(parts, key=_place))
    shorter = within(left() // 2, partial(without_idle, found, allowed, zero))
    if shorter is None or comparisons(shorter) == comparisons(found):
        return found
    return _simplified(shorter, given)


def _place(formula: Formula) -> tuple[int, str]:
    return (0 if isinstance(formula, Axis) else 1, ",".join(sorted(symbols_in(formula))))


def _reduced(formula: Formula, box: Box) -> Formula:
    """The formula without parts that the box and the conjuncts on one symbol already decide."""
    match formula:
        case Axis(symbol, sizes):
            allowed = box.get(symbol, EVERYTHING)
            if allowed <= sizes:
                return YES
            return NO if (allowed & sizes).is_empty else formula
        case Joint():
            return formula
        case Either(parts):
            return either([_reduced(part, box) for part in parts])
        case Both(parts):
            own = [_reduced(part, box) for part in parts if isinstance(part, Axis)]
            closer = dict(box)
            for part in own:
                if isinstance(part, Axis):
                    known = closer.get(part.symbol, EVERYTHING)
                    closer[part.symbol] = known & part.sizes
            rest = [_reduced(part, closer) for part in parts if not isinstance(part, Axis)]
            return both([*own, *rest])


def _without_implied(parts: list[Formula], allowed: Formula) -> list[Formula]:
    """The conjuncts without those that are found to be implied by the others.

    Half of the remaining steps are reserved for writing the rest.
    """
    kept = list(parts)
    reserve = left() // 2
    for part in sorted(parts, key=_place):
        others = [other for other in kept if other is not part]
        if within(left() - reserve, partial(_superfluous, part, allowed, others)):
            kept = others
    return kept


def _superfluous(part: Formula, allowed: Formula, others: Sequence[Formula]) -> bool:
    by = [allowed, *others]
    return not _apart(part, by) and implied(part, both(by))


def _apart(part: Formula, others: Sequence[Formula]) -> bool:
    """Whether `part` is an `Axis` whose symbol appears in no other part but an `Axis`."""
    if not isinstance(part, Axis):
        return False
    flat = [inner for other in others for inner in conjuncts(other)]
    charge(1 + len(flat) // 5)
    return all(isinstance(inner, Axis) or part.symbol not in symbols_in(inner) for inner in flat)


def _written(formula: Formula, box: Box, zero: frozenset[str]) -> Condition:
    charge(1)
    match formula:
        case Axis(symbol, sizes):
            return describe(symbol, sizes, box.get(symbol, EVERYTHING), int(symbol in zero))
        case Joint(comparison, _):
            return back(comparison, zero)
        case Both(parts):
            return conjunction(_written(part, box, zero) for part in parts)
        case Either(parts):
            return disjunction(_written(part, box, zero) for part in parts)
