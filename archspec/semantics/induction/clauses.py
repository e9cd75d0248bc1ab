"""The proof for one clause of a rule: when it is chosen, and whether it satisfies the signature."""

from __future__ import annotations

from archspec.diagnostics.model import diagnostic
from archspec.semantics.building.graph_builder import GraphBuilder
from archspec.semantics.expansion.signatures import (
    Segment,
    matched,
    promised,
    segments_of,
    signature_sides,
)
from archspec.semantics.induction.claim import Claim
from archspec.semantics.induction.data import data_of, parts_of
from archspec.semantics.values.context import (
    Context,
    GraphContext,
    NotInductive,
    OpenCondition,
    SpecError,
)
from archspec.semantics.values.evaluation import apply_layer, evaluate
from archspec.semantics.values.model import Environment, Poison
from archspec.syntax import ast
from archspec.types.condition import (
    FALSE,
    TRUE,
    All,
    AnyOf,
    Comparison,
    Condition,
    conjunction,
    equal,
    negation,
)
from archspec.types.dim import DimLike

MAX_CASES = 6


def condition_of(claim: Claim, clause: ast.RuleClause) -> Condition:
    """The condition under which the clause is chosen. Raises NotInductive if there is none."""
    parts: list[Condition] = []
    environment = Environment(claim.rule.module)
    symbols = claim.domain.symbols.items()
    for parameter, (_, symbol) in zip(clause.parameters, symbols, strict=False):
        if parameter.pattern is None:
            environment.bind(parameter.name or "_", symbol)
            continue
        if not isinstance(parameter.pattern, ast.Number):
            raise NotInductive("a pattern is not a number")
        if not isinstance(parameter.pattern.value, int):
            raise NotInductive("a pattern is not an integer")
        parts.append(equal(symbol, parameter.pattern.value))
    if clause.guard is not None:
        context = Context(claim.session(TRUE, claim.domain.symbols), environment, ())
        parts.append(_guard(context, clause.guard))
    return conjunction(parts)


def _guard(context: Context, guard: ast.Expr) -> Condition:
    value = evaluate(context, guard)
    if isinstance(value, bool):
        return TRUE if value else FALSE
    if isinstance(value, (Comparison, All, AnyOf)):
        return value
    raise NotInductive("a guard is not a condition on integers")


def check_clause(claim: Claim, clause: ast.RuleClause, here: Condition, cases: int = 0) -> None:
    """Report violations of the signature by the clause, for parameters that satisfy `here`.

    An undecided condition on parameters splits the proof into cases. Raises NotInductive.
    """
    before = claim.sink.diagnostics
    try:
        _expand(claim, clause, here)
    except OpenCondition as split:
        if cases >= MAX_CASES:
            raise NotInductive("too many conditions distinguish its parameters") from None
        claim.sink.replace(before)
        for case in (split.condition, negation(split.condition)):
            inside = conjunction([here, case])
            if claim.may_hold(inside, clause):
                check_clause(claim, clause, inside, cases + 1)


def _expand(claim: Claim, clause: ast.RuleClause, here: Condition) -> None:
    """Expand the clause and compare its result with the signature."""
    arguments: dict[str, DimLike] = {}
    environment = Environment(claim.rule.module)
    symbols = claim.domain.symbols.items()
    for parameter, (name, symbol) in zip(clause.parameters, symbols, strict=False):
        arguments[name] = _argument(parameter.pattern, symbol)
        if parameter.name is not None:
            environment.bind(parameter.name, arguments[name], parameter.span)
    builder = GraphBuilder(claim.rule.name, "rule")
    session = claim.session(here, arguments)
    context = Context(session, environment, ()).entering(builder)
    sides = context.within(Environment(claim.rule.module))
    for name, value in arguments.items():
        sides.environment.bind(name, value)
    inputs = signature_sides(sides, claim.signature.inputs, fresh=True)
    data = data_of(inputs, builder, "x", claim.signature.span)
    try:
        layer = evaluate(context, clause.value)
        result = apply_layer(context, layer, data, clause.value.span)
        if any(isinstance(part, Poison) for part in parts_of(result)):
            return
        _compare(
            claim, context, segments_of(result), promised(sides, claim.signature.outputs), clause
        )
    except SpecError as error:
        session.report(error)


def _argument(pattern: ast.Expr | None, symbol: DimLike) -> DimLike:
    """A parameter in a clause: the integer in its pattern, or any value of its domain."""
    if isinstance(pattern, ast.Number) and isinstance(pattern.value, int):
        return pattern.value
    return symbol


def _compare(
    claim: Claim,
    context: GraphContext,
    actual: list[Segment],
    wanted: list[Segment],
    clause: ast.RuleClause,
) -> None:
    domain = claim.domain
    reason = matched(context, actual, wanted, domain.readable, clause.name_span)
    if reason is None:
        return
    text, counterexample = reason
    example = domain.example(counterexample)
    claim.sink.report(
        diagnostic(
            "E0506",
            f"this clause violates the signature of `{claim.rule.name}`: {text}",
            clause.name_span,
            secondary=[(claim.signature.outputs.span, "promised here")],
            notes=[f"it fails for {example}"] if example else [],
        )
    )
