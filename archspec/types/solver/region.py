"""Finds where a polynomial in several variables k >= 0 is zero, nonzero or nonnegative.

The result is a union of boxes of intervals, or None if the variables cannot be separated.
"""

from __future__ import annotations

from itertools import product as choices
from math import gcd
from typing import TypeAlias

from archspec.types.condition import Relation
from archspec.types.meter import charge
from archspec.types.solver.polynomial import differences, sign_runs
from archspec.types.solver.residue import Polynomial

Span: TypeAlias = tuple[int, int | None]
"""First and last k; None: no upper bound."""

KBox: TypeAlias = dict[int, Span]
"""Intervals by variable index; a missing variable is unrestricted."""

MAX_BOXES = 256
"""Maximum number of boxes for one polynomial; beyond it the polynomial is kept whole."""

BOXES = 5
"""Pairs of boxes compared in one step."""

FEW_STEPS = 2
"""A linear relation with a larger constant is not split; it is left to the linear solver."""

_EVERYWHERE: list[KBox] = [{}]
_NEXT_TO = {
    Relation.EQUAL: frozenset({0}),
    Relation.UNEQUAL: frozenset({-1, 1}),
    Relation.AT_LEAST: frozenset({0, 1}),
}


def region(polynomial: Polynomial, relation: Relation) -> list[KBox] | None:
    """Where `polynomial RELATION 0`."""
    return signs(polynomial, _NEXT_TO[relation])


def signs(polynomial: Polynomial, wanted: frozenset[int]) -> list[KBox] | None:
    """Where the sign of the polynomial is in `wanted`."""
    charge(1 + len(polynomial) // 4)
    seen = set(map(_sign, polynomial.values())) or {0}
    if (len(seen) == 1 and (0,) * _width(polynomial) in polynomial) or not polynomial:
        return _EVERYWHERE if seen <= wanted else []
    used = [i for i in range(_width(polynomial)) if any(powers[i] for powers in polynomial)]
    if len(used) == 1:
        return _in_one(polynomial, used[0], wanted)
    split = _split(polynomial, used)
    if split is not None:
        return _of_product(split[0], split[1], wanted)
    return _by_sign(polynomial, wanted)


def _sign(value: int) -> int:
    return (value > 0) - (value < 0)


def _width(polynomial: Polynomial) -> int:
    return len(next(iter(polynomial), ()))


def _in_one(polynomial: Polynomial, index: int, wanted: frozenset[int]) -> list[KBox]:
    high = max(powers[index] for powers in polynomial)
    charge(high * high)
    sample = [
        sum(factor * k ** powers[index] for powers, factor in polynomial.items())
        for k in range(high + 1)
    ]
    runs = sign_runs(differences(sample))
    ends = [start - 1 for start, _ in runs[1:]] + [None]
    return [
        {index: (start, end)}
        for (start, sign), end in zip(runs, ends, strict=True)
        if sign in wanted
    ]


def _split(polynomial: Polynomial, used: list[int]) -> tuple[Polynomial, Polynomial] | None:
    """The factors `u` and `v` with one variable in `u` and the others in `v`, or None."""
    for index in used:
        rows: dict[tuple[int, ...], dict[int, int]] = {}
        for powers, factor in polynomial.items():
            outside = (*powers[:index], 0, *powers[index + 1 :])
            rows.setdefault(outside, {})[powers[index]] = factor
        common = {outside: gcd(*row.values()) for outside, row in rows.items()}
        first = next(iter(rows))
        pattern = {power: factor // common[first] for power, factor in rows[first].items()}
        if set(pattern) == {0}:
            continue
        weights: Polynomial = {}
        for outside, row in rows.items():
            reduced = {power: factor // common[outside] for power, factor in row.items()}
            if reduced == pattern:
                weights[outside] = common[outside]
            elif reduced == {power: -factor for power, factor in pattern.items()}:
                weights[outside] = -common[outside]
            else:
                break
        else:
            width = _width(polynomial)
            alone = {
                tuple(power if place == index else 0 for place in range(width)): factor
                for power, factor in pattern.items()
            }
            return alone, weights
    return None


def _of_product(left: Polynomial, right: Polynomial, wanted: frozenset[int]) -> list[KBox] | None:
    found: list[KBox] = []
    for one, two in choices((-1, 0, 1), repeat=2):
        if one * two not in wanted:
            continue
        first, second = signs(left, frozenset({one})), signs(right, frozenset({two}))
        if first is None or second is None:
            return None
        charge(len(first) * len(second) // BOXES)
        found += [box for a in first for b in second if (box := intersection(a, b)) is not None]
        if len(found) > MAX_BOXES:
            return None
    return found


def _by_sign(polynomial: Polynomial, wanted: frozenset[int]) -> list[KBox] | None:
    """The boxes if all varying coefficients have one sign, which makes the polynomial monotone."""
    constant = sum(factor for powers, factor in polynomial.items() if not any(powers))
    varying = [factor for powers, factor in polynomial.items() if any(powers)]
    if all(factor < 0 for factor in varying):
        flipped = {powers: -factor for powers, factor in polynomial.items()}
        return _by_sign(flipped, frozenset(-sign for sign in wanted))
    if any(factor < 0 for factor in varying):
        return None
    if constant > 0:
        return _EVERYWHERE if 1 in wanted else []
    return _of_increasing(polynomial, constant, wanted)


def _of_increasing(
    polynomial: Polynomial, constant: int, wanted: frozenset[int]
) -> list[KBox] | None:
    """The boxes for a polynomial that increases in every variable."""
    if len(wanted) == 3:
        return _EVERYWHERE
    if all(sum(powers) <= 1 for powers in polynomial) and not -FEW_STEPS <= constant <= 0:
        return None
    zero, one = _above(polynomial, 0), _above(polynomial, 1)
    if zero is None or one is None:
        return None
    if -1 not in wanted and 1 in wanted:
        return zero if 0 in wanted else one
    below = _without(one if 0 in wanted else zero)
    if below is None:
        return None
    if 1 in wanted:
        return below + one
    if -1 in wanted:
        return below
    charge(len(zero) * len(below) // BOXES)
    return [box for a in zero for b in below if (box := intersection(a, b)) is not None]


def _above(polynomial: Polynomial, least: int) -> list[KBox] | None:
    """The boxes for `polynomial >= least`, given that every varying coefficient is positive."""
    charge(1 + len(polynomial) // 4)
    used = [i for i in range(_width(polynomial)) if any(powers[i] for powers in polynomial)]
    constant = sum(factor for powers, factor in polynomial.items() if not any(powers))
    if constant >= least:
        return [{}]
    if not used:
        return []
    if least - constant > MAX_BOXES:
        return None
    index = used[0]
    found: list[KBox] = []
    before: list[KBox] = []
    # From k = least - constant on, each term with this variable is either 0 or large enough.
    for k in range(least - constant + 1):
        inner = _above(_fixed(polynomial, index, k), least)
        if inner is None or len(found) > MAX_BOXES:
            return None
        if inner != before:
            found += [{**box, index: (k, None)} for box in inner]
        if {} in inner:
            break
        before = inner
    return found


def _fixed(polynomial: Polynomial, index: int, k: int) -> Polynomial:
    result: Polynomial = {}
    for powers, factor in polynomial.items():
        rest = (*powers[:index], 0, *powers[index + 1 :])
        result[rest] = result.get(rest, 0) + factor * k ** powers[index]
    return {powers: factor for powers, factor in result.items() if factor}


def _without(boxes: list[KBox]) -> list[KBox] | None:
    """The complement of a union of up-sets `k_i >= a_i`."""
    left: list[KBox] = [{}]
    for box in boxes:
        lower: list[KBox] = [{i: (0, low - 1)} for i, (low, _) in box.items() if low > 0]
        charge(1 + len(left) * len(lower) // BOXES)
        left = _maximal(
            [both for a in left for b in lower if (both := intersection(a, b)) is not None]
        )
        if len(left) > MAX_BOXES:
            return None
    return left


def _maximal(boxes: list[KBox]) -> list[KBox]:
    kept: list[KBox] = []
    for box in sorted(boxes, key=len):
        charge(1 + len(kept) // BOXES)
        if not any(_covers(other, box) for other in kept):
            kept.append(box)
    return kept


def _covers(large: KBox, small: KBox) -> bool:
    for index, (_, high) in large.items():
        other = small.get(index)
        if other is None or other[1] is None or (high is not None and other[1] > high):
            return False
    return True


def intersection(left: KBox, right: KBox) -> KBox | None:
    """The intersection of two boxes; None if it is empty."""
    box = dict(left)
    for index, (low, high) in right.items():
        if index in box:
            first, last = box[index]
            low = max(low, first)
            high = last if high is None else high if last is None else min(high, last)
        if high is not None and high < low:
            return None
        box[index] = (low, high)
    return box
