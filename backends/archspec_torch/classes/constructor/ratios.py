"""Numbers in each specialisation of a block: whether they are equal, or multiples of others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archspec_torch.classes.constructor.parameters import Values

LARGEST_FACTOR = 16
"""A constant may be a multiple or fraction of an argument of the definition up to this factor."""

LARGEST_OWN_FACTOR = 4
"""The same for constants that have no name in the definition."""

LEAST_SIZE = 4
"""Smaller numbers are strides or counts, which are multiples of each other by accident."""


def is_constant(values: Values) -> bool:
    """Whether they are the same in all specialisations."""
    return all(repr(value) == repr(values[0]) for value in values)


def are_sizes(values: Values) -> bool:
    """Whether all are whole numbers that are no strides or counts."""
    return all(type(value) is int and value >= LEAST_SIZE for value in values)


def whole_factor(values: Sequence[int | None], base: Sequence[Any]) -> int:
    """The whole number that all values are the base times; 0 if there is none."""
    if not base or not isinstance(base[0], int) or not base[0] or values[0] is None:
        return 0
    factor = values[0] // base[0]
    fits = all(v is not None and v == factor * b for v, b in zip(values, base, strict=True))
    return factor if fits else 0
