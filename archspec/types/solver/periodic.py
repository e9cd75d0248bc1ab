"""Eventually periodic sets of positive integers: the solution sets of conditions on one symbol.

Such a set is a sequence of pieces. On the piece that begins at `starts[i]` (the last one has no
end) a number n belongs to the set if bit `n % period` of `masks[i]` is set. Union, intersection
and complement are exact; thresholds may be arbitrarily large, since only pieces are stored.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from math import lcm

from archspec.frozen import frozen
from archspec.types.meter import BudgetExceeded, charge, remembered
from archspec.types.solver import masks as bits

MAX_PERIOD = 1 << 20
"""Largest period of a combined set; beyond it the answer is undecided."""

DIGITS = 2_500
"""Bits of a mask processed one by one in one step."""

COMBINING = "combining sets of sizes"


@frozen
class PeriodicSet:
    """An eventually periodic set of positive integers, in a nearly canonical form."""

    period: int
    starts: tuple[int, ...]
    masks: tuple[int, ...]

    def __contains__(self, number: int) -> bool:
        if number < 1:
            return False
        charge(self.period // bits.COPIED, COMBINING)
        piece = bisect_right(self.starts, number) - 1
        return bool(self.masks[piece] >> (number % self.period) & 1)

    @property
    def is_empty(self) -> bool:
        """Whether it has no members."""
        return self.least is None

    @property
    def is_full(self) -> bool:
        """Whether it contains every positive integer."""
        return self.complement().is_empty

    @property
    def is_finite(self) -> bool:
        """Whether it has finitely many members."""
        return self.masks[-1] == 0

    @property
    def least(self) -> int | None:
        """The smallest member, or None."""
        return self.next_from(1)

    @property
    def greatest(self) -> int | None:
        """The largest member; None for an empty or infinite set."""
        if not self.is_finite:
            return None
        for (start, stop), mask in zip(reversed(self.spans()), reversed(self.masks), strict=True):
            charge(self.period // bits.COPIED, COMBINING)
            last = None if stop is None else bits.last_before(mask, self.period, start, stop)
            if last is not None:
                return last
        return None

    def spans(self) -> list[tuple[int, int | None]]:
        """The first number of each piece, and the first after it (None: no end)."""
        ends: list[int | None] = [*self.starts[1:], None]
        return list(zip(self.starts, ends, strict=True))

    def next_from(self, number: int) -> int | None:
        """The smallest member that is at least `number`, or None."""
        for (start, stop), mask in zip(self.spans(), self.masks, strict=True):
            if not mask or (stop is not None and stop <= number):
                continue
            charge(4 * self.period // bits.COPIED, COMBINING)
            found = bits.first_from(mask, self.period, max(start, number))
            if stop is None or found < stop:
                return found
        return None

    def members(self) -> Iterator[int]:
        """Its members, ascending; endless unless the set is finite."""
        for (start, stop), mask in zip(self.spans(), self.masks, strict=True):
            yield from self._between(mask, start, stop)

    def members_within(self, step: int) -> list[Iterator[int]]:
        """For each piece, the members among its first `step` numbers."""
        return [
            self._between(mask, start, start + step if stop is None else min(stop, start + step))
            for (start, stop), mask in zip(self.spans(), self.masks, strict=True)
        ]

    def _between(self, mask: int, start: int, stop: int | None) -> Iterator[int]:
        """The members by `mask` from `start` to `stop - 1`; each bit of the mask is read once."""
        if not mask:
            return
        length = self.period if stop is None else min(self.period, stop - start)
        charge(length // DIGITS + self.period // bits.COPIED, COMBINING)
        flags = bits.flags(bits.window(mask, self.period, start, length), length)
        place = flags.find(1)
        while place >= 0 and (stop is None or start + place < stop):
            yield start + place
            place = flags.find(1, place + 1)
            if place < 0:  # the next period
                charge(self.period // bits.COPIED, COMBINING)
                start += self.period
                place = flags.find(1)

    def count(self) -> int | None:
        """The number of members; None if infinite."""
        if not self.is_finite:
            return None
        ends = zip(self.spans(), self.masks, strict=True)
        return sum(self._counted(mask, start, stop or start) for (start, stop), mask in ends)

    def counts_within(self, step: int) -> list[int]:
        """For each piece, the number of members among its first `step` numbers."""
        return [
            self._counted(mask, start, start + step if stop is None else min(stop, start + step))
            for (start, stop), mask in zip(self.spans(), self.masks, strict=True)
        ]

    def _counted(self, mask: int, start: int, stop: int) -> int:
        if not mask:
            return 0
        charge(self.period // bits.BITS, COMBINING)
        rounds, rest = divmod(stop - start, self.period)
        part = mask & bits.residues_in(start, start + rest, self.period)
        return rounds * mask.bit_count() + part.bit_count()

    def residues_modulo(self, modulus: int) -> int:
        """The mask of the residues of its members."""
        charge(1 + len(self.starts) * (1 + lcm(self.period, modulus) // bits.BITS), COMBINING)
        found = 0
        for (start, stop), mask in zip(self.spans(), self.masks, strict=True):
            if mask:
                found |= bits.seen(mask, self.period, start, stop, modulus)
        return found

    def complement(self) -> PeriodicSet:
        """The positive integers that are not in it."""
        full = bits.full(self.period)
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
        """Whether both sets have the same members, however they are stored."""
        return self == other or (self <= other and other <= self)


def interval(first: int, last: int | None = None) -> PeriodicSet:
    """The numbers from `first` (at least 1) to `last`, inclusive; no end if `last` is None."""
    first = max(first, 1)
    if last is not None and last < first:
        return EMPTY
    starts, masks = ([1, first], [0, 1]) if first > 1 else ([1], [1])
    if last is not None:
        starts, masks = [*starts, last + 1], [*masks, 0]
    return PeriodicSet(1, tuple(starts), tuple(masks))


def periodic(period: int, mask: int) -> PeriodicSet:
    """The numbers n with bit `n % period` set in the mask."""
    return _normal(period, (1,), [mask])


def residues(period: int, members: Iterable[int]) -> PeriodicSet:
    """The numbers n with `n % period` in `members`."""
    return periodic(period, bits.of(members, period))


def points(numbers: Iterable[int]) -> PeriodicSet:
    """The set of the given numbers."""
    result = EMPTY
    for number in numbers:
        result = result | interval(number, number)
    return result


def from_rounds(period: int, first: int, flips: Mapping[int, int]) -> PeriodicSet:
    """A set by rounds: the mask of the first round, and the bits that flip in later rounds.

    Round k contains the numbers from `period * k + 1` to `period * (k + 1)`.
    """
    starts, masks = [1], [first]
    for k, mask in sorted(flips.items()):
        starts.append(period * k + 1)
        masks.append(masks[-1] ^ mask)
    return _normal(period, tuple(starts), masks)


@remembered(4096)
def _combined(left: PeriodicSet, right: PeriodicSet, how: str) -> PeriodicSet:
    charge(2, COMBINING)
    period = lcm(left.period, right.period)
    if period > MAX_PERIOD:
        raise BudgetExceeded(f"sizes would have to be distinguished modulo {period}")
    pieces = len(left.starts) + len(right.starts)
    charge(4 * pieces * period // bits.COPIED, COMBINING)
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
    if times == 1:
        return list(numbers.masks)
    return [bits.stretched(mask, numbers.period, times) for mask in numbers.masks]


def _normal(period: int, starts: tuple[int, ...], masks: list[int]) -> PeriodicSet:
    """Start each piece as early as its mask is correct, merge pieces, then shorten the period."""
    charge(1 + len(starts) * (1 + period // bits.BITS), COMBINING)
    kept: list[tuple[int, int | None, int]] = [(starts[-1], None, masks[-1])]
    for start, mask in zip(reversed(starts[:-1]), reversed(masks[:-1]), strict=True):
        first, stop, after = kept[-1]
        other = bits.last_before(mask ^ after, period, start, first)
        begin = start if other is None else other + 1
        kept[-1] = (begin, stop, after)
        if begin > start:
            kept.append((start, begin, _plain(mask, start, begin, period)))
    kept.reverse()
    merged = [kept[0]]
    for start, stop, mask in kept[1:]:
        before, _, earlier = merged[-1]
        if stop is not None and bits.last_before(mask ^ earlier, period, start, stop) is None:
            merged[-1] = (before, stop, earlier)
        else:
            merged.append((start, stop, mask))
    shorter = bits.shortest_period(period, [mask for _, _, mask in merged], primes_of(period))
    low = bits.full(shorter)
    return PeriodicSet(
        shorter, tuple(start for start, _, _ in merged), tuple(mask & low for _, _, mask in merged)
    )


def _plain(mask: int, start: int, stop: int, period: int) -> int:
    """The mask of a short piece, made empty or full if this keeps its members."""
    hit = bits.residues_in(start, stop, period)
    if not mask & hit:
        return 0
    return bits.full(period) if mask & hit == hit else mask


@lru_cache(maxsize=1024)
def primes_of(number: int) -> tuple[int, ...]:
    """The prime factors of a number, each once, ascending."""
    found: list[int] = []
    factor = 2
    while factor * factor <= number:
        if number % factor == 0:
            found.append(factor)
            while number % factor == 0:
                number //= factor
        factor += 1
    return (*found, number) if number > 1 else tuple(found)


def divisors(number: int) -> list[int]:
    """The divisors of a number, ascending."""
    found, rest = [1], number
    for prime in primes_of(number):
        powers = [1]
        while rest % prime == 0:
            rest //= prime
            powers.append(powers[-1] * prime)
        found = [one * power for one in found for power in powers]
    return sorted(found)


EMPTY = PeriodicSet(1, (1,), (0,))
EVERYTHING = PeriodicSet(1, (1,), (1,))
