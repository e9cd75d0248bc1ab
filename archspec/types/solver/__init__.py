"""Decides conditions on symbolic sizes exactly: always, never, for finitely many, or for which.

Symbols are integers from 1 on. On each residue class of a period per symbol every Dim is a plain
polynomial, so a comparison in one symbol is an eventually periodic set of sizes (`periodic`,
`univariate`). Comparisons of several symbols are taken apart where they come apart (`lower`), the
rest is worked off relation by relation (`study`). What neither reaches, or what takes more than
the budget, is UNDECIDED with a reason, never a guess.
"""

from archspec.types.condition import TRUE, Condition
from archspec.types.solver.decide import BUDGET, Verdict, VerdictKind, decide
from archspec.types.solver.periodic import BudgetExceeded
from archspec.types.solver.simplify import simplified
from archspec.types.solver.text import clauses, condition_text


def simplify(condition: Condition, given: Condition = TRUE, budget: int = BUDGET) -> Condition:
    """The shortest condition found that is equivalent for all sizes that `given` allows.

    What takes more work than `budget` is returned as it is.
    """
    try:
        return simplified(condition, given, budget)
    except BudgetExceeded:
        return condition


__all__ = ["Verdict", "VerdictKind", "clauses", "condition_text", "decide", "simplify"]
