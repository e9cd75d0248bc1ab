"""The claim to be proved: a signature, for all integers in its domain."""

from __future__ import annotations

from collections.abc import Mapping

from archspec.diagnostics.model import Sink
from archspec.frozen import frozen
from archspec.semantics.induction.domain import Domain
from archspec.semantics.induction.hypothesis import Hypothesis
from archspec.semantics.program.definitions import RuleDefinition
from archspec.semantics.values.budget import Budget
from archspec.semantics.values.context import Session
from archspec.syntax import ast
from archspec.types.condition import TRUE, Condition
from archspec.types.dim import DimLike
from archspec.types.solver import VerdictKind


@frozen
class Claim:
    """A signature as a claim about all integers in a domain, and the sink for its errors."""

    rule: RuleDefinition
    signature: ast.Signature
    domain: Domain
    sink: Sink
    budget: Budget

    def session(self, given: Condition, arguments: Mapping[str, DimLike]) -> Session:
        """A compilation with symbols as parameters, for the arguments of a clause."""
        hypothesis = Hypothesis(self.rule, self.domain, arguments)
        session = Session(self.sink, self.budget, False, {})
        session.given = given
        session.integer_symbols = frozenset(self.domain.symbols)
        session.by_signature = hypothesis.answer
        return session

    def may_hold(self, condition: Condition, clause: ast.RuleClause) -> bool:
        """Whether a condition on the parameters may hold."""
        verdict = self.budget.decide(condition, TRUE, clause.name_span)
        return verdict.kind is not VerdictKind.NEVER
