"""Eventually periodic sets of positive integers: what a condition on one symbol can say.

Such a set is a row of pieces. On the piece that begins at `starts[i]` (the last one has no end) a
number n belongs to the set when bit `n % period` of `masks[i]` is set. Union, intersection and
complement are exact; thresholds may be as large as they like, since only pieces are stored.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from math import lcm

from archspec.frozen import frozen
from archspec.types.solver.budget import BudgetExceeded

MAX_PERIOD = 1 << 20
"""Longest period that sets are combined to; beyond it the answer is undecided."""


@frozen
class PeriodicSet:
    """An eventually periodic set of positive integers, in a nearly canonical form."""

    period: int
    starts: tuple[int, ...]
    masks: tuple[int, ...]

    def __contains__(self, number: int) -> bool:
        if number < 1:
            return False
        piece = bisect_right(self.starts, number) - 1
        return bool(self.masks[piece] >> (number % self.period) & 1)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is in it."""
        return self.least is None

    @property
    def is_full(self) -> bool:
        """Whether every positive integer is in it."""
        return self.complement().is_empty

    @property
    def is_finite(self) -> bool:
        """Whether only finitely many numbers are in it."""
        return self.masks[-1] == 0

    @property
    def least(self) -> int | None:
        """The smallest member."""
        return self.next_from(1)

    @property
    def greatest(self) -> int | None:
        """The largest member of a finite set that is not empty."""
        if not self.is_finite:
            return None
        for (start, stop), mask in zip(reversed(self.spans()), reversed(self.masks), strict=True):
            if mask and stop is not None:
                for number in range(stop - 1, max(start, stop - self.period) - 1, -1):
                    if mask >> (number % self.period) & 1:
                        return number
        return None

    def spans(self) -> list[tuple[int, int | None]]:
        """First number of each piece and the first after it (None: no end)."""
        ends: list[int | None] = [*self.starts[1:], None]
        return list(zip(self.starts, ends, strict=True))

    def next_from(self, number: int) -> int | None:
        """The smallest member that is at least `number`."""
        for (start, stop), mask in zip(self.spans(), self.masks, strict=True):
            if not mask or (stop is not None and stop <= number):
                continue
            found = _next_bit(mask, self.period, max(start, number))
            if stop is None or found < stop:
                return found
        return None

    def members(self) -> Iterator[int]:
        """Its members, ascending; without end unless it is finite."""
        for (start, stop), mask in zip(self.spans(), self.masks, strict=True):
            number = _next_bit(mask, self.period, start) if mask else stop
            while number is not None and (stop is None or number < stop):
                yield number
                number = _next_bit(mask, self.period, number + 1)

    def count(self) -> int | None:
        """How many members it has; None where it is infinite."""
        if not self.is_finite:
            return None
        total = 0
        for (start, stop), mask in zip(self.spans(), self.masks, strict=True):
            if mask and stop is not None:
                rounds, rest = divmod(stop - start, self.period)
                total += rounds * mask.bit_count()
                total += (mask & _hit(start, start + rest, self.period)).bit_count()
        return total

    def complement(self) -> PeriodicSet:
        """The positive integers that are not in it."""
        full = (1 << self.period) - 1
        return _normal(self.period, self.starts, [mask ^ full for mask in self.masks])

    def __and__(self, other: PeriodicSet) -> PeriodicSet:
        return _combined(self, other, "and")

    def __or__(self, other: PeriodicSet) -> PeriodicSet:
        return _combined(self, other, "or")

    def __sub__(self, other: PeriodicSet) -> PeriodicSet:
        return self & other.complement()

    def __le__(self, other: PeriodicSet) -> bool:
        return (self - other).is_empty

    def same(self, other: PeriodicSet) -> bool:
        """Whether both have the same members, however they are stored."""
        return self == other or (self <= other and other <= self)


def interval(first: int, last: int | None = None) -> PeriodicSet:
    """The numbers from `first` (at least 1) to `last`, included; without end for None."""
    first = max(first, 1)
    if last is not None and last < first:
        return EMPTY
    starts, masks = ([1, first], [0, 1]) if first > 1 else ([1], [1])
    if last is not None:
        starts, masks = [*starts, last + 1], [*masks, 0]
    return PeriodicSet(1, tuple(starts), tuple(masks))


def residues(period: int, members: Iterable[int]) -> PeriodicSet:
    """The numbers n with `n % period` among `members`."""
    mask = 0
    for member in members:
        mask |= 1 << (member % period)
    return _normal(period, (1,), [mask])


def points(numbers: Iterable[int]) -> PeriodicSet:
    """Just these numbers."""
    result = EMPTY
    for number in numbers:
        result = result | interval(number, number)
    return result


def from_events(period: int, first_mask: int, flips: Iterable[tuple[int, int]]) -> PeriodicSet:
    """A set by sweeping: at number n of `(n, residue)` the residue enters or leaves."""
    starts, masks = [1], [first_mask]
    for number, residue in sorted(flips):
        mask = masks[-1] ^ (1 << residue)
        if starts[-1] == number:
            masks[-1] = mask
        else:
            starts.append(number)
            masks.append(mask)
    return _normal(period, tuple(starts), masks)


def _next_bit(mask: int, period: int, number: int) -> int:
    offset = number % period
    above = mask >> offset
    if above:
        return number + (above & -above).bit_length() - 1
    return number + period - offset + (mask & -mask).bit_length() - 1


def _hit(start: int, stop: int, period: int) -> int:
    """The residues of start..stop-1."""
    full = (1 << period) - 1
    length = stop - start
    if length >= period:
        return full
    bits = ((1 << length) - 1) << (start % period)
    return (bits | bits >> period) & full


def _stretched(mask: int, period: int, times: int) -> int:
    """The mask as often as said, one behind the other; doubled, for division of giants is slow."""
    found, have = mask, 1
    while have < times:
        more = min(have, times - have)
        found |= (found & ((1 << (period * more)) - 1)) << (period * have)
        have += more
    return found


@lru_cache(maxsize=4096)
def _combined(left: PeriodicSet, right: PeriodicSet, how: str) -> PeriodicSet:
    period = lcm(left.period, right.period)
    if period > MAX_PERIOD:
        raise BudgetExceeded(f"sizes would have to be told apart modulo {period}")
    one = _aligned(left, period)
    two = _aligned(right, period)
    join: Callable[[int, int], int] = int.__and__ if how == "and" else int.__or__
    starts = sorted({*left.starts, *right.starts})
    masks = [
        join(
            one[bisect_right(left.starts, start) - 1],
            two[bisect_right(right.starts, start) - 1],
        )
        for start in starts
    ]
    return _normal(period, tuple(starts), masks)


def _aligned(numbers: PeriodicSet, period: int) -> list[int]:
    times = period // numbers.period
    return [_stretched(mask, numbers.period, times) for mask in numbers.masks]


def _normal(period: int, starts: tuple[int, ...], masks: list[int]) -> PeriodicSet:
    """Merge pieces that one mask describes, then shorten the period."""
    kept: list[tuple[int, int | None, int]] = [(starts[-1], None, masks[-1])]
    for index in range(len(starts) - 2, -1, -1):
        first, stop, after = kept[-1]
        mask = masks[index]
        if not (mask ^ after) & _hit(starts[index], first, period):
            kept[-1] = (starts[index], stop, after)
        else:
            kept.append((starts[index], first, _plain(mask, starts[index], first, period)))
    kept.reverse()
    merged = [kept[0]]
    for start, stop, mask in kept[1:]:
        before, _, earlier = merged[-1]
        if stop is not None and not (mask ^ earlier) & _hit(start, stop, period):
            merged[-1] = (before, stop, earlier)
        else:
            merged.append((start, stop, mask))
    found = [mask for _, _, mask in merged]
    shorter = _shortened(period, found)
    low = (1 << shorter) - 1
    return PeriodicSet(
        shorter, tuple(start for start, _, _ in merged), tuple(mask & low for mask in found)
    )


def _plain(mask: int, start: int, stop: int, period: int) -> int:
    """The mask of a short piece, with the residues that it never meets filled in plainly."""
    hit = _hit(start, stop, period)
    if not mask & hit:
        return 0
    return (1 << period) - 1 if mask & hit == hit else mask


def _shortened(period: int, masks: list[int]) -> int:
    for prime in _primes_of(period):
        while period % prime == 0:
            part = period // prime
            low = (1 << part) - 1
            full = (1 << period) - 1
            if any(mask & full != _stretched(mask & low, part, prime) for mask in masks):
                break
            period = part
    return period


@lru_cache(maxsize=1024)
def _primes_of(number: int) -> tuple[int, ...]:
    found: list[int] = []
    factor = 2
    while factor * factor <= number:
        if number % factor == 0:
            found.append(factor)
            while number % factor == 0:
                number //= factor
        factor += 1
    return (*found, number) if number > 1 else tuple(found)


EMPTY = PeriodicSet(1, (1,), (0,))
EVERYTHING = PeriodicSet(1, (1,), (1,))
