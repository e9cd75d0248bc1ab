"""Comparisons whose truth is plain: the smallest value is that where every symbol is 1.

`H*W - 1 >= 0` holds whatever the sizes are, since no term of `H*W` ever falls. So does
`H**2 - H >= 0`, where `H**2` outweighs what is taken away. This is seen without residues, so that
long polynomials cost no more than a look at each term.
"""

from __future__ import annotations

from collections import Counter
from math import prod

from archspec.types.condition import All, Comparison, Condition, Relation
from archspec.types.dim import Dim
from archspec.types.meter import charge
from archspec.types.solver.bounds import lowest

OUTWEIGHED = 8
"""Most terms that are taken away."""


def plainly(condition: Condition) -> bool | None:
    """Whether a condition holds for all sizes, or for none; None where that is not plain."""
    if isinstance(condition, Comparison):
        return _compared(condition)
    decisive = not isinstance(condition, All)  # the truth of one part that settles the whole
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
    """The smallest value, where it is that at which every symbol is 1."""
    charge(1 + len(expression.terms) // 4, "looking for a smallest value")
    varying = [(monomial, factor) for monomial, factor in expression.terms if monomial]
    less = [term for term in varying if term[1] < 0]
    values = [[lowest(atom) for atom in monomial] for monomial, _ in varying]
    if len(less) > OUTWEIGHED or any(None in row for row in values):
        return None
    room = {monomial: factor for monomial, factor in varying if factor > 0}
    for monomial, factor in less:
        if not _is_power(monomial):
            return None  # a division may be 0 where what outweighs it is, too
        part, left = Counter(monomial), -factor
        for larger, weight in room.items():
            if left and _is_power(larger) and part <= Counter(larger):
                taken = min(left, weight)
                room[larger], left = weight - taken, left - taken
        if left:
            return None
    products = (prod(value for value in row if value is not None) for row in values)
    return expression.constant_term + sum(
        factor * product for (_, factor), product in zip(varying, products, strict=True)
    )


def _is_power(monomial: tuple[object, ...]) -> bool:
    """Whether it is a product of symbols alone, which is at least 1."""
    return all(isinstance(atom, str) for atom in monomial)
