"""Converts sets of sizes back to conditions that a person would write.

`describe` finds a short condition that selects a set among the allowed sizes: a congruence with
the smallest modulus, bounds, and single exceptions, in this order of preference. Every candidate
is checked against the set before it is used.
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
"""Maximum number of single excluded sizes; beyond it the set is described piece by piece."""


CONGRUENCE = 4
"""Cost of writing one congruence, in steps."""


@frozen
class _Name:
    """A symbol, and the offset by which the numbers in its set exceed its sizes."""

    symbol: Dim
    offset: int

    def remainder(self, step: int, residue: int) -> tuple[Dim, int]:
        """The remainder of the symbol, and its value where a number in the set has `residue`."""
        return self.symbol % step, (residue - self.offset) % step


@remembered(4096)
def describe(
    symbol: str, wanted: PeriodicSet, allowed: PeriodicSet = EVERYTHING, offset: int = 0
) -> Condition:
    """A short condition that, among the `allowed` sizes, holds exactly for the `wanted` ones.

    `offset` is 1 if the symbol starts at 0 but the sets count it from 1.
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
    """`H == 3`, or `H in [3, 7]`, for at most two sizes other than 1 and 2."""
    count = inside.count()
    if count is None or count > 2:
        return None
    members = list(inside.members())
    if count == 2 and members[1] - members[0] == 1 and members[0] == 1:
        return None
    return disjunction(equal(name.symbol, member - name.offset) for member in members)


def _spread(name: _Name, inside: PeriodicSet, allowed: PeriodicSet) -> Condition | None:
    """One congruence with a lower and an upper bound and a few exceptions, or None."""
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
    """The bounds that the pattern does not already imply."""
    first = pattern.least
    low = least if first is not None and first < least else None
    if greatest is None:
        return low, None
    return low, greatest if pattern.next_from(greatest + 1) is not None else None


def _congruence(inside: PeriodicSet, allowed: PeriodicSet) -> tuple[int, int]:
    """The smallest modulus whose residues separate the wanted sizes in the last piece from others.

    Returns the modulus and the mask of the wanted residues.
    """
    start = max(inside.starts[-2:][0] if inside.is_finite else inside.starts[-1], 1)
    here = interval(start, inside.greatest)
    yes, no = inside & here, (allowed - inside) & here
    for modulus in divisors(inside.period):
        members = yes.residues_modulo(modulus)
        if not members & no.residues_modulo(modulus):
            return modulus, members
    return inside.period, yes.residues_modulo(inside.period)


def _congruent(name: _Name, modulus: int, members: int, allowed: PeriodicSet) -> Condition:
    """`name % modulus` is in the mask `members`, written with as few congruences as possible."""
    others = allowed.residues_modulo(modulus) & ~members
    if not others:
        return TRUE
    classes = list(_cover(modulus, members, others))
    against = list(islice(_cover(modulus, others, members), 2))
    if len(against) == 1 and len(classes) > 1:
        return unequal(*name.remainder(*against[0]))
    return disjunction(equal(*name.remainder(step, residue)) for step, residue in classes)


def _cover(modulus: int, members: int, others: int) -> Iterator[tuple[int, int]]:
    """Classes `(step, residue)` that cover all members and none of the others, coarsest first."""
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
    """The condition piece by piece, if no single pattern fits."""
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
    """Bounds and all residues of one piece."""
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
