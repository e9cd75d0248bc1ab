"""Integer points of linear systems: existence, whether infinitely many, and the smallest.

Equalities are solved by unimodular substitutions, inequalities by exact elimination of variables
(W. Pugh, The Omega test, Communications of the ACM 35(8), 1992): if an elimination is not exact,
its dark shadow can prove a point, and splinters cover the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import gcd
from typing import TypeAlias

from archspec.frozen import frozen
from archspec.types.meter import charge

Row: TypeAlias = tuple[int, ...]
"""The coefficients of the variables, then the constant: `row . (x, 1)`."""

COEFFICIENTS = 25
"""Coefficients of rows that are read or combined in one step."""

WHAT = "combining linear relations between the sizes"
"""The name of the work in error messages."""


@frozen
class System:
    """`row . (x, 1) == 0` for each of `equal`, `>= 0` for each of `at_least`; x are integers."""

    width: int
    equal: tuple[Row, ...] = ()
    at_least: tuple[Row, ...] = ()

    def with_rows(self, *rows: Row) -> System:
        """The system with additional inequalities."""
        return System(self.width, self.equal, self.at_least + rows)


def feasible(system: System) -> bool:
    """Whether some integer point satisfies the system."""
    reduced = _without_equalities(system)
    return reduced is not None and _has_point(reduced)


def unbounded(system: System) -> bool:
    """Whether a feasible system of variables bounded below has infinitely many integer points.

    It does if its recession cone has more than the origin, which rational points decide.
    """
    width = system.width
    rows = [(*row[:-1], 0) for row in system.at_least]
    for row in system.equal:
        rows += [(*row[:-1], 0), (*(-factor for factor in row[:-1]), 0)]
    rows.append((*([1] * width), -1))
    for index in range(width):
        rows.append((*(int(place == index) for place in range(width)), 0))
    while rows and width:
        shadow = _shadow(rows, width - 1, dark=False)
        if shadow is None:
            return False
        rows, width = shadow, width - 1
    return all(row[-1] >= 0 for row in rows)


def smallest(system: System, weights: Sequence[int], least: int) -> tuple[int, ...]:
    """The point of a feasible system with the smallest `weights . x >= least`.

    Ties are broken lexicographically. Every variable is bounded below.
    """
    fixed = system
    cost = _least_value(fixed, weights, least)
    fixed = fixed.with_rows((*(-weight for weight in weights), cost))
    point = []
    for index in range(system.width):
        unit = [int(place == index) for place in range(system.width)]
        value = _least_value(fixed, unit, 0)
        fixed = fixed.with_rows((*(-factor for factor in unit), value))
        point.append(value)
    return tuple(point)


def _least_value(system: System, weights: Sequence[int], least: int) -> int:
    """The smallest value of `weights . x` that is at least `least`."""

    def reachable(bound: int) -> bool:
        return feasible(system.with_rows((*(-weight for weight in weights), bound)))

    low, step = least, 1
    if reachable(low):
        return low
    while not reachable(low + step):
        low, step = low + step, 2 * step
    high = low + step
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if reachable(middle) else (middle, high)
    return high


def greatest(system: System, index: int) -> int:
    """The largest value, at least 0, of the variable `index`, which is bounded above."""
    unit = [int(place == index) for place in range(system.width)]
    low, step = 0, 1
    while feasible(system.with_rows((*unit, -(low + step)))):
        low, step = low + step, 2 * step
    high = low + step
    while high - low > 1:
        middle = (low + high) // 2
        inside = feasible(system.with_rows((*unit, -middle)))
        low, high = (middle, high) if inside else (low, middle)
    return low


# ---------------------------------------------------------------------- equalities


def _without_equalities(system: System) -> list[Row] | None:
    """Inequalities that have an integer point if and only if the system has one; None: none."""
    equal, rows = list(system.equal), list(system.at_least)
    while equal:
        row = equal.pop()
        charge(1 + 2 * _coefficients([row, *equal, *rows]) // COEFFICIENTS, WHAT)
        common = gcd(*row[:-1])
        if common == 0:
            if row[-1]:
                return None
            continue
        if row[-1] % common:
            return None
        row = tuple(factor // common for factor in row)
        index = min((abs(f), i) for i, f in enumerate(row[:-1]) if f)[1]
        pivot = row[index]
        # x_index = t - sum of quotients * x: unimodular, and smaller coefficients remain.
        change = tuple(0 if i == index else f // pivot for i, f in enumerate(row[:-1]))
        if abs(pivot) == 1:
            whole = (*change, row[-1] * pivot)
            equal = [_replaced(each, index, whole, keep=False) for each in equal]
            rows = [_replaced(each, index, whole, keep=False) for each in rows]
            continue
        whole = (*change, 0)
        equal = [_replaced(each, index, whole, keep=True) for each in (*equal, row)]
        rows = [_replaced(each, index, whole, keep=True) for each in rows]
    return rows


def _replaced(row: Row, index: int, change: Row, *, keep: bool) -> Row:
    """The row with `x_index = t - change . (x, 1)`; t replaces x_index if `keep`, else it is 0."""
    factor = row[index]
    if not factor:
        return row
    result = [a - factor * b for a, b in zip(row, change, strict=True)]
    result[index] = factor if keep else 0
    return tuple(result)


# ---------------------------------------------------------------------- inequalities


def _has_point(rows: Sequence[Row]) -> bool:
    charge(1 + 3 * _coefficients(rows) // COEFFICIENTS, WHAT)
    tight = _tight(rows)
    if tight is None:
        return False
    width = len(tight[0]) - 1 if tight else 0
    index = _next_variable(tight, width)
    if index is None:
        return True
    exact = _is_exact(tight, index)
    shadow = _shadow(tight, index, dark=False)
    if exact:
        return shadow is not None and _has_point(shadow)
    if shadow is None or not _has_point(shadow):
        return False
    dark = _shadow(tight, index, dark=True)
    if dark is not None and _has_point(dark):
        return True
    return _in_splinters(tight, index)


def _tight(rows: Iterable[Row]) -> list[Row] | None:
    """The strongest row of each direction, without common factors; None on a contradiction."""
    best: dict[Row, int] = {}
    for row in rows:
        common = gcd(*row[:-1])
        if common == 0:
            if row[-1] < 0:
                return None
            continue
        direction = tuple(factor // common for factor in row[:-1])
        constant = row[-1] // common
        best[direction] = min(best.get(direction, constant), constant)
    for direction, constant in best.items():
        against = best.get(tuple(-factor for factor in direction))
        if against is not None and constant + against < 0:
            return None
    return [(*direction, constant) for direction, constant in best.items()]


def _next_variable(rows: Sequence[Row], width: int) -> int | None:
    """The variable that is cheapest to eliminate, exact eliminations first; None for none."""
    best: tuple[bool, int, int] | None = None
    for index in range(width):
        above = sum(row[index] > 0 for row in rows)
        below = sum(row[index] < 0 for row in rows)
        if above + below == 0:
            continue
        rank = (not _is_exact(rows, index), above * below - above - below, index)
        best = rank if best is None else min(best, rank)
    return None if best is None else best[2]


def _coefficients(rows: Sequence[Row]) -> int:
    return len(rows) * (8 + len(rows[0])) if rows else 0


def _is_exact(rows: Sequence[Row], index: int) -> bool:
    lower = max((row[index] for row in rows), default=0)
    upper = min((row[index] for row in rows), default=0)
    return lower <= 1 or upper >= -1


def _shadow(rows: Sequence[Row], index: int, *, dark: bool) -> list[Row] | None:
    """The rows after eliminating variable `index`; None on a contradiction.

    With `dark`, every integer point of the result extends to one of the original rows.
    """
    lower = [row for row in rows if row[index] > 0]
    upper = [row for row in rows if row[index] < 0]
    made = len(rows) + 3 * len(lower) * len(upper)
    charge(1 + made * (8 + len(rows[0]) if rows else 8) // COEFFICIENTS, WHAT)
    kept = [_dropped(row, index) for row in rows if not row[index]]
    for low in lower:
        for high in upper:
            a, b = -high[index], low[index]
            joined = [a * x + b * y for x, y in zip(low, high, strict=True)]
            if dark:
                joined[-1] -= (a - 1) * (b - 1)
            kept.append(_dropped(tuple(joined), index))
    return _tight(kept)


def _dropped(row: Row, index: int) -> Row:
    """The row with coefficient `index` set to 0."""
    return (*row[:index], 0, *row[index + 1 :])


def _in_splinters(rows: Sequence[Row], index: int) -> bool:
    """Whether there is a point that the dark shadow misses, just above one of the lower bounds."""
    steepest = max(-row[index] for row in rows)
    for low in (row for row in rows if row[index] > 0):
        factor = low[index]
        for offset in range((steepest * factor - steepest - factor) // steepest + 1):
            row = (*low[:-1], low[-1] - offset)
            if feasible(System(len(row) - 1, (row,), tuple(rows))):
                return True
    return False


def box_rows(spans: Mapping[int, tuple[int, int | None]], width: int) -> list[Row]:
    """The inequalities for the intervals of the variables; a missing one is at least 0."""
    rows: list[Row] = []
    for index in range(width):
        low, high = spans.get(index, (0, None))
        unit = tuple(int(place == index) for place in range(width))
        rows.append((*unit, -low))
        if high is not None:
            rows.append((*(-factor for factor in unit), high))
    return rows
