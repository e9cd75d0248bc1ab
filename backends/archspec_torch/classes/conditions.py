"""The condition of a spec that distinguishes two groups of specialisations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from archspec.graph.expression import (
    Expression,
    Name,
    Number,
    Operation,
    Size,
    evaluated,
    has_names,
    names_in,
    simplified,
    substituted,
)
from archspec_torch.classes.draft import Draft


def separating_condition(
    group: Sequence[Draft], other: Sequence[Draft]
) -> tuple[Expression, bool] | None:
    """A condition of the spec that is true in one group only, and whether that is the first.

    One that is true in the first group is preferred.
    """
    drafts = [*group, *other]
    known = [draft.names for draft in drafts]
    alike = {
        name: Number(value)
        for name, value in known[0].items()
        if isinstance(value, int | float | str)
        and all(name in one and _same(one[name], value) for one in known)
    }
    wanted = [True] * len(group) + [False] * len(other)
    opposite: Expression | None = None
    tried: set[Expression] = set()
    for draft, names in zip(drafts, known, strict=True):
        for decision in draft.unit.either.decisions:
            condition = over_names(substituted(decision, alike), names)
            if condition in tried:
                continue
            tried.add(condition)
            truths = [truth(condition, one) for one in known]
            if not has_names(condition) or not set(names_in(condition)) <= set(names):
                continue
            if truths == wanted:
                return condition, True
            if opposite is None and truths == [not one for one in wanted]:
                opposite = condition
    return (opposite, False) if opposite is not None else None


def distance(group: Sequence[Draft], other: Sequence[Draft]) -> int:
    """The number of conditions of the spec by which two groups differ."""
    decisions = dict.fromkeys(
        decision for one in (group, other) for decision in one[0].unit.either.decisions
    )
    sides = [[draft.names for draft in one] for one in (group, other)]
    return sum(
        len({frozenset(truth(one, names) for names in side) for side in sides}) > 1
        for one in decisions
    )


def _same(one: Any, two: Any) -> bool:
    return type(one) is type(two) and bool(one == two)


def truth(condition: Expression, names: Mapping[str, Any]) -> bool | None:
    """The value of a condition for these values of names; None if it has none."""
    value = evaluated(condition, names)
    return value if isinstance(value, bool) else None


def over_names(condition: Expression, names: Mapping[str, Any]) -> Expression:
    """The condition with a name for each size: that of an input's size, or else another one.

    A size that the block names has this name, which is also that of an argument.
    """
    match condition:
        case Size(value) if value is not None:
            fitting = [name for name, known in names.items() if _same(known, value)]
            fitting.sort(key=lambda name: (not name[0].isupper(), name.isidentifier()))
            return Name(fitting[0]) if fitting else condition
        case Operation(sign, operands):
            return simplified(Operation(sign, tuple(over_names(one, names) for one in operands)))
    return condition
