"""Sums and differences of expressions, simplified: `channels + growth + growth` is shorter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from archspec.graph.expression import Expression, Number, Operation, simplified
from archspec_torch.code.products import factors_of, written_product

MOST_TERMS = 8
"""Maximum number of different terms of a sum; longer ones are no help to a reader."""


def total(parts: Iterable[Expression]) -> Expression | None:
    """The sum of all parts; None if it has too many terms."""
    terms: Counter[Expression] = Counter()
    for part in parts:
        terms.update(_terms(part))
    return _written(terms)


def summed(expression: Expression) -> Expression:
    """The same with equal terms, and numbers, added up if it is a sum."""
    if isinstance(expression, Operation) and expression.sign == "+":
        return total([expression]) or expression
    return expression


def difference(one: Expression, other: Expression) -> Expression | None:
    """The first expression without the other; None if it has too many terms."""
    terms = _terms(one)
    terms.subtract(_terms(other))
    return _written(terms)


def _terms(expression: Expression) -> Counter[Expression]:
    """The terms of a sum without their whole factors, with the sum of these for each."""
    found: Counter[Expression] = Counter()
    rest = [(expression, 1)]
    while rest:
        match rest.pop(0):
            case (Number(value), times) if type(value) is int:
                found[Number(1)] += value * times
            case (Operation("+", operands), times):
                rest[:0] = [(operand, times) for operand in operands]
            case (Operation("-", (left, right)), times):
                rest[:0] = [(left, times), (right, -times)]
            case (other, times):
                number, parts = factors_of([other])
                found[written_product(1, parts)] += number * times
    return found


def _written(terms: Counter[Expression]) -> Expression | None:
    number = terms.pop(Number(1), 0)
    known = {term: count for term, count in terms.items() if count}
    if len(known) > MOST_TERMS:
        return None
    found: Expression = Number(0)
    for term, count in sorted(known.items(), key=lambda item: item[1] < 0):
        sign = "-" if count < 0 else "+"
        one = simplified(Operation("*", (Number(abs(count)), term)))
        found = simplified(Operation(sign, (found, one)))
    sign = "-" if number < 0 else "+"
    return simplified(Operation(sign, (found, Number(abs(number)))))
