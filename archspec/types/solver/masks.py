"""Sets of small numbers as bit masks: bit r is set if r is in the set.

A mask and a period describe an infinite set, the numbers n whose bit `n % period` is set. Every
operation takes time proportional to the number of bits, on machine words where Python allows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import gcd

BITS = 20_000
"""Bits of a mask that one of these operations processes in about a microsecond."""

COPIED = 200_000
"""Bits of a mask that one Python operation copies in one step of the meter."""


def full(period: int) -> int:
    """The mask of all residues."""
    return (1 << period) - 1


def of(numbers: Iterable[int], period: int) -> int:
    """The mask of the residues of the numbers."""
    flags = bytearray(b"0") * period
    for number in numbers:
        flags[-1 - number % period] = 49  # "1"; the highest bit comes first in the text
    return int(flags, 2)


def of_flags(flags: Iterable[int]) -> int:
    """The mask whose bit r is the r-th flag, 0 or 1."""
    return int(bytes(flags)[::-1].translate(_DIGITS) or b"0", 2)


def flags(mask: int, period: int) -> bytes:
    """The bits of the mask, each as a byte 0 or 1."""
    return format(mask, f"0{period}b")[::-1].encode().translate(_FLAGS)


_DIGITS = b"01" + bytes(254)
_FLAGS = bytes.maketrans(b"01", b"\x00\x01")


def members(mask: int) -> Iterator[int]:
    """The indices of the set bits, ascending."""
    text = bin(mask)[:1:-1]
    place = text.find("1")
    while place >= 0:
        yield place
        place = text.find("1", place + 1)


def residues_in(start: int, stop: int, period: int) -> int:
    """The mask of the residues of the numbers start..stop-1."""
    length = stop - start
    if length >= period:
        return full(period)
    bits = ((1 << length) - 1) << (start % period)
    return (bits | bits >> period) & full(period)


def stretched(mask: int, period: int, times: int) -> int:
    """The mask repeated `times` times, built by doubling, since big-integer division is slow."""
    found, have = mask, 1
    while have < times:
        more = min(have, times - have)
        found |= (found & ((1 << period * more) - 1)) << (period * have)
        have += more
    return found


def folded(bits: int, modulus: int) -> int:
    """The mask of the residues of the set bits."""
    width = bits.bit_length()
    while width > modulus:
        half = modulus * ((width + 2 * modulus - 1) // (2 * modulus))
        bits = bits & full(half) | bits >> half
        width = half
    return bits


def window(mask: int, period: int, start: int, length: int) -> int:
    """A mask whose bit i is set if `start + i` is in the set, for i below `length`."""
    offset = start % period
    return stretched(mask, period, -(-(offset + length) // period)) >> offset & full(length)


def seen(mask: int, period: int, start: int, stop: int | None, modulus: int) -> int:
    """The mask of the residues modulo `modulus` of the members from `start` to `stop - 1`."""
    common = gcd(period, modulus)
    if stop is None or stop - start >= period * (modulus // common):
        return stretched(folded(mask, common), common, modulus // common)
    return folded(window(mask, period, start, stop - start) << (start % modulus), modulus)


def first_from(mask: int, period: int, number: int) -> int:
    """The smallest member that is at least `number`, for a nonempty mask."""
    offset = number % period
    above = mask >> offset
    if above:
        return number + (above & -above).bit_length() - 1
    return number + period - offset + (mask & -mask).bit_length() - 1


def last_before(mask: int, period: int, start: int, stop: int) -> int | None:
    """The largest member in start..stop-1, or None."""
    if not mask:
        return None
    offset = (stop - 1) % period
    below = mask & full(offset + 1)
    number = stop - 1 - offset + (below or mask).bit_length() - 1 - (0 if below else period)
    return number if number >= start else None


def shortest_period(period: int, masks: Iterable[int], primes: Iterable[int]) -> int:
    """The smallest divisor of the period that is a period of all masks.

    `primes` are the prime factors of the period.
    """
    kept = list(masks)
    for prime in primes:
        while period % prime == 0:
            part = period // prime
            if any(mask >> part != mask & full(period - part) for mask in kept):
                break
            kept = [mask & full(part) for mask in kept]
            period = part
    return period
