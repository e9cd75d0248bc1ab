"""Compares a product of factors in one symbol each with a number by thresholds for the factors.

`H*W > 1` is `H > 1 or W > 1`; `(H//16) * (W//16) == 196` has one case per divisor. Cases for the
signs of the factors are split off first, so only positive factors remain.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product as choices
from math import prod
from typing import TypeAlias

from archspec.types.condition import Comparison, Relation
from archspec.types.dim import Dim
from archspec.types.meter import charge
from archspec.types.solver.factor import product_and_rest
from archspec.types.solver.formula import NO, YES, Formula, Joint, both, either
from archspec.types.solver.periodic import divisors

Solve: TypeAlias = Callable[[Comparison], Formula]
"""The formula of a comparison in one symbol."""

MAX_CASES = 2_000
"""Maximum number of thresholds; a comparison has about `n * number ** (1 - 1/n)` for n factors."""

MAX_NUMBER = 10**9
"""Above this number there are more than MAX_CASES cases for any number of factors."""

READABLE = 2
"""Up to this number the thresholds are easier to read than the product."""


def against_number(comparison: Comparison, solve: Solve) -> Formula | None:
    """The comparison as thresholds, or None if it does not compare a product with a number.

    None also if it would take too many cases.
    """
    found = product_and_rest(comparison.expression)
    if found is None:
        return None
    scale, parts, rest = found
    weight = prod(part.constant for part in parts if part.constant is not None)
    parts = tuple(part for part in parts if part.constant is None)
    if scale < 0:
        weight, rest = -weight, -rest
    limit = abs(rest) // abs(weight) + 1
    if limit > MAX_NUMBER or len(parts) * limit ** (1 - 1 / len(parts)) > MAX_CASES:
        return None
    cases = [_zero(parts, rest, comparison.relation, solve)]
    for signs in choices((1, -1), repeat=len(parts)):
        signed = [part * sign for part, sign in zip(parts, signs, strict=True)]
        positive = both([_at_least(part, 1, solve) for part in signed])
        if positive != NO:
            size = _size(signed, weight * prod(signs), rest, comparison.relation, solve)
            cases.append(both([positive, size]))
    whole = either(cases)
    return whole if limit <= READABLE + 1 else Joint(comparison, whole)


def _zero(parts: Sequence[Dim], rest: int, relation: Relation, solve: Solve) -> Formula:
    """The case that some factor is 0: false if the comparison does not hold then."""
    holds = {
        Relation.EQUAL: rest == 0,
        Relation.UNEQUAL: rest != 0,
        Relation.AT_LEAST: rest >= 0,
    }[relation]
    return either([solve(Comparison(part, Relation.EQUAL)) for part in parts]) if holds else NO


def _size(
    parts: Sequence[Dim], weight: int, rest: int, relation: Relation, solve: Solve
) -> Formula:
    """`weight * product of parts + rest RELATION 0`, given that all parts are positive."""
    if relation is Relation.AT_LEAST:
        if weight > 0:
            return _reaches(parts, -(rest // weight), solve)
        return _stays_within(parts, rest // -weight, solve)
    target = -rest // weight
    whole = rest % weight == 0 and target >= 1
    if relation is Relation.EQUAL:
        return _is(parts, target, solve) if whole else NO
    if not whole:
        return YES
    return either([_reaches(parts, target + 1, solve), _stays_within(parts, target - 1, solve)])


def _reaches(parts: Sequence[Dim], target: int, solve: Solve) -> Formula:
    """The product of the positive parts is at least `target`."""
    if target <= 1:
        return YES
    first, rest = parts[0], parts[1:]
    if not rest:
        return _at_least(first, target, solve)
    cases = [_at_least(first, target, solve)]
    for low in _corners(target - 1):
        inner = _reaches(rest, -(-target // low), solve)
        cases.append(both([_at_least(first, low, solve), inner]))
    return either(cases)


def _stays_within(parts: Sequence[Dim], bound: int, solve: Solve) -> Formula:
    """The product of the positive parts is at most `bound`."""
    if bound < 1:
        return NO
    first, rest = parts[0], parts[1:]
    if not rest:
        return _at_most(first, bound, solve)
    cases = []
    for low in _corners(bound):
        high = bound // (bound // low)
        inner = _stays_within(rest, bound // low, solve)
        cases.append(both([_at_most(first, high, solve), inner]))
    return either(cases)


def _is(parts: Sequence[Dim], target: int, solve: Solve) -> Formula:
    """The product of the positive parts is `target`."""
    first, rest = parts[0], parts[1:]
    if not rest:
        return solve(Comparison(first - target, Relation.EQUAL))
    cases = []
    for divisor in divisors(target):
        here = solve(Comparison(first - divisor, Relation.EQUAL))
        if here != NO:
            cases.append(both([here, _is(rest, target // divisor, solve)]))
    return either(cases)


def _at_least(part: Dim, bound: int, solve: Solve) -> Formula:
    return solve(Comparison(part - bound, Relation.AT_LEAST))


def _at_most(part: Dim, bound: int, solve: Solve) -> Formula:
    return solve(Comparison(bound - part, Relation.AT_LEAST))


def _corners(number: int) -> list[int]:
    """1, and each v such that `number // v < number // (v - 1)`."""
    found, v = [], 1
    while v <= number:
        charge(1)
        found.append(v)
        v = number // (number // v) + 1
    return found
