"""Alignment of two sequences of texts: their common parts, in one order."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from typing import TypeAlias

Stretch: TypeAlias = "tuple[int, int, int, int, bool]"
"""A range of the first sequence, one of the second, and whether they are the same."""


def aligned(left: Sequence[str], right: Sequence[str]) -> list[Stretch]:
    """The common parts: at both ends and, between them, around texts that are unique in each.

    This is patience diff, which takes little more than linear time.
    """
    parts: list[Stretch] = []
    stack = [(0, len(left), 0, len(right))]
    while stack:
        low, high, start, end = stack.pop()
        while low < high and start < end and left[low] == right[start]:
            parts.append((low, low + 1, start, start + 1, True))
            low, start = low + 1, start + 1
        behind = 0
        while (
            behind < min(high - low, end - start)
            and left[high - 1 - behind] == right[end - 1 - behind]
        ):
            behind += 1
        if behind:
            stack.append((high - behind, high, end - behind, end))
            high, end = high - behind, end - behind
        anchors = _anchors(left, right, (low, high, start, end))
        if not anchors:
            if low < high or start < end:
                parts.append((low, high, start, end, False))
            continue
        ends = [*anchors[1:], (high, end)]
        for begun, ended in reversed([*zip(anchors, ends, strict=True)]):
            stack.append((begun[0], ended[0], begun[1], ended[1]))
        stack.append((low, anchors[0][0], start, anchors[0][1]))
    return parts


def _anchors(
    left: Sequence[str], right: Sequence[str], within: tuple[int, int, int, int]
) -> list[tuple[int, int]]:
    """Indices of texts that are unique in both; the largest set in the same order in both."""
    low, high, start, end = within
    places = {right[at]: at for at in range(start, end)}
    counts = [Counter(part) for part in (left[low:high], right[start:end])]
    pairs = [
        (at, places[left[at]])
        for at in range(low, high)
        if all(count[left[at]] == 1 for count in counts)
    ]
    return _longest_increasing(pairs)


def _longest_increasing(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """A longest sublist of these pairs in which the second number increases, too."""
    ends: list[int] = []  # the smallest last number of a list of this length
    last: list[int] = []  # for each length the last pair
    before: list[int | None] = []
    for at, (_, second) in enumerate(pairs):
        length = bisect_left(ends, second)
        before.append(last[length - 1] if length else None)
        if length == len(ends):
            ends.append(second)
            last.append(at)
        else:
            ends[length], last[length] = second, at
    found: list[tuple[int, int]] = []
    at_end = last[-1] if last else None
    while at_end is not None:
        found.append(pairs[at_end])
        at_end = before[at_end]
    return found[::-1]
