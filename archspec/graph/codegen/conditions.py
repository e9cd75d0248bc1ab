"""Conditions over flags: disjunctions of conjunctions, kept short."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

Flag: TypeAlias = tuple[str, int]
"""`live[2]` is ("live", 2); a flag without an index has -1."""

Condition: TypeAlias = frozenset[frozenset[Flag]]
"""The disjunction of these conjunctions."""

ALWAYS: Condition = frozenset({frozenset()})
NEVER: Condition = frozenset()


def single(flag: Flag) -> Condition:
    """The condition that this flag holds."""
    return frozenset({frozenset({flag})})


def only_flag(condition: Condition) -> Flag | None:
    """The flag that is equivalent to a condition, or None."""
    if len(condition) != 1:
        return None
    (part,) = condition
    return next(iter(part)) if len(part) == 1 else None


def both(condition: Condition, flag: Flag) -> Condition:
    """The condition and the flag."""
    return frozenset(part | {flag} for part in condition)


def given(condition: Condition, known: Condition) -> Condition:
    """A shorter condition that is equivalent whenever `known` holds."""
    if known <= condition:
        return ALWAYS
    for flag in sorted({flag for part in condition for flag in part}):
        if condition == both(known, flag):
            return single(flag)
    return condition


def either(conditions: Iterable[Condition], sizes: Mapping[str, int]) -> Condition:
    """Any of the conditions, simplified."""
    parts = set[frozenset[Flag]]().union(*conditions)
    while True:
        parts = _shortest(parts)
        names = sorted({name for part in parts for name, _ in part} & sizes.keys())
        found = (_covered(parts, name, sizes[name]) for name in names)
        covered = next((base for base in found if base is not None), None)
        if covered is None:
            return frozenset(parts)
        parts.add(covered)


def _shortest(parts: set[frozenset[Flag]]) -> set[frozenset[Flag]]:
    """The conjunctions that are not implied by a shorter one."""
    if len({len(part) for part in parts}) < 2:
        return parts
    if frozenset() in parts:
        return {frozenset()}
    return {part for part in parts if not any(other < part for other in parts)}


def _covered(parts: set[frozenset[Flag]], name: str, count: int) -> frozenset[Flag] | None:
    """A conjunction that occurs in `parts` with each flag of `name`, without that flag."""
    tried: set[frozenset[Flag]] = set()
    for part in parts:
        base = frozenset(flag for flag in part if flag[0] != name)
        if len(part) != len(base) + 1 or base in parts or base in tried:
            continue
        tried.add(base)
        if all(base | {(name, index)} in parts for index in range(count)):
            return base
    return None
