"""Shifts symbols that may be 0 so that they start at 1.

The solver reasons about integers from 1 on. For a symbol that may be 0, it solves for `P - 1`
instead of `P`, and its results are shifted back.
"""

from __future__ import annotations

from collections.abc import Mapping

from archspec.types.condition import Condition, substitute
from archspec.types.dim import Dim


def from_one(condition: Condition, zero: frozenset[str]) -> Condition:
    """The condition with each symbol in `zero` counted from 1."""
    return _moved(condition, zero, -1)


def back(condition: Condition, zero: frozenset[str]) -> Condition:
    """The condition with each symbol in `zero` counted from 0 again."""
    return _moved(condition, zero, 1)


def _moved(condition: Condition, names: frozenset[str], by: int) -> Condition:
    if not names:
        return condition
    return substitute(condition, {name: Dim.symbol(name) + by for name in names})


def sizes_back(sizes: Mapping[str, int], zero: frozenset[str]) -> dict[str, int]:
    """The sizes with each symbol in `zero` counted from 0 again."""
    return {name: size - (name in zero) for name, size in sizes.items()}
