"""Joint comparisons class by class: each becomes linear, and linear systems are decided exactly.

A residue class that meets the box of sizes gives each symbol as `step * k + first` with k in an
interval. There every comparison is a polynomial relation in the k's; what is linear becomes rows of
a system, what has a known sign becomes boxes, and what is neither makes the class unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product as choices
from math import lcm, prod
from typing import TypeAlias

from archspec.types.condition import Comparison, Relation
from archspec.types.solver.formula import Box
from archspec.types.solver.linear import (
    Row,
    System,
    box_rows,
    feasible,
    greatest,
    smallest,
    unbounded,
)
from archspec.types.solver.periodic import BudgetExceeded, PeriodicSet
from archspec.types.solver.region import KBox, Span, met, region
from archspec.types.solver.residue import Class, Polynomial, periods

WORK_PER_CLASS = 20
"""How much of the budget one class takes: a linear system is more work than a polynomial."""

Branch: TypeAlias = tuple[KBox, list[Row], list[Row]]
"""Intervals, equalities and inequalities that a class comes to."""


@dataclass(slots=True)
class Outcome:
    """What the classes say together: the smallest point, and how far points go."""

    least: tuple[int, tuple[int, ...]] | None = None
    highest: tuple[int, ...] = ()
    infinite: bool = False
    unknown: bool = False


def by_class(box: Box, joints: Sequence[Comparison], budget: int) -> Outcome:
    """The sizes in the box that satisfy all comparisons.

    `least` is their sum and the sizes in the order of the symbols; `highest` bounds each symbol of
    a finite set. Raises BudgetExceeded for too many classes.
    """
    symbols = sorted(box)
    moduli = [_modulus(symbol, box[symbol], joints) for symbol in symbols]
    segments = [_segments(box[s], step) for s, step in zip(symbols, moduli, strict=True)]
    count = prod(map(len, segments)) * len(joints)
    if count * WORK_PER_CLASS > budget:
        raise BudgetExceeded(
            f"{count} residue classes of {', '.join(symbols)} have to be told apart, "
            f"more work than the budget of {budget} allows"
        )
    outcome = Outcome(highest=(0,) * len(symbols))
    for chosen in choices(*segments):
        first = [start for start, _ in chosen]
        spans = {index: span for index, (_, span) in enumerate(chosen)}
        here = Class(symbols, moduli, first)
        for branch in _branches(here, spans, joints, outcome):
            _account(branch, moduli, first, outcome)
    return outcome


def class_count(box: Box, joints: Sequence[Comparison]) -> int:
    """How many residue classes `by_class` would look at, or at most a few times more."""
    return prod(_modulus(s, sizes, joints) * len(sizes.starts) for s, sizes in box.items())


def _modulus(symbol: str, sizes: PeriodicSet, joints: Sequence[Comparison]) -> int:
    needed = [periods(joint.expression).get(symbol, 1) for joint in joints]
    return lcm(sizes.period, *needed)


def _segments(sizes: PeriodicSet, step: int) -> list[tuple[int, Span]]:
    """The set as `(first, (low, high))`: the numbers `step * k + first` for these k."""
    found: list[tuple[int, Span]] = []
    for first in range(1, step + 1):
        for (start, stop), mask in zip(sizes.spans(), sizes.masks, strict=True):
            if not mask >> (first % sizes.period) & 1:
                continue
            low = max(0, -((first - start) // step))
            high = None if stop is None else (stop - 1 - first) // step
            if high is not None and high < low:
                continue
            if found and found[-1][0] == first and found[-1][1][1] == low - 1:
                low = found.pop()[1][0]
            found.append((first, (low, high)))
    return found


def _branches(
    here: Class, spans: KBox, joints: Sequence[Comparison], outcome: Outcome
) -> Iterator[Branch]:
    """The systems whose union the class is; what is not linear and has no boxes is unknown."""
    branches: list[Branch] = [(spans, [], [])]
    unknown = False
    for joint in joints:
        options = _options(here.polynomial(joint.expression), joint.relation, len(here.symbols))
        if options is None:
            unknown = True
            continue
        joined: list[Branch] = []
        for held, equal, rows in branches:
            for box, more_equal, more in options:
                narrowed = met(held, box)
                if narrowed is not None:
                    joined.append((narrowed, equal + more_equal, rows + more))
        branches = joined
    if not unknown:
        yield from branches
    elif any(feasible(_system(branch, len(here.symbols))) for branch in branches):
        outcome.unknown = True


def _options(polynomial: Polynomial, relation: Relation, width: int) -> list[Branch] | None:
    if any(sum(powers) > 1 for powers in polynomial):
        boxes = region(polynomial, relation)
        return None if boxes is None else [(box, [], []) for box in boxes]
    row = [0] * (width + 1)
    for powers, factor in polynomial.items():
        row[powers.index(1) if any(powers) else width] = factor
    against = [-factor for factor in row]
    if relation is Relation.EQUAL:
        return [({}, [tuple(row)], [])]
    if relation is Relation.AT_LEAST:
        return [({}, [], [tuple(row)])]
    row[-1] -= 1
    against[-1] -= 1
    return [({}, [], [tuple(row)]), ({}, [], [tuple(against)])]


def _system(branch: Branch, width: int) -> System:
    spans, equal, rows = branch
    return System(width, tuple(equal), (*box_rows(spans, width), *rows))


def _account(branch: Branch, steps: Sequence[int], first: Sequence[int], outcome: Outcome) -> None:
    """Add what one system contributes."""
    width = len(steps)
    system = _system(branch, width)
    if not feasible(system):
        return
    if not outcome.infinite:
        if unbounded(system):
            outcome.infinite = True
        else:
            top = [steps[i] * greatest(system, i) + first[i] for i in range(width)]
            outcome.highest = tuple(map(max, outcome.highest, top))
    total = sum(first)
    if outcome.least is not None:
        nearer = system.with_rows((*(-step for step in steps), outcome.least[0] - total))
        if not feasible(nearer):
            return
        system = nearer
    point = smallest(system, steps, 0)
    sizes = tuple(step * k + start for step, k, start in zip(steps, point, first, strict=True))
    here = (sum(sizes), sizes)
    outcome.least = here if outcome.least is None else min(outcome.least, here)
