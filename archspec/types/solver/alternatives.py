"""Removes redundant alternatives: those that hold nowhere or only where others do.

A `min` or `max` is written as one case per side. A comparison with it often decides a case or
repeats it: `max(H, W) == W` is `(H > W and H == W) or (W >= H and W == W)`, which is `W >= H`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from archspec.types.condition import (
    All,
    Comparison,
    Condition,
    Relation,
    comparisons,
    conjunction,
    disjunction,
    symbols_of,
)
from archspec.types.meter import left, within
from archspec.types.solver.formula import NO, Formula, both, either
from archspec.types.solver.implied import implied
from archspec.types.solver.lower import lower
from archspec.types.solver.origin import from_one

SHARE = 4
"""One query about an alternative may take 1/SHARE of the remaining steps."""


def without_idle(condition: Condition, by: Formula, zero: frozenset[str]) -> Condition:
    """An equivalent condition on the sizes of `by` without redundant alternatives and clauses.

    An alternative is redundant if others cover it; a clause of an alternative is redundant if
    another alternative holds wherever it fails. Symbols in `zero` are counted from 1 in `by`.
    Parts that would take too many steps are kept.
    """
    if isinstance(condition, Comparison):
        return condition
    parts = list(condition.parts)
    if isinstance(condition, All):
        for at, part in enumerate(parts):
            if not isinstance(part, Comparison):
                rest = [_lowered(other, zero) for other in parts if other is not part]
                parts[at] = without_idle(part, both([by, *rest]), zero)
        return conjunction(parts)
    if len(symbols_of(condition)) < 2:
        return condition  # its pieces are disjoint already
    parts = [without_idle(part, by, zero) for part in parts]
    parts = [part for part in parts if not _follows(NO, [part], by, zero)]
    for at, part in enumerate(parts):
        if isinstance(part, All):
            parts[at] = _widened(part, parts[:at] + parts[at + 1 :], by, zero)
    for part in sorted(parts, key=comparisons, reverse=True):
        others = [other for other in parts if other is not part]
        if _follows(_any(others, zero), [part], by, zero):
            parts = others
    return disjunction(_joined(parts))


def _joined(parts: Sequence[Condition]) -> list[Condition]:
    """The alternatives with `H == W or H >= W + 1` merged into `H >= W`."""
    found = list(parts)
    for part in parts:
        if not isinstance(part, Comparison) or part.relation is not Relation.EQUAL:
            continue
        for side in (part.expression, -part.expression):
            above = Comparison(side - 1, Relation.AT_LEAST)
            if above in found and part in found:
                found[found.index(above)] = Comparison(side, Relation.AT_LEAST)
                found.remove(part)
    return found


def _widened(
    part: All, others: Sequence[Condition], by: Formula, zero: frozenset[str]
) -> Condition:
    """The alternative without clauses that fail only where one of the others holds."""
    kept = list(part.parts)
    for clause in part.parts:
        rest = [other for other in kept if other is not clause]
        if _follows(_any([clause, *others], zero), rest, by, zero):
            kept = rest
    return conjunction(kept)


def _follows(
    wanted: Formula, parts: Sequence[Condition], by: Formula, zero: frozenset[str]
) -> bool:
    """Whether `wanted` is proved to hold wherever `by` and all the conditions do."""
    whole = both([by, *(_lowered(part, zero) for part in parts)])
    return bool(within(left() // SHARE, partial(implied, wanted, whole)))


def _any(parts: Sequence[Condition], zero: frozenset[str]) -> Formula:
    return either([_lowered(part, zero) for part in parts])


def _lowered(condition: Condition, zero: frozenset[str]) -> Formula:
    return lower(from_one(condition, zero))
