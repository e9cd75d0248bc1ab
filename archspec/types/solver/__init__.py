"""Decides conditions on symbolic sizes exactly: always, never, for finitely many, or for which.

Symbols are integers from 1 on, or from 0 where `given` has `P >= 0` (`origin`). On each residue
class of a period per symbol every Dim is a plain polynomial, so a comparison in one symbol is an
eventually periodic set of sizes (`periodic`, `univariate`). Comparisons of several symbols are
taken apart where they come apart (`lower`), the rest is worked off relation by relation (`study`).
What neither reaches, or what takes more than the budget, is UNDECIDED with a reason, never a guess.
"""

from archspec.types.solver.bounds import never_fails_later
from archspec.types.solver.decide import BUDGET, Verdict, VerdictKind, decide, limited
from archspec.types.solver.simplify import WRITING, simplify
from archspec.types.solver.text import clauses, condition_text

__all__ = [
    "BUDGET",
    "WRITING",
    "Verdict",
    "VerdictKind",
    "clauses",
    "condition_text",
    "decide",
    "limited",
    "never_fails_later",
    "simplify",
]
