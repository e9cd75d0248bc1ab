"""Comparisons that are decided by their value at the point where every symbol is 1.

`H*W - 1 >= 0` holds for all sizes, since no term of `H*W` ever decreases. So does
`H**2 - H >= 0`, where `H**2` outweighs the subtracted term. This needs no residues, so a long
polynomial costs only one pass over its terms.
"""

from __future__ import annotations

from collections import Counter
from math import prod

from archspec.types.condition import All, Comparison, Condition, Relation
from archspec.types.dim import Dim
from archspec.types.meter import charge
from archspec.types.solver.bounds import lowest

OUTWEIGHED = 8
"""Maximum number of subtracted terms."""


def plainly(condition: Condition) -> bool | None:
    """True if the condition holds for all sizes, False if for none, None if not decided here."""
    if isinstance(condition, Comparison):
        return _compared(condition)
    decisive = not isinstance(condition, All)  # one part with this truth value decides the whole
    found = [plainly(part) for part in condition.parts]
    if decisive in found:
        return decisive
    return None if None in found else not decisive


def _compared(comparison: Comparison) -> bool | None:
    least, most = _least(comparison.expression), _least(-comparison.expression)
    if comparison.relation is Relation.AT_LEAST:
        if least is not None and least >= 0:
            return True
        return False if most is not None and most >= 1 else None
    if any(bound is not None and bound >= 1 for bound in (least, most)):
        return comparison.relation is Relation.UNEQUAL
    return None


def _least(expression: Dim) -> int | None:
    """The smallest value if it is reached where every symbol is 1, else None."""
    charge(1 + len(expression.terms) // 4, "searching for a smallest value")
    varying = [(monomial, factor) for monomial, factor in expression.terms if monomial]
    less = [term for term in varying if term[1] < 0]
    values = [[lowest(atom) for atom in monomial] for monomial, _ in varying]
    if len(less) > OUTWEIGHED or any(None in row for row in values):
        return None
    available = {monomial: factor for monomial, factor in varying if factor > 0}
    for monomial, factor in less:
        if not _is_power(monomial):
            return None  # a division may be 0 together with the term that outweighs it
        part, left = Counter(monomial), -factor
        for larger, weight in available.items():
            if left and _is_power(larger) and part <= Counter(larger):
                taken = min(left, weight)
                available[larger], left = weight - taken, left - taken
        if left:
            return None
    products = (prod(value for value in row if value is not None) for row in values)
    return expression.constant_term + sum(
        factor * product for (_, factor), product in zip(varying, products, strict=True)
    )


def _is_power(monomial: tuple[object, ...]) -> bool:
    """Whether the monomial is a product of symbols only, which is at least 1."""
    return all(isinstance(atom, str) for atom in monomial)
