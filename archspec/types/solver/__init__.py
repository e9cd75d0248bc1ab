"""Decides exactly whether conditions on symbolic sizes hold always, never or for which sizes.

Symbols are integers from 1 on, or from 0 on where `given` has `P >= 0` (`origin`). On each residue
class of a period per symbol every Dim is a polynomial, so a comparison in one symbol is an
eventually periodic set of sizes (`periodic`, `univariate`). Comparisons of several symbols are
split where possible (`lower`); the rest is solved relation by relation (`study`). A question that
neither can answer, or that exceeds the budget, is UNDECIDED with a reason; nothing is guessed.
"""

from archspec.types.solver.bounds import holds_for_all_larger
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
    "holds_for_all_larger",
    "limited",
    "simplify",
]
