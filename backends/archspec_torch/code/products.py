"""Products and quotients of expressions, simplified.

`heads * (channels // heads)` becomes `channels`. The result is a proposal: callers compare its
value with the number that it should explain.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from math import prod

from archspec.graph.expression import Expression, Number, Operation, simplified


def product(factors: Iterable[Expression]) -> Expression:
    """The product of all factors; a division by another factor cancels out."""
    number, parts = factors_of(factors)
    for part in list(parts):
        if isinstance(part, Operation) and part.sign == "//":
            above, below = part.operands
            number_below, others = factors_of([below])
            if number % number_below == 0 and not others - (parts - Counter([part])):
                number //= number_below
                parts = parts - Counter([part]) - others
                number_above, more = factors_of([above])
                number *= number_above
                parts += more
    return written_product(number, parts)


def quotient(whole: Expression, factors: Iterable[Expression]) -> Expression:
    """One expression divided by others."""
    number, parts = factors_of([whole])
    by, divisors = factors_of(factors)
    parts, divisors = parts - divisors, divisors - parts
    if number % by == 0:
        number, by = number // by, 1
    above, below = written_product(number, parts), written_product(by, divisors)
    return simplified(Operation("//", (above, below)))


def collected(expression: Expression) -> Expression:
    """A product of integers with one numeric factor: `4 * dim` for `2 * (2 * dim)`."""
    if not isinstance(expression, Operation) or expression.sign != "*":
        return expression
    numbers = 0
    rest: list[Expression] = [expression]
    while rest:
        match rest.pop():
            case Operation("*", operands):
                rest += operands
            case Number():
                numbers += 1
    return written_product(*factors_of([expression])) if numbers > 1 else expression


def powers(expression: Expression) -> Expression:
    """A product with a power for equal factors: `size**2` for `size * size`."""
    if not isinstance(expression, Operation) or expression.sign != "*":
        return expression
    number, parts = factors_of([expression])
    return written_product(number, parts) if any(parts[one] > 1 for one in parts) else expression


def factors_of(expressions: Iterable[Expression]) -> tuple[int, Counter[Expression]]:
    """The numeric factor of a product, and the exponents of its other factors."""
    numbers: list[int] = []
    parts: Counter[Expression] = Counter()
    rest = list(expressions)
    while rest:
        match rest.pop(0):
            case Number(value) if type(value) is int and value > 0:
                numbers.append(value)
            case Operation("*", operands):
                rest[:0] = operands
            case Operation("**", (base, Number(power))) if type(power) is int and power > 0:
                rest[:0] = [base] * power
            case other:
                parts[other] += 1
    return prod(numbers), parts


def written_product(number: int, parts: Counter[Expression]) -> Expression:
    """A number times these factors, each with its exponent."""
    found: Expression = Number(number)
    for part, count in parts.items():
        power = Operation("**", (part, Number(count))) if count > 1 else part
        found = simplified(Operation("*", (found, power)))
    return found
