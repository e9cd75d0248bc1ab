"""From sets of sizes back to conditions that a person would have written.

`describe` finds, within the sizes that are allowed anyway, a short condition for a set: a
congruence of the smallest modulus, bounds, and single exceptions, in that order of liking. Every
proposal is checked against the set before it is used.
"""

from __future__ import annotations

from functools import lru_cache
from math import lcm

from archspec.types.condition import (
    FALSE,
    TRUE,
    Condition,
    at_least,
    conjunction,
    disjunction,
    divisible,
    equal,
    unequal,
)
from archspec.types.dim import Dim
from archspec.types.solver.periodic import (
    EVERYTHING,
    PeriodicSet,
    interval,
    residues,
)

MAX_EXCEPTIONS = 4
"""Single sizes that are named one by one before pieces are described instead."""


@lru_cache(maxsize=4096)
def describe(symbol: str, wanted: PeriodicSet, allowed: PeriodicSet = EVERYTHING) -> Condition:
    """A short condition that, among the `allowed` sizes, holds for the `wanted` ones."""
    inside = wanted & allowed
    if inside.is_empty:
        return FALSE
    if allowed <= wanted:
        return TRUE
    name = Dim.symbol(symbol)
    listed = _listed(name, inside)
    if listed is not None:
        return listed
    spread = _spread(name, inside, allowed)
    return _pieces(name, inside, allowed) if spread is None else spread


def _listed(name: Dim, inside: PeriodicSet) -> Condition | None:
    """`H == 3`, or `H == 3 or H == 7`, for very few sizes that are no interval."""
    count = inside.count()
    if count is None or count > 2:
        return None
    members = list(inside.members())
    if count == 2 and members[1] - members[0] == 1 and members[0] == 1:
        return None
    return disjunction(equal(name, member) for member in members)


def _spread(name: Dim, inside: PeriodicSet, allowed: PeriodicSet) -> Condition | None:
    """One congruence between one lower and one upper bound, up to a few exceptions."""
    least, greatest = inside.least, inside.greatest
    assert least is not None
    bounds = interval(least, greatest)
    modulus, members = _congruence(inside, allowed & bounds)
    pattern = residues(modulus, members)
    low, high = _needed(pattern & allowed, least, greatest)
    shape = pattern & interval(low or 1, high) & allowed
    missing, extra = shape - inside, inside - shape
    if not extra.is_empty:
        return None
    count = missing.count()
    if count is None or count > MAX_EXCEPTIONS:
        return None
    parts = [_congruent(name, modulus, members, allowed & interval(low or 1, high))]
    parts += [at_least(name, low)] if low is not None else []
    parts += [at_least(high, name)] if high is not None else []
    parts += [unequal(name, number) for number in missing.members()]
    return conjunction(parts)


def _needed(
    pattern: PeriodicSet, least: int, greatest: int | None
) -> tuple[int | None, int | None]:
    """The bounds that the pattern does not already keep."""
    first = pattern.least
    low = least if first is not None and first < least else None
    if greatest is None:
        return low, None
    return low, greatest if pattern.next_from(greatest + 1) is not None else None


def _congruence(inside: PeriodicSet, allowed: PeriodicSet) -> tuple[int, frozenset[int]]:
    """The smallest modulus whose residues tell the wanted sizes of the last piece from others."""
    start = max(inside.starts[-2:][0] if inside.is_finite else inside.starts[-1], 1)
    here = interval(start, inside.greatest)
    yes, no = inside & here, (allowed - inside) & here
    for modulus in _divisors(inside.period):
        members = _residues(yes, modulus)
        if not members & _residues(no, modulus):
            return modulus, members
    return inside.period, _residues(yes, inside.period)


def _divisors(number: int) -> list[int]:
    return [d for d in range(1, number + 1) if number % d == 0]


def _residues(numbers: PeriodicSet, modulus: int) -> frozenset[int]:
    """The residues that members of the set have."""
    found: set[int] = set()
    period = numbers.period
    whole = lcm(period, modulus)  # what does not occur in a stretch this long never does
    for (start, stop), mask in zip(numbers.spans(), numbers.masks, strict=True):
        end = start + whole if stop is None else min(stop, start + whole)
        for first in range(start, min(end, start + period)):
            if mask >> (first % period) & 1:
                found.update(number % modulus for number in range(first, end, period))
    return frozenset(found)


def _congruent(name: Dim, modulus: int, members: frozenset[int], allowed: PeriodicSet) -> Condition:
    """`name % modulus` is among `members`, from as few congruences as possible."""
    others = _residues(allowed, modulus) - members
    if not others:
        return TRUE
    classes = _cover(modulus, members, others)
    against = _cover(modulus, others, members)
    if len(against) == 1 and len(classes) > 1:
        (step, residue) = against[0]
        return unequal(name % step, residue)
    return disjunction(
        divisible(name, step) if residue == 0 else equal(name % step, residue)
        for step, residue in classes
    )


def _cover(modulus: int, members: frozenset[int], others: frozenset[int]) -> list[tuple[int, int]]:
    """Classes `(step, residue)` that contain all members and none of the others, coarse first."""
    left, found = set(members), []
    for step in _divisors(modulus):
        if not left:
            break
        taken = {other % step for other in others}
        for residue in sorted({member % step for member in left} - taken):
            if any(member % step == residue for member in left):
                found.append((step, residue))
                left = {member for member in left if member % step != residue}
    return found


def _pieces(name: Dim, inside: PeriodicSet, allowed: PeriodicSet) -> Condition:
    """Piece by piece, where no single pattern fits."""
    found: list[Condition] = []
    for (start, stop), mask in zip(inside.spans(), inside.masks, strict=True):
        here = inside & interval(start, None if stop is None else stop - 1)
        if not mask or here.is_empty:
            continue
        listed = _listed(name, here)
        if listed is not None:
            found.append(listed)
            continue
        part = _spread(name, here, allowed)
        found.append(_plainly(name, here) if part is None else part)
    return disjunction(found)


def _plainly(name: Dim, here: PeriodicSet) -> Condition:
    """Bounds and all residues, for one piece."""
    least, greatest = here.least, here.greatest
    assert least is not None
    members = _residues(here, here.period)
    parts: list[Condition] = [at_least(name, least)]
    if greatest is not None:
        parts.append(at_least(greatest, name))
    parts.append(disjunction(equal(name % here.period, member) for member in sorted(members)))
    return conjunction(parts)
