"""The proof of a signature: each clause satisfies it, and the clauses cover its domain."""

from __future__ import annotations

from archspec.diagnostics.model import Sink, diagnostic
from archspec.semantics.induction.claim import Claim
from archspec.semantics.induction.clauses import check_clause, condition_of
from archspec.semantics.induction.domain import Domain, domain_of
from archspec.semantics.program.definitions import RuleDefinition
from archspec.semantics.values.budget import Budget
from archspec.semantics.values.context import NotInductive
from archspec.types.condition import FALSE, TRUE, Condition, conjunction, negation
from archspec.types.solver import VerdictKind


def prove(rule: RuleDefinition, sink: Sink, budget: Budget) -> tuple[str, ...]:
    """Report violations of a rule's signature; return why other clauses are not proved.

    Raises NotInductive if nothing can be proved, SpecError if the signature can't be read.
    """
    assert rule.signature is not None
    nothing = Claim(rule, rule.signature, Domain({}, {}), sink, budget)
    domain = domain_of(rule, nothing.session(TRUE, {}))
    claim = Claim(rule, rule.signature, domain, sink, budget)
    reasons: list[str] = []
    passed: list[Condition] = []
    for clause in rule.clauses:
        chosen = condition_of(claim, clause)
        here = conjunction([domain.condition, chosen, *passed])
        passed.append(negation(chosen))
        if not claim.may_hold(here, clause):
            continue
        try:
            check_clause(claim, clause, here)
        except NotInductive as error:  # other clauses may still be wrong
            reasons.append(str(error))
    _require_complete(claim, conjunction([domain.condition, *passed]))
    return tuple(reasons)


def _require_complete(claim: Claim, left: Condition) -> None:
    """Report parameters that no clause covers (E0504). Raises NotInductive if that is undecided."""
    verdict = claim.budget.decide(negation(left), TRUE, claim.rule.name_span)
    if left == FALSE or verdict.kind is VerdictKind.ALWAYS:
        return
    if verdict.kind is VerdictKind.UNDECIDED:
        raise NotInductive(verdict.reason)
    example = claim.domain.example(verdict.counterexample)
    claim.sink.report(
        diagnostic(
            "E0504",
            f"no clause of `{claim.rule.name}` takes {example or 'some values'}",
            claim.rule.name_span,
            fix="narrow the domain in the signature, or add a clause",
        )
    )
