"""Symbols that may be 0, counted from 1 while a question is answered.

The solver reasons about integers from 1 on. Where the sizes that are allowed begin at 0, it is
asked about `P - 1` instead of `P`, and what it finds is moved back.
"""

from __future__ import annotations

from collections.abc import Mapping

from archspec.types.condition import Condition, substitute
from archspec.types.dim import Dim


def from_one(condition: Condition, zero: frozenset[str]) -> Condition:
    """The condition with each of `zero` counted from 1."""
    return _moved(condition, zero, -1)


def back(condition: Condition, zero: frozenset[str]) -> Condition:
    """The condition with each of `zero` counted from 0 again."""
    return _moved(condition, zero, 1)


def _moved(condition: Condition, names: frozenset[str], by: int) -> Condition:
    if not names:
        return condition
    return substitute(condition, {name: Dim.symbol(name) + by for name in names})


def sizes_back(sizes: Mapping[str, int], zero: frozenset[str]) -> dict[str, int]:
    """The sizes with each of `zero` counted from 0 again."""
    return {name: size - (name in zero) for name, size in sizes.items()}
