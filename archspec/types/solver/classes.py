"""Decides joint comparisons per residue class, where they become linear systems.

In a residue class that intersects the box of sizes, each symbol is `step * k + first` with k in an
interval, and every comparison is a polynomial relation in the k's. Linear relations become rows of
a system, which is decided exactly; relations of known sign become boxes; any other relation makes
the class unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product as choices
from math import lcm, prod
from operator import itemgetter

from archspec.frozen import frozen
from archspec.types.atoms import FloorDiv
from archspec.types.condition import Comparison, Relation
from archspec.types.meter import BudgetExceeded, charge
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
from archspec.types.solver.periodic import PeriodicSet
from archspec.types.solver.region import KBox, Span, intersection, region
from archspec.types.solver.residue import Class, Polynomial, periods, weight

MAX_CLASSES = 20_000
"""Maximum number of residue classes of one conjunction."""

MAX_BRANCHES = 512
"""Maximum number of boxes from combining the polynomials of one class."""


@frozen
class Branch:
    """One case of a class: intervals of the k's, and linear rows."""

    spans: KBox
    equal: tuple[Row, ...] = ()
    at_least: tuple[Row, ...] = ()
    unequal: tuple[Row, ...] = ()


@dataclass(slots=True)
class Outcome:
    """The combined result of all classes: the smallest point and bounds of the points."""

    least: tuple[int, tuple[int, ...]] | None = None
    highest: tuple[int, ...] = ()
    infinite: bool = False
    unknown: bool = False


def by_class(box: Box, joints: Sequence[Comparison]) -> Outcome:
    """The sizes in the box that satisfy all comparisons.

    `least` is the sum of the smallest sizes and the sizes in the order of the symbols; `highest`
    bounds each symbol if the set is finite. Raises BudgetExceeded for too many classes.
    """
    symbols = sorted(box)
    moduli = [_modulus(symbol, box[symbol], joints) for symbol in symbols]
    axes = [(box[symbol], step) for symbol, step in zip(symbols, moduli, strict=True)]
    counts = [sizes.counts_within(step) for sizes, step in axes]
    what = _limited(prod(map(max, counts)), symbols)
    charge(sum(map(sum, counts)) // 10, what)
    segments = [_segments(sizes, step) for sizes, step in axes]
    count = prod(map(len, segments))
    what = _limited(count, symbols)
    charge(count * sum(1 + weight(joint.expression) // 4 for joint in joints), what)
    outcome = Outcome(highest=(0,) * len(symbols))
    shared: dict[tuple[FloorDiv, int], Polynomial] = {}
    for chosen in choices(*segments):
        first = [start for start, _ in chosen]
        spans = {index: span for index, (_, span) in enumerate(chosen)}
        here = Class(symbols, moduli, first, shared)
        for branch in _branches(here, spans, joints, outcome):
            _account(branch, moduli, first, outcome)
    return outcome


def _limited(count: int, symbols: Sequence[str]) -> str:
    """The description of the work for `count` classes. Raises BudgetExceeded for too many."""
    what = f"distinguishing {count} residue classes of {', '.join(symbols)}"
    if count > MAX_CLASSES:
        raise BudgetExceeded(f"{what} takes more work than the limit of {MAX_CLASSES} allows")
    return what


def class_count(box: Box, joints: Sequence[Comparison]) -> int:
    """The number of residue classes that `by_class` would examine, or up to a few times more."""
    return prod(_modulus(s, sizes, joints) * len(sizes.starts) for s, sizes in box.items())


def _modulus(symbol: str, sizes: PeriodicSet, joints: Sequence[Comparison]) -> int:
    needed = [periods(joint.expression).get(symbol, 1) for joint in joints]
    return lcm(sizes.period, *needed)


def _segments(sizes: PeriodicSet, step: int) -> list[tuple[int, Span]]:
    """The set as entries `(first, (low, high))`: numbers `step * k + first`, k in low..high."""
    found: list[tuple[int, int, int | None]] = []
    for (_, stop), members in zip(sizes.spans(), sizes.members_within(step), strict=True):
        for number in members:
            low, before = divmod(number - 1, step)
            found.append((before + 1, low, None if stop is None else (stop - 2 - before) // step))
    found.sort(key=itemgetter(0, 1))
    joined: list[tuple[int, Span]] = []
    for first, low, high in found:
        if joined and joined[-1][0] == first and joined[-1][1][1] == low - 1:
            low = joined.pop()[1][0]
        joined.append((first, (low, high)))
    return joined


def _branches(
    here: Class, spans: KBox, joints: Sequence[Comparison], outcome: Outcome
) -> Iterator[Branch]:
    """The systems whose union is the class.

    A comparison that is neither linear nor a union of boxes makes the outcome unknown.
    """
    branches = [Branch(spans)]
    unknown = False
    for joint in joints:
        options = _options(here.polynomial(joint.expression), joint.relation, len(here.symbols))
        if options is None:
            unknown = True
            continue
        charge(1 + len(branches) * len(options) // 2)
        crossed = [_intersection(one, two) for one in branches for two in options]
        branches = [branch for branch in crossed if branch is not None]
        if len(branches) > MAX_BRANCHES:
            raise BudgetExceeded(f"one residue class has more than {MAX_BRANCHES} boxes")
    if not unknown:
        yield from branches
    elif any(feasible(_system(branch, len(here.symbols))) for branch in branches):
        outcome.unknown = True


def _intersection(one: Branch, two: Branch) -> Branch | None:
    spans = intersection(one.spans, two.spans)
    if spans is None:
        return None
    return Branch(
        spans, one.equal + two.equal, one.at_least + two.at_least, one.unequal + two.unequal
    )


def _options(polynomial: Polynomial, relation: Relation, width: int) -> list[Branch] | None:
    if any(sum(powers) > 1 for powers in polynomial):
        boxes = region(polynomial, relation)
        return None if boxes is None else [Branch(box) for box in boxes]
    row = [0] * (width + 1)
    for powers, factor in polynomial.items():
        row[powers.index(1) if any(powers) else width] = factor
    rows = (tuple(row),)
    if relation is Relation.EQUAL:
        return [Branch({}, equal=rows)]
    if relation is Relation.AT_LEAST:
        return [Branch({}, at_least=rows)]
    return [Branch({}, unequal=rows)]


def _system(branch: Branch, width: int) -> System:
    return System(width, branch.equal, (*box_rows(branch.spans, width), *branch.at_least))


def _account(branch: Branch, steps: Sequence[int], first: Sequence[int], outcome: Outcome) -> None:
    """Add the solutions of one system to the outcome.

    If one point satisfies all rows of `unequal`, so do all but finitely many points of every ray
    from it. So these rows are not needed to decide whether there are infinitely many points.
    """
    width = len(steps)
    whole = _system(branch, width)
    if not feasible(whole):
        return
    total = sum(first)
    system = whole
    if outcome.least is not None and outcome.infinite:
        system = _nearer(whole, steps, outcome.least[0] - total)
    point = _avoiding(system, branch.unequal, steps)
    if point is None:
        return
    sizes = tuple(step * k + start for step, k, start in zip(steps, point, first, strict=True))
    here = (sum(sizes), sizes)
    outcome.least = here if outcome.least is None else min(outcome.least, here)
    if outcome.infinite:
        return
    if unbounded(whole):
        outcome.infinite = True
    else:
        top = [steps[i] * greatest(whole, i) + first[i] for i in range(width)]
        outcome.highest = tuple(map(max, outcome.highest, top))


def _nearer(system: System, steps: Sequence[int], bound: int) -> System:
    return system.with_rows((*(-step for step in steps), bound))


def _avoiding(
    system: System, unequal: Sequence[Row], steps: Sequence[int]
) -> tuple[int, ...] | None:
    """The smallest point where no row of `unequal` is 0; the system is split only where one is."""
    best: tuple[int, tuple[int, ...]] | None = None
    waiting = [system]
    while waiting:
        current = waiting.pop()
        if best is not None:
            current = _nearer(current, steps, best[0])
        if not feasible(current):
            continue
        point = smallest(current, steps, 0)
        hit = next((row for row in unequal if _value(row, point) == 0), None)
        if hit is None:
            here = (_value((*steps, 0), point), point)
            best = here if best is None else min(best, here)
            continue
        waiting.append(current.with_rows((*hit[:-1], hit[-1] - 1)))
        waiting.append(current.with_rows((*(-factor for factor in hit[:-1]), -hit[-1] - 1)))
    return None if best is None else best[1]


def _value(row: Row, point: Sequence[int]) -> int:
    return sum(a * x for a, x in zip(row, (*point, 1), strict=True))
