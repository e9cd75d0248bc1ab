"""Signatures of rules, checked once for all values of their parameters.

`rule f(c: int in 1.., w: int): [B, C] -> c * [B, w]` is a claim about all c and w. Integer
parameters become symbols, and each clause is expanded once, under the condition that it is the
clause chosen. Calls of rules with signatures are replaced by their signature (the induction
hypothesis), provided that their arguments stay in the domain and decrease. If that does not work (a
layer as parameter, 2 ** n, a `for` over a parameter), a note says that each expansion is checked
instead.
"""

from __future__ import annotations

from archspec.diagnostics.failure import CompileFailed
from archspec.diagnostics.model import Severity, Sink, diagnostic
from archspec.semantics.induction.proof import prove
from archspec.semantics.program.definitions import ModuleScope, RuleDefinition
from archspec.semantics.values.budget import Budget
from archspec.semantics.values.context import NotInductive, SpecError
from archspec.types.atoms import OutsideFragment

UNDECIDED_HERE = frozenset(
    {"E0301", "E0305", "E0309", "E0311", "E0312", "E0313", "E0403", "E0410", "E0411", "E0501"}
)
"""Errors for a symbol where a number is needed; the signature itself may be correct."""

CERTAIN = frozenset({"E0504", "E0506", "E0508"})
"""Errors that are valid even if other parts of the signature are undecided."""


def check_signatures(scope: ModuleScope, sink: Sink, budget: Budget) -> None:
    """Check every signature of a file."""
    for definition in scope.own.values():
        signed = isinstance(definition, RuleDefinition) and definition.signature is not None
        if isinstance(definition, RuleDefinition) and signed and not definition.damaged:
            _check(definition, sink, budget)


def _check(rule: RuleDefinition, sink: Sink, budget: Budget) -> None:
    assert rule.signature is not None
    own = Sink()
    try:
        reasons = prove(rule, own, budget)
        unsure = [item for item in own.diagnostics if item.code in UNDECIDED_HERE]
        if not unsure and not reasons:
            sink.extend(own.diagnostics)
            return
        reason = reasons[0] if reasons else unsure[0].message
        if unsure and unsure[0].code == "E0411":
            reason = "its expressions go beyond polynomials of its parameters, such as `2 ** n`"
    except (NotInductive, OutsideFragment) as error:
        reason = str(error)
    except SpecError as error:  # the signature itself is invalid
        if error.item is None or error.item.code not in UNDECIDED_HERE:
            sink.extend(own.diagnostics if error.item is None else [error.item])
            return
        reason = error.item.message
    except CompileFailed as error:
        reason = error.diagnostics[0].message
    sink.extend(item for item in own.diagnostics if item.code in CERTAIN)
    sink.report(
        diagnostic(
            "N0501",
            f"the signature of `{rule.name}` is checked at each expansion, not once for all",
            rule.signature.name_span,
            notes=[reason],
            severity=Severity.NOTE,
        )
    )
