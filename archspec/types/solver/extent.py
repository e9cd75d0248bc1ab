"""How many sizes satisfy a formula: none, finitely many, infinitely many, or unknown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from itertools import product as choices
from typing import TypeAlias

from archspec.frozen import frozen
from archspec.types.solver.formula import Box

Sizes: TypeAlias = dict[str, int]
"""A size for each symbol."""

MAX_LISTED = 256
"""Maximum number of solutions that are listed."""


class Extent(StrEnum):
    """How many sizes there are."""

    EMPTY = "empty"
    FINITE = "finite"
    INFINITE = "infinite"
    UNKNOWN = "unknown"


@frozen
class Study:
    """How many sizes satisfy a formula, the smallest, and all of them if they are few.

    `reason` explains an UNKNOWN extent.
    """

    extent: Extent
    least: Sizes | None = None
    models: tuple[Sizes, ...] = ()
    reason: str = ""


NOTHING = Study(Extent.EMPTY)


def order(sizes: Mapping[str, int]) -> tuple[int, tuple[int, ...]]:
    """The sort key of sizes: their sum, then the sizes by symbol in alphabetical order."""
    return sum(sizes.values()), tuple(sizes[name] for name in sorted(sizes))


def crossed(one: Study, two: Study) -> Study:
    """The study of the product of two sets over disjoint symbols."""
    if Extent.EMPTY in (one.extent, two.extent):
        return NOTHING
    least = None if one.least is None or two.least is None else {**one.least, **two.least}
    for side in (one, two):
        if side.extent is Extent.UNKNOWN:
            return Study(Extent.UNKNOWN, least, reason=side.reason)
    if Extent.INFINITE in (one.extent, two.extent):
        return Study(Extent.INFINITE, least)
    if len(one.models) * len(two.models) > MAX_LISTED:
        return Study(Extent.FINITE, least)
    return Study(Extent.FINITE, least, tuple({**a, **b} for a in one.models for b in two.models))


def united(studies: Iterable[Study]) -> Study:
    """The study of the union of the studied sets."""
    found = [each for each in studies if each.extent is not Extent.EMPTY]
    if not found:
        return NOTHING
    known = [each.least for each in found if each.least is not None]
    least = min(known, key=order) if known else None
    for each in found:
        if each.extent is Extent.INFINITE:
            return Study(Extent.INFINITE, least)
    for each in found:
        if each.extent is Extent.UNKNOWN:
            return Study(Extent.UNKNOWN, least, reason=each.reason)
    every = {tuple(sorted(model.items())): model for each in found for model in each.models}
    complete = all(each.models for each in found) and len(every) <= MAX_LISTED
    return Study(Extent.FINITE, least, tuple(sorted(every.values(), key=order)) if complete else ())


def of_box(box: Box) -> Study:
    """The study of the sizes in a box, which has every symbol of interest."""
    least: Sizes = {}
    for name, sizes in box.items():
        first = sizes.least
        if first is None:
            return NOTHING
        least[name] = first
    counts = [sizes.count() for sizes in box.values()]
    total = 1
    for count in counts:
        if count is None:
            return Study(Extent.INFINITE, least)
        total *= count
    if total > MAX_LISTED:
        return Study(Extent.FINITE, least)
    rows = choices(*(list(sizes.members()) for sizes in box.values()))
    return Study(Extent.FINITE, least, tuple(dict(zip(box, row, strict=True)) for row in rows))
