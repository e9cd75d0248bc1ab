"""From sets of sizes back to conditions that a person would have written.

`describe` finds, within the sizes that are allowed anyway, a short condition for a set: a
congruence of the smallest modulus, bounds, and single exceptions, in that order of liking. Every
proposal is checked against the set before it is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from archspec.frozen import frozen
from archspec.types.condition import (
    FALSE,
    TRUE,
    Condition,
    at_least,
    conjunction,
    disjunction,
    equal,
    unequal,
)
from archspec.types.dim import Dim
from archspec.types.meter import charge, remembered
from archspec.types.solver import masks as bits
from archspec.types.solver.periodic import (
    EVERYTHING,
    PeriodicSet,
    divisors,
    interval,
    periodic,
)

MAX_EXCEPTIONS = 4
"""Single sizes that are named one by one before pieces are described instead."""


CONGRUENCE = 4
"""Steps to write that a size has a residue."""


@frozen
class _Name:
    """A symbol, and by how much the numbers of its set are larger than its sizes."""

    symbol: Dim
    offset: int

    def remainder(self, step: int, residue: int) -> tuple[Dim, int]:
        """What says that a number of the set has a residue: a remainder, and what it is."""
        return self.symbol % step, (residue - self.offset) % step


@remembered(4096)
def describe(
    symbol: str, wanted: PeriodicSet, allowed: PeriodicSet = EVERYTHING, offset: int = 0
) -> Condition:
    """A short condition that, among the `allowed` sizes, holds for the `wanted` ones.

    Where sizes are counted from 1 although the symbol begins at 0, `offset` is 1.
    """
    inside = wanted & allowed
    if inside.is_empty:
        return FALSE
    if allowed <= wanted:
        return TRUE
    name = _Name(Dim.symbol(symbol), offset)
    listed = _listed(name, inside)
    if listed is not None:
        return listed
    spread = _spread(name, inside, allowed)
    return _pieces(name, inside, allowed) if spread is None else spread


def _listed(name: _Name, inside: PeriodicSet) -> Condition | None:
    """`H == 3`, or `H == 3 or H == 7`, for very few sizes that are no interval."""
    count = inside.count()
    if count is None or count > 2:
        return None
    members = list(inside.members())
    if count == 2 and members[1] - members[0] == 1 and members[0] == 1:
        return None
    return disjunction(equal(name.symbol, member - name.offset) for member in members)


def _spread(name: _Name, inside: PeriodicSet, allowed: PeriodicSet) -> Condition | None:
    """One congruence between one lower and one upper bound, up to a few exceptions."""
    least, greatest = inside.least, inside.greatest
    assert least is not None
    bounds = interval(least, greatest)
    modulus, members = _congruence(inside, allowed & bounds)
    pattern = periodic(modulus, members)
    low, high = _needed(pattern & allowed, least, greatest)
    shape = pattern & interval(low or 1, high) & allowed
    missing, extra = shape - inside, inside - shape
    if not extra.is_empty:
        return None
    count = missing.count()
    if count is None or count > MAX_EXCEPTIONS:
        return None
    parts = [_congruent(name, modulus, members, allowed & interval(low or 1, high))]
    size, offset = name.symbol, name.offset
    parts += [at_least(size, low - offset)] if low is not None else []
    parts += [at_least(high - offset, size)] if high is not None else []
    parts += [unequal(size, number - offset) for number in missing.members()]
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


def _congruence(inside: PeriodicSet, allowed: PeriodicSet) -> tuple[int, int]:
    """The smallest modulus whose residues tell the wanted sizes of the last piece from others."""
    start = max(inside.starts[-2:][0] if inside.is_finite else inside.starts[-1], 1)
    here = interval(start, inside.greatest)
    yes, no = inside & here, (allowed - inside) & here
    for modulus in divisors(inside.period):
        members = yes.residues_modulo(modulus)
        if not members & no.residues_modulo(modulus):
            return modulus, members
    return inside.period, yes.residues_modulo(inside.period)


def _congruent(name: _Name, modulus: int, members: int, allowed: PeriodicSet) -> Condition:
    """`name % modulus` is in the mask `members`, from as few congruences as possible."""
    others = allowed.residues_modulo(modulus) & ~members
    if not others:
        return TRUE
    classes = list(_cover(modulus, members, others))
    against = list(islice(_cover(modulus, others, members), 2))
    if len(against) == 1 and len(classes) > 1:
        return unequal(*name.remainder(*against[0]))
    return disjunction(equal(*name.remainder(step, residue)) for step, residue in classes)


def _cover(modulus: int, members: int, others: int) -> Iterator[tuple[int, int]]:
    """Classes `(step, residue)` that contain all members and none of the others, coarse first."""
    for step in divisors(modulus):
        if not members:
            break
        charge(1 + modulus // bits.BITS)
        free = bits.folded(members, step) & ~bits.folded(others, step)
        if free:
            for residue in bits.members(free):
                charge(CONGRUENCE, "writing congruences")
                yield step, residue
            members &= ~bits.stretched(free, step, modulus // step)


def _pieces(name: _Name, inside: PeriodicSet, allowed: PeriodicSet) -> Condition:
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


def _plainly(name: _Name, here: PeriodicSet) -> Condition:
    """Bounds and all residues, for one piece."""
    least, greatest = here.least, here.greatest
    assert least is not None
    members = here.residues_modulo(here.period)
    parts: list[Condition] = [at_least(name.symbol, least - name.offset)]
    if greatest is not None:
        parts.append(at_least(greatest - name.offset, name.symbol))
    charge(CONGRUENCE * members.bit_count(), "writing congruences")
    remainders = (name.remainder(here.period, member) for member in bits.members(members))
    parts.append(disjunction(equal(*each) for each in remainders))
    return conjunction(parts)
