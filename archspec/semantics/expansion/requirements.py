"""What an op needs of the sizes: decided at once, for all sizes, or kept as a requirement."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from archspec.graph.model import Requirement
from archspec.ops.base import Need
from archspec.semantics.building.graph_builder import Tensor
from archspec.semantics.values.context import GraphContext, NotInductive, SpecError
from archspec.source import Span
from archspec.types.condition import (
    TRUE,
    All,
    AnyOf,
    Condition,
    Relation,
    substitute,
    symbols_of,
)
from archspec.types.dim import Dim
from archspec.types.solver import (
    Verdict,
    VerdictKind,
    clauses,
    decide,
    limited,
    never_fails_later,
)

MAX_LISTED = 3
"""Sizes that a message lists one by one."""

TELLING_BOUNDS = 10_000
"""Steps to tell which conditions only ask for sizes that are large enough."""

MAX_CLAUSE = 100
"""Characters of a clause that a person would still want to read in a message."""


def settle(
    context: GraphContext,
    need: Need,
    span: Span,
    places: Callable[[], list[tuple[Span, str]]] = list,
) -> tuple[Requirement, ...]:
    """Decide a need; what is to be kept of it when it holds for some sizes only.

    `places` tells where its sizes come from; it is asked only when there is something to report.

    Raises SpecError when it holds for no size, or for finitely many of a dim that the spec did not
    choose, or against what `where` promises, or when it can't be decided.
    """
    session = context.session
    if need.condition == TRUE:
        return ()
    if session.integer_symbols:
        _settle_for_integers(context, need, span, places)
        return ()
    verdict = session.decide(need.condition, span)
    if verdict.kind is VerdictKind.ALWAYS:
        if session.given is session.network_given or session.always(need.condition, span):
            return ()
        # It holds by the `where` of a body, and is kept beside that: a graph says all it needs.
        return (_kept(context, replace(need, chosen=True), span),)
    secondary = places()
    if verdict.kind is VerdictKind.UNDECIDED:
        raise context.error(
            "E0410",
            f"undecided: {need.reason}, and whether that holds for all sizes was not found out",
            span,
            secondary=secondary,
            notes=(verdict.reason,),
        )
    if not need.training_only:
        error = _refusal(context, need, verdict, span, secondary)
        if error is not None:
            raise error
    elif verdict.kind is VerdictKind.NEVER and not symbols_of(need.condition):
        raise context.error("E0402", f"in training, {need.reason}", span, secondary=secondary)
    return (_kept(context, need, span),)


def _kept(context: GraphContext, need: Need, span: Span) -> Requirement:
    origin = context.origin(span)
    return Requirement(need.condition, need.reason, origin, need.training_only, need.chosen)


def require(
    context: GraphContext, needs: tuple[Requirement, ...], claimed: Tensor | None = None
) -> None:
    """Keep what a body needs of the sizes, or what is claimed of this tensor."""
    context.builder.require(needs, claimed)


def _refusal(
    context: GraphContext,
    need: Need,
    verdict: Verdict,
    span: Span,
    secondary: list[tuple[Span, str]],
) -> SpecError | None:
    if verdict.kind is VerdictKind.NEVER:
        return context.error("E0402", need.reason, span, secondary=secondary)
    if not need.chosen:
        only = _only(context, need, verdict)
        if only:
            return context.error("E0402", need.reason, span, secondary=secondary, notes=(only,))
    promised = symbols_of(context.session.given) & symbols_of(need.condition)
    if promised and verdict.counterexample is not None:
        places = list(secondary)
        parts = clauses(verdict.formula)
        holds = " and ".join(parts)
        short = len(holds) <= MAX_CLAUSE
        for condition, place in context.session.promises:
            if symbols_of(condition) & symbols_of(need.condition):
                places.append((place, "this promises more"))
        return context.error(
            "E0404",
            f"{need.reason}, which fails for {sizes_text(verdict.counterexample)}",
            span,
            secondary=places,
            notes=(f"it holds where {holds}",) if short else (),
            fix=f"promise that too: `where .., {', '.join(parts)}`"
            if short
            else "without a `where` for these sizes, the compiler says what they must satisfy",
        )
    return None


def _only(context: GraphContext, need: Need, verdict: Verdict) -> str:
    """For which sizes alone a need holds, where these are finitely many, or those of a symbol."""
    names = sorted(symbols_of(need.condition))
    if verdict.kind is VerdictKind.FINITE:
        if 0 < len(verdict.solutions) <= MAX_LISTED:
            listed = " or ".join(sizes_text(sizes) for sizes in verdict.solutions)
            return f"they agree only for {listed}"
    elif len(names) > 1:
        names = list(
            limited(need.condition, context.session.given, context.session.budget.question)
        )
    else:
        names = []
    if not names:
        return ""
    holds = " and ".join(clauses(verdict.formula))
    few = f"finitely many sizes of {', '.join(names)}"
    return f"they agree only for {few}" + (f": {holds}" if len(holds) <= MAX_CLAUSE else "")


def _settle_for_integers(
    context: GraphContext, need: Need, span: Span, places: Callable[[], list[tuple[Span, str]]]
) -> None:
    """While a signature is checked: what must hold for all values of its parameters.

    A need of the sizes alone, that is no equation between them, is settled at each expansion.
    """
    verdict = context.session.decide(need.condition, span)
    if verdict.kind is VerdictKind.ALWAYS:
        return
    if verdict.kind is VerdictKind.UNDECIDED:
        raise NotInductive(verdict.reason)
    symbols = symbols_of(need.condition)
    of_sizes = not symbols & context.session.integer_symbols
    never = verdict.kind is VerdictKind.NEVER
    if not never and (not is_equation(need.condition) or (of_sizes and len(symbols) == 1)):
        return
    notes: tuple[str, ...] = ()
    if verdict.counterexample is not None:
        notes = (f"it fails for {sizes_text(verdict.counterexample)}",)
    raise context.error("E0506", need.reason, span, secondary=places(), notes=notes)


def sizes_text(sizes: Mapping[str, int]) -> str:
    """`H = 3, W = 1`."""
    return ", ".join(f"{name} = {size}" for name, size in sorted(sizes.items()))


def is_equation(condition: Condition) -> bool:
    """Whether it asks for equal sizes."""
    if isinstance(condition, (All, AnyOf)):
        return any(is_equation(part) for part in condition.parts)
    return condition.relation is Relation.EQUAL


def beyond_bounds(conditions: Iterable[Condition]) -> list[Condition]:
    """Those that ask for more than sizes which are large enough: some hold, and not for all larger.

    Others are reported in `valid_sizes`; they are no reason for a warning. What takes too many
    steps to tell counts as asking for more.
    """
    found: list[Condition] = []
    budget = TELLING_BOUNDS
    for condition in conditions:
        if never_fails_later(condition):
            continue
        for name in sorted(symbols_of(condition)):
            later = substitute(condition, {name: Dim.symbol(name) + 1})
            verdict = decide(later, condition, budget)
            budget -= verdict.work
            if verdict.kind is not VerdictKind.ALWAYS:
                found.append(condition)
                break
    return found
