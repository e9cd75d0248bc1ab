"""Formulas over symbolic dimensions: comparisons with zero, combined by `and` and `or`.

No comparison contains a `min` or `max`; each is split into two cases, one per side. So the solver
decides them exactly although it handles only polynomials and floor divisions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from math import gcd
from typing import TypeAlias

from archspec.frozen import frozen
from archspec.types.atoms import OutsideFragment
from archspec.types.dim import Dim, DimLike, dim

MAX_EXTREMES = 4
"""Maximum number of distinct `min` and `max` in one comparison; each doubles the cases."""


class Relation(StrEnum):
    """The relation of an expression to zero."""

    EQUAL = "=="
    UNEQUAL = "!="
    AT_LEAST = ">="


@frozen
class Comparison:
    """`expression RELATION 0`."""

    expression: Dim
    relation: Relation


@frozen
class All:
    """Every part holds; no parts means true."""

    parts: tuple[Condition, ...]


@frozen
class AnyOf:
    """Some part holds; no parts means false."""

    parts: tuple[Condition, ...]


Condition: TypeAlias = "Comparison | All | AnyOf"

TRUE: Condition = All(())
FALSE: Condition = AnyOf(())


def _compare(expression: Dim, relation: Relation) -> Condition:
    """`expression RELATION 0` in a nearly canonical form, or its truth value.

    Common factors are removed (`3*H - 7 >= 0` becomes `H - 3 >= 0`), and the first coefficient of
    an equation is positive.
    """
    if expression.extremes:
        return _by_cases(expression, relation)
    common = gcd(*(factor for monomial, factor in expression.terms if monomial))
    if not common:
        value = expression.constant_term
        holds = {
            Relation.EQUAL: value == 0,
            Relation.UNEQUAL: value != 0,
            Relation.AT_LEAST: value >= 0,
        }[relation]
        return TRUE if holds else FALSE
    if relation is Relation.AT_LEAST:
        return Comparison(_divided(expression, common), relation)
    if expression.constant_term % common:
        common = 1  # never equal; the solver reports this with a counterexample
    sign = -1 if expression.terms[0][1] < 0 else 1
    return Comparison(_divided(expression, common) * sign, relation)


def _by_cases(expression: Dim, relation: Relation) -> Condition:
    """The comparison split into two cases, one per side of an innermost extreme.

    Raises OutsideFragment for more than MAX_EXTREMES extremes.
    """
    if len(expression.extremes) > MAX_EXTREMES:
        raise OutsideFragment(f"a comparison with over {MAX_EXTREMES} different `min` and `max`")
    inner = min(expression.extremes, key=lambda extreme: (len(extreme.extremes), extreme.text))
    left, right = inner.sides
    below, above = at_least(right, left), at_least(left, right + 1)
    first, second = (below, above) if inner.name == "min" else (above, below)
    return disjunction(
        conjunction([when, _compare(expression.choose(inner, side), relation)])
        for when, side in ((first, left), (second, right))
    )


def _divided(expression: Dim, by: int) -> Dim:
    if by == 1:
        return expression
    return Dim({monomial: factor // by for monomial, factor in expression.terms})


def equal(left: DimLike, right: DimLike) -> Condition:
    """`left == right`."""
    return _compare(dim(left) - right, Relation.EQUAL)


def unequal(left: DimLike, right: DimLike) -> Condition:
    """`left != right`."""
    return _compare(dim(left) - right, Relation.UNEQUAL)


def at_least(left: DimLike, right: DimLike) -> Condition:
    """`left >= right`."""
    return _compare(dim(left) - right, Relation.AT_LEAST)


def divisible(expression: DimLike, by: int) -> Condition:
    """`expression % by == 0`."""
    return equal(dim(expression) % by, 0)


def conjunction(parts: Iterable[Condition]) -> Condition:
    """The conjunction of the parts, flattened and without duplicates."""
    kept: dict[Condition, None] = {}
    for part in parts:
        if part == FALSE:
            return FALSE
        for inner in part.parts if isinstance(part, All) else (part,):
            kept.setdefault(inner)
    return next(iter(kept)) if len(kept) == 1 else All(tuple(kept))


def disjunction(parts: Iterable[Condition]) -> Condition:
    """The disjunction of the parts, flattened and without duplicates."""
    kept: dict[Condition, None] = {}
    for part in parts:
        if part == TRUE:
            return TRUE
        for inner in part.parts if isinstance(part, AnyOf) else (part,):
            kept.setdefault(inner)
    return next(iter(kept)) if len(kept) == 1 else AnyOf(tuple(kept))


def negation(condition: Condition) -> Condition:
    """The negated condition."""
    if isinstance(condition, All):
        return disjunction(negation(part) for part in condition.parts)
    if isinstance(condition, AnyOf):
        return conjunction(negation(part) for part in condition.parts)
    if condition.relation is Relation.EQUAL:
        return _compare(condition.expression, Relation.UNEQUAL)
    if condition.relation is Relation.UNEQUAL:
        return _compare(condition.expression, Relation.EQUAL)
    return _compare(-condition.expression - 1, Relation.AT_LEAST)


def evaluate(condition: Condition, sizes: Mapping[str, int]) -> bool:
    """Whether the condition holds at the given sizes."""
    if isinstance(condition, All):
        return all(evaluate(part, sizes) for part in condition.parts)
    if isinstance(condition, AnyOf):
        return any(evaluate(part, sizes) for part in condition.parts)
    value = condition.expression.evaluate(sizes)
    if condition.relation is Relation.EQUAL:
        return value == 0
    if condition.relation is Relation.UNEQUAL:
        return value != 0
    return value >= 0


def comparisons(condition: Condition) -> int:
    """The number of comparisons in the condition."""
    if isinstance(condition, Comparison):
        return 1
    return sum(map(comparisons, condition.parts))


def symbols_of(condition: Condition) -> frozenset[str]:
    """The symbols in the condition."""
    if isinstance(condition, Comparison):
        return condition.expression.symbols
    return frozenset().union(*(symbols_of(part) for part in condition.parts))


def zero_allowed(condition: Condition) -> frozenset[str]:
    """The symbols that may be 0, by a conjunct `P >= 0`; all others start at 1."""
    parts = condition.parts if isinstance(condition, All) else (condition,)
    return frozenset(
        str(part.expression)
        for part in parts
        if isinstance(part, Comparison)
        and part.relation is Relation.AT_LEAST
        and part.expression.atoms == {str(part.expression)}
    )


def beginning_at_zero(condition: Condition) -> Condition:
    """The conjunction of `P >= 0` for each symbol that may be 0."""
    return conjunction(at_least(Dim.symbol(name), 0) for name in sorted(zero_allowed(condition)))


def allowed_size(size: int, name: str, zero: frozenset[str]) -> bool:
    """Whether the symbol `name` can have this size; symbols in `zero` may be 0."""
    return size >= 1 or (size == 0 and name in zero)


def substitute(condition: Condition, replacement: Mapping[str, DimLike]) -> Condition:
    """Replace symbols by dimensions."""
    if isinstance(condition, All):
        return conjunction(substitute(part, replacement) for part in condition.parts)
    if isinstance(condition, AnyOf):
        return disjunction(substitute(part, replacement) for part in condition.parts)
    return _compare(condition.expression.substitute(replacement), condition.relation)
