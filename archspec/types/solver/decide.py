"""Whether a condition holds always, never, for finitely many sizes, or for which."""

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
"""Steps that one question may take; a step is some five microseconds."""

ASKED = 8
"""Steps for each comparison of a question, besides what is found out about it."""

FAR = 1 << 40
"""A size that no tensor has: a symbol that cannot be as large has finitely many sizes."""


class VerdictKind(StrEnum):
    """What is known of a condition."""

    ALWAYS = "always"
    NEVER = "never"
    FINITE = "finite"
    SOMETIMES = "sometimes"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Verdict:
    """The answer to `decide`.

    `counterexample` gives each symbol of the condition a size: the
    smallest allowed size (by sum, then alphabetically by symbol) where it fails; for nonlinear
    relations of several symbols a small one, where looking further would exceed the budget.
    `solutions` are all sizes of a FINITE condition where they are few enough to list. `reason`
    is for people. `work` counts the steps it took. Verdicts are remembered: do not change the
    mappings in them.
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
        """For which of the allowed sizes the condition holds, written when it is asked for."""
        return simplify(self.condition, self.given)


def decide(condition: Condition, given: Condition = TRUE, budget: int = BUDGET) -> Verdict:
    """Whether `condition` holds for all sizes that `given` allows.

    Sizes are integers from 1 on; those of symbols for which a conjunct of `given` says `P >= 0`
    are from 0 on.

    ALWAYS: for every allowed size. NEVER: for none. FINITE: for finitely many while infinitely
    many are allowed. SOMETIMES: for others. UNDECIDED: the question is outside the fragment that
    is decided, or took more work than `budget`; `reason` says which.
    """
    verdict = _answer(condition, given, budget)
    charge(verdict.work, "deciding a condition")
    return verdict


def limited(condition: Condition, given: Condition = TRUE, budget: int = BUDGET) -> tuple[str, ...]:
    """The symbols of which a condition leaves finitely many sizes, of infinitely many allowed.

    `H == 8` together with any relation of other symbols limits H. What is undecided, or takes
    more steps than `budget` for all symbols together, is left out.
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
    """Whether the symbol may be larger than any size is, where some begin at 0."""
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
    names = symbols_of(condition)  # counted from 1, a symbol may fall out of a condition
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
    reason = "" if kind is VerdictKind.SOMETIMES or models else "the sizes are too many to list"
    return Verdict(
        kind,
        condition,
        given,
        solutions=solutions,
        counterexample=_sorted(fails.least),
        reason=reason,
    )


def _never(allowed: Study, condition: Condition, given: Condition) -> Verdict:
    """The answer to what holds for no sizes at all."""
    if allowed.extent is Extent.EMPTY:
        return Verdict(VerdictKind.ALWAYS, TRUE)
    if allowed.least is None and allowed.extent is Extent.UNKNOWN:
        return Verdict(VerdictKind.UNDECIDED, condition, given, reason=allowed.reason)
    return Verdict(VerdictKind.NEVER, FALSE, counterexample=_sorted(allowed.least))


def _sorted(sizes: Mapping[str, int] | None) -> Mapping[str, int] | None:
    return None if sizes is None else dict(sorted(sizes.items()))


def _universe(names: frozenset[str], given: Condition, allowed: Formula) -> list[str]:
    """The symbols of a condition, and those that `given` ties to them."""
    found = set(names)
    for group, _ in components(allowed, found | symbols_of(given)):
        if found & set(group):
            found |= set(group)
    return sorted(found)


def _unknown(fails: Study, holds: Study) -> str:
    """Why there is no verdict, or nothing where there is one.

    That it fails somewhere and holds for infinitely many sizes needs only a size where it fails.
    """
    if fails.least is None and fails.extent is Extent.UNKNOWN:
        return fails.reason
    return holds.reason if holds.extent is Extent.UNKNOWN else ""
