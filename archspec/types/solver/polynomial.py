"""Exact signs of integer-valued polynomials in one variable k = 0, 1, 2, ...

A polynomial is given by its forward differences at 0 (Newton form): `f(k) = sum of
differences[j] * binomial(k, j)`. The first difference of `f` has the same list without its first
entry, so recursion finds the monotone intervals of `f`, and bisection finds the sign changes
within each. All arithmetic is on integers, without rounding.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from archspec.types.meter import charge

Run = tuple[int, int]
"""The first k of a run, and the sign (-1, 0 or 1) until the next run starts."""


def differences(values: Sequence[int]) -> tuple[int, ...]:
    """The Newton form of the polynomial of least degree with the given values at 0, 1, ..."""
    found: list[int] = []
    row = list(values)
    while row:
        found.append(row[0])
        row = [after - before for before, after in pairwise(row)]
    while found and not found[-1]:
        found.pop()
    return tuple(found)


def value_at(newton: Sequence[int], k: int) -> int:
    """The value at `k`."""
    total, binomial = 0, 1
    for j, factor in enumerate(newton):
        total += factor * binomial
        binomial = binomial * (k - j) // (j + 1)
    return total


def sign_runs(newton: tuple[int, ...]) -> list[Run]:
    """The signs of the polynomial over k = 0, 1, 2, ..., as runs of different signs."""
    if len(newton) <= 1:
        return [(0, _sign(newton[0]) if newton else 0)]
    if len(newton) == 2:
        return _linear_runs(newton[0], newton[1])
    slopes = sign_runs(newton[1:])
    runs: list[Run] = []
    for index, (start, slope) in enumerate(slopes):
        end = slopes[index + 1][0] if index + 1 < len(slopes) else None
        for run in _monotone_runs(newton, start, end, slope):
            if not runs or runs[-1][1] != run[1]:
                runs.append(run)
    return runs


def _sign(value: int) -> int:
    return (value > 0) - (value < 0)


def _linear_runs(at_zero: int, slope: int) -> list[Run]:
    direction = _sign(slope)
    distance = -at_zero * direction
    if distance <= 0:
        return [(0, direction)] if distance < 0 else [(0, 0), (1, direction)]
    whole, rest = divmod(distance, abs(slope))
    if rest:
        return [(0, -direction), (whole + 1, direction)]
    return [(0, -direction), (whole, 0), (whole + 1, direction)]


def _monotone_runs(newton: tuple[int, ...], start: int, end: int | None, slope: int) -> list[Run]:
    """The runs on [start, end), where the polynomial is strictly monotone in direction `slope`.

    If `slope` is 0, it is constant there.
    """
    here = _sign(value_at(newton, start))
    runs = [(start, here)]
    if slope == 0 or here == slope:
        return runs
    if here != 0:
        crossing = _first_not_below(newton, start, end, slope)
        if crossing is None:
            return runs
        here = _sign(value_at(newton, crossing))
        runs.append((crossing, here))
    if here == 0 and (end is None or runs[-1][0] + 1 < end):
        runs.append((runs[-1][0] + 1, slope))
    return runs


def _first_not_below(
    newton: tuple[int, ...], start: int, end: int | None, slope: int
) -> int | None:
    """The first k in (start, end) with `slope * value >= 0`, which is negative at `start`."""
    low, step, work = start, 1, 1 + len(newton) // 4
    while True:  # doubling ends: an infinite strictly monotone integer sequence crosses zero
        charge(work)
        high = low + step if end is None else min(low + step, end - 1)
        if slope * value_at(newton, high) >= 0:
            break
        if end is not None and high == end - 1:
            return None
        low, step = high, 2 * step
    while high - low > 1:
        charge(work)
        middle = (low + high) // 2
        if slope * value_at(newton, middle) >= 0:
            high = middle
        else:
            low = middle
    return high
