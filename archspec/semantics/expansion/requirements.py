"""Requirements of ops on sizes: decided at once for all sizes, or kept with the graph."""

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
    comparisons,
    substitute,
    symbols_of,
)
from archspec.types.dim import Dim
from archspec.types.solver import (
    Verdict,
    VerdictKind,
    clauses,
    decide,
    holds_for_all_larger,
    limited,
)

MAX_LISTED = 3
"""Maximum number of sizes that a message lists."""

TELLING_BOUNDS = 10_000
"""Steps for finding the conditions that only require sizes to be large enough."""

MAX_CLAUSE = 100
"""Maximum number of characters of a clause in a message."""

MAX_COMPARISONS = 6
"""Maximum number of comparisons in a condition that a message proposes."""


def settle(
    context: GraphContext,
    need: Need,
    span: Span,
    places: Callable[[], list[tuple[Span, str]]] = list,
) -> tuple[Requirement, ...]:
    """Decide a requirement; return it to be kept if it holds for some sizes only.

    `places` returns where its sizes come from; it is called only if there is something to report.

    Raises SpecError if it holds for no size, or only for finitely many sizes of a dim that the spec
    did not choose, or if it contradicts what `where` promises, or can't be decided.
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
        # It follows from the `where` of a body, and is kept too: a graph lists all its
        # requirements.
        return (_kept(context, replace(need, chosen=True), span),)
    secondary = places()
    if verdict.kind is VerdictKind.UNDECIDED:
        raise context.error(
            "E0410",
            f"undecided: {need.reason}, and whether that holds for all sizes "
            "could not be determined",
            span,
            secondary=secondary,
            notes=(verdict.reason,),
            fix=_UNDECIDED + (_KEEP_BATCH if need.reason.startswith("`reshape`") else ""),
        )
    if not need.training_only:
        error = _refusal(context, need, verdict, span, secondary)
        if error is not None:
            raise error
    elif verdict.kind is VerdictKind.NEVER and not symbols_of(need.condition):
        raise context.error("E0402", f"in training, {need.reason}", span, secondary=secondary)
    return (_kept(context, need, span),)


_UNDECIDED = "a fixed size decides it: write a number for a free size in the type of the input"
_KEEP_BATCH = "; `flatten` and `reshape(B, -1)` keep the batch apart"


def _kept(context: GraphContext, need: Need, span: Span) -> Requirement:
    origin = context.origin(span)
    return Requirement(need.condition, need.reason, origin, need.training_only, need.chosen)


def require(
    context: GraphContext, needs: tuple[Requirement, ...], claimed: Tensor | None = None
) -> None:
    """Keep the requirements of a body, or those of a claim about this tensor."""
    context.builder.require(needs, claimed)


def _refusal(
    context: GraphContext,
    need: Need,
    verdict: Verdict,
    span: Span,
    secondary: list[tuple[Span, str]],
) -> SpecError | None:
    if verdict.kind is VerdictKind.NEVER:
        return context.error("E0402", need.reason, span, secondary=secondary, fix=need.hint)
    if not need.chosen:
        only = _only(context, need, verdict)
        if only:
            return context.error(
                "E0402", need.reason, span, secondary=secondary, notes=(only,), fix=need.hint
            )
    promised = symbols_of(context.session.given) & symbols_of(need.condition)
    if promised and verdict.counterexample is not None:
        places = list(secondary)
        parts = clauses(verdict.formula)
        holds = " and ".join(parts)
        short = len(holds) <= MAX_CLAUSE and comparisons(verdict.formula) <= MAX_COMPARISONS
        for condition, place in context.session.promises:
            if symbols_of(condition) & symbols_of(need.condition):
                places.append((place, "this allows more sizes"))
        return context.error(
            "E0404",
            f"{need.reason}, which fails for {sizes_text(verdict.counterexample)}",
            span,
            secondary=places,
            notes=(f"it holds if {holds}",) if short else (),
            fix=f"add that condition: `where .., {', '.join(parts)}`"
            if short
            else "without a `where` for these sizes, the compiler says what they must satisfy",
        )
    return None


def _only(context: GraphContext, need: Need, verdict: Verdict) -> str:
    """The sizes for which it holds, if these are finitely many, or finitely many of some dims."""
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
    """Settle a requirement for all values of a rule's parameters while its signature is checked.

    A requirement on sizes alone that is not an equation between them is settled at each expansion.
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
    """Sizes as text: `H = 3, W = 1`."""
    return ", ".join(f"{name} = {size}" for name, size in sorted(sizes.items()))


def is_equation(condition: Condition) -> bool:
    """Whether the condition requires equal sizes."""
    if isinstance(condition, (All, AnyOf)):
        return any(is_equation(part) for part in condition.parts)
    return condition.relation is Relation.EQUAL


def beyond_bounds(conditions: Iterable[Condition]) -> list[Condition]:
    """The conditions that hold for some sizes but not for all larger ones.

    The others, which only require sizes to be large enough, are reported in `valid_sizes` and need
    no warning. Conditions that take too many steps to decide are included.
    """
    found: list[Condition] = []
    budget = TELLING_BOUNDS
    for condition in conditions:
        if holds_for_all_larger(condition):
            continue
        for name in sorted(symbols_of(condition)):
            later = substitute(condition, {name: Dim.symbol(name) + 1})
            verdict = decide(later, condition, budget)
            budget -= verdict.work
            if verdict.kind is not VerdictKind.ALWAYS:
                found.append(condition)
                break
    return found
