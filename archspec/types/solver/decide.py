"""Decides whether a condition holds always, never, for finitely many sizes or sometimes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache, partial

from archspec.types.atoms import OutsideFragment
from archspec.types.condition import (
    FALSE,
    TRUE,
    Condition,
    at_least,
    beginning_at_zero,
    comparisons,
    conjunction,
    negation,
    symbols_of,
    zero_allowed,
)
from archspec.types.dim import Dim
from archspec.types.meter import BudgetExceeded, Meter, charge
from archspec.types.solver.extent import Extent, Study
from archspec.types.solver.formula import Formula, both
from archspec.types.solver.lower import lower
from archspec.types.solver.origin import from_one, sizes_back
from archspec.types.solver.plain import plainly
from archspec.types.solver.simplify import simplify
from archspec.types.solver.study import components, study

BUDGET = 100_000
"""Maximum number of steps per query; a step is about five microseconds."""

ASKED = 8
"""Fixed cost of each comparison in a query, in steps, besides the reasoning about it."""

FAR = 1 << 40
"""A size that no tensor has; a symbol that cannot reach it has finitely many sizes."""


class VerdictKind(StrEnum):
    """The possible answers about a condition."""

    ALWAYS = "always"
    NEVER = "never"
    FINITE = "finite"
    SOMETIMES = "sometimes"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Verdict:
    """The answer to `decide`.

    `counterexample` gives a size to each symbol of the condition: the smallest allowed sizes (by
    sum, then alphabetically by symbol) where it fails. For nonlinear relations of several symbols
    it may only be a small one, if a further search would exceed the budget. `solutions` lists all
    sizes of a FINITE condition if they are few enough. `reason` is a text for people. `work` is
    the number of steps taken. Verdicts are cached: do not modify their mappings.
    """

    kind: VerdictKind
    condition: Condition
    given: Condition = TRUE
    work: int = 0
    solutions: tuple[Mapping[str, int], ...] = ()
    counterexample: Mapping[str, int] | None = None
    reason: str = ""

    @property
    def formula(self) -> Condition:
        """A short formula of the allowed sizes where the condition holds, computed on access."""
        return simplify(self.condition, self.given)


def decide(condition: Condition, given: Condition = TRUE, budget: int = BUDGET) -> Verdict:
    """Whether `condition` holds for all sizes that `given` allows.

    Sizes are integers from 1 on, or from 0 on if `given` has a conjunct `P >= 0`.

    ALWAYS: it holds for every allowed size. NEVER: for none. FINITE: for finitely many of
    infinitely many allowed sizes. SOMETIMES: for some, otherwise. UNDECIDED: the question is
    outside the decidable fragment, or takes more than `budget` steps; `reason` says which.
    """
    verdict = _answer(condition, given, budget)
    charge(verdict.work, "deciding a condition")
    return verdict


def limited(condition: Condition, given: Condition = TRUE, budget: int = BUDGET) -> tuple[str, ...]:
    """The symbols that a condition restricts to finitely many of infinitely many allowed sizes.

    `H == 8` restricts H, together with any relation of other symbols. Symbols are left out if
    undecided, or if all together take more than `budget` steps.
    """
    found: list[str] = []
    whole, begin = conjunction([condition, given]), beginning_at_zero(given)
    for name in sorted(symbols_of(condition)):
        here = _far(whole, begin, name, budget)
        budget -= here.work
        if here.kind is VerdictKind.NEVER:
            anyway = _far(given, begin, name, budget)
            budget -= anyway.work
            found += [name] if anyway.kind is not VerdictKind.NEVER else []
    return tuple(found)


def _far(condition: Condition, begin: Condition, name: str, budget: int) -> Verdict:
    """Whether the symbol can be FAR or larger; `begin` states which symbols start at 0."""
    return decide(conjunction([condition, at_least(Dim.symbol(name), FAR)]), begin, budget)


@lru_cache(maxsize=4096)
def _answer(condition: Condition, given: Condition, budget: int) -> Verdict:
    meter = Meter(budget)
    zero = zero_allowed(given)
    try:
        found = meter.run(partial(_decided, condition, given, zero))
    except (BudgetExceeded, OutsideFragment) as fault:
        found = Verdict(VerdictKind.UNDECIDED, condition, given, reason=str(fault))
    if zero:
        found = _moved_back(found, condition, given, zero)
    return replace(found, work=min(meter.steps, budget))


def _moved_back(
    found: Verdict, condition: Condition, given: Condition, zero: frozenset[str]
) -> Verdict:
    least = found.counterexample
    return replace(
        found,
        condition=found.condition if found.condition in (TRUE, FALSE) else condition,
        given=given,
        counterexample=None if least is None else sizes_back(least, zero),
        solutions=tuple(sizes_back(sizes, zero) for sizes in found.solutions),
    )


def _decided(condition: Condition, given: Condition, zero: frozenset[str]) -> Verdict:
    charge(ASKED * (comparisons(condition) + comparisons(given)))
    names = symbols_of(condition)  # shifting to start at 1 may remove a symbol
    condition, given = from_one(condition, zero), from_one(given, zero)
    truth = plainly(condition)
    if truth:
        return Verdict(VerdictKind.ALWAYS, TRUE)
    allowed = lower(given)
    symbols = _universe(names, given, allowed)
    if truth is False:
        return _never(study(allowed, symbols), condition, given)
    fails = study(both([allowed, lower(negation(condition))]), symbols)
    if fails.extent is Extent.EMPTY:
        return Verdict(VerdictKind.ALWAYS, TRUE)
    holds = study(both([allowed, lower(condition)]), symbols)
    if holds.extent is Extent.EMPTY:
        return Verdict(VerdictKind.NEVER, FALSE, counterexample=_sorted(fails.least))
    unknown = _unknown(fails, holds)
    if unknown:
        least = _sorted(fails.least)
        return Verdict(
            VerdictKind.UNDECIDED, condition, given, counterexample=least, reason=unknown
        )
    kind = VerdictKind.SOMETIMES
    if holds.extent is Extent.FINITE and study(allowed, symbols).extent is Extent.INFINITE:
        kind = VerdictKind.FINITE
    models = holds.models if kind is VerdictKind.FINITE else ()
    solutions = tuple(dict(sorted(model.items())) for model in models)
    reason = "" if kind is VerdictKind.SOMETIMES or models else "there are too many sizes to list"
    return Verdict(
        kind,
        condition,
        given,
        solutions=solutions,
        counterexample=_sorted(fails.least),
        reason=reason,
    )


def _never(allowed: Study, condition: Condition, given: Condition) -> Verdict:
    """The verdict for a condition that is false for all sizes."""
    if allowed.extent is Extent.EMPTY:
        return Verdict(VerdictKind.ALWAYS, TRUE)
    if allowed.least is None and allowed.extent is Extent.UNKNOWN:
        return Verdict(VerdictKind.UNDECIDED, condition, given, reason=allowed.reason)
    return Verdict(VerdictKind.NEVER, FALSE, counterexample=_sorted(allowed.least))


def _sorted(sizes: Mapping[str, int] | None) -> Mapping[str, int] | None:
    return None if sizes is None else dict(sorted(sizes.items()))


def _universe(names: frozenset[str], given: Condition, allowed: Formula) -> list[str]:
    """The symbols of a condition, and those that `given` connects to them."""
    found = set(names)
    for group, _ in components(allowed, found | symbols_of(given)):
        if found & set(group):
            found |= set(group)
    return sorted(found)


def _unknown(fails: Study, holds: Study) -> str:
    """The reason why there is no verdict, or "" if there is one.

    If the condition holds for infinitely many sizes, one size where it fails decides it.
    """
    if fails.least is None and fails.extent is Extent.UNKNOWN:
        return fails.reason
    return holds.reason if holds.extent is Extent.UNKNOWN else ""
