"""Writes conditions in the syntax of `where` clauses."""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd

from archspec.types.atoms import FloorDiv
from archspec.types.condition import All, AnyOf, Comparison, Condition, Relation
from archspec.types.dim import Dim


def clauses(condition: Condition) -> tuple[str, ...]:
    """The conjuncts of a condition in the syntax of the language: `H % 32 == 0`, `H == W`.

    If there are several, an `or` is in parentheses, so that any separator can join them.
    """
    if isinstance(condition, All):
        return tuple(_inside_and(part) for part in condition.parts)
    return (clause_text(condition),)


def condition_text(condition: Condition) -> str:
    """The whole condition as one expression in the language."""
    if isinstance(condition, All):
        if not condition.parts:
            return "true"
        return " and ".join(_inside_and(part) for part in condition.parts)
    return clause_text(condition)


def clause_text(condition: Condition) -> str:
    """One condition as text."""
    if isinstance(condition, All):
        return condition_text(condition)
    if isinstance(condition, AnyOf):
        return " or ".join(_alternatives(condition)) or "false"
    return _comparison_text(condition)


def _alternatives(condition: AnyOf) -> list[str]:
    """The operands of its `or`; equalities with one left side are `H % 4 in [0, 3]`."""
    if all(_lower_bound(part) is not None for part in condition.parts):
        return [_above(part) for part in condition.parts]
    values: dict[str, list[str]] = {}
    for part in condition.parts:
        text = _inside_or(part)
        left, _, right = text.rpartition(" == ")
        is_listed = isinstance(part, Comparison) and right.removeprefix("-").isdigit()
        values.setdefault(left if is_listed else text, []).append(right if is_listed else "")
    return [_listed(left, found) for left, found in values.items()]


def _listed(left: str, values: Sequence[str]) -> str:
    if len(values) == 1:
        return f"{left} == {values[0]}" if values[0] else left
    return f"{left} in [{', '.join(values)}]"


def _inside_and(condition: Condition) -> str:
    text = clause_text(condition)
    is_any = isinstance(condition, AnyOf) and len(_alternatives(condition)) > 1
    return f"({text})" if is_any else text


def _inside_or(condition: Condition) -> str:
    text = clause_text(condition)
    return f"({text})" if isinstance(condition, All) and len(condition.parts) > 1 else text


def _lower_bound(condition: Condition) -> tuple[str, int] | None:
    """`("H", 33)` for `H >= 33`; None for other forms."""
    if not isinstance(condition, Comparison) or condition.relation is not Relation.AT_LEAST:
        return None
    constant = condition.expression.constant_term
    varying = condition.expression - constant
    if len(varying.terms) != 1 or varying.terms[0][1] != 1 or len(varying.terms[0][0]) != 1:
        return None
    atom = varying.terms[0][0][0]
    return (atom, -constant) if isinstance(atom, str) else None


def _above(condition: Condition) -> str:
    found = _lower_bound(condition)
    assert found is not None
    return f"{found[0]} > {found[1] - 1}"


def _comparison_text(comparison: Comparison) -> str:
    expression, relation = _plain(comparison.expression, comparison.relation), comparison.relation
    if relation is not Relation.AT_LEAST:
        remainder = _remainder(expression)
        if remainder is not None:
            return f"{remainder[0]} {relation} {remainder[1]}"
    constant = expression.constant_term
    left = {monomial: factor for monomial, factor in expression.terms if factor > 0 and monomial}
    right = {monomial: -factor for monomial, factor in expression.terms if factor < 0 and monomial}
    if not left and relation is Relation.AT_LEAST:
        return f"{Dim(right)} <= {constant}"
    if not left:
        left, right, constant = right, left, -constant
    if not right or constant < 0:
        return f"{Dim(left)} {relation} {Dim(right) - constant}"
    return f"{Dim(left) + constant} {relation} {Dim(right)}"


def _plain(expression: Dim, relation: Relation) -> Dim:
    """The expression divided by the common factor of its coefficients."""
    common = gcd(*(factor for monomial, factor in expression.terms if monomial))
    constant = expression.constant_term
    if common <= 1 or (relation is not Relation.AT_LEAST and constant % common):
        return expression
    varying = expression - constant
    return Dim({m: f // common for m, f in varying.terms}) + constant // common


def _remainder(expression: Dim) -> tuple[str, int] | None:
    """`("H % 32", 0)` for `H - 32 * (H // 32)` and its negative; None for other forms."""
    for monomial, factor in expression.terms:
        if len(monomial) != 1 or not isinstance(monomial[0], FloorDiv):
            continue
        atom = monomial[0]
        sign = -1 if factor > 0 else 1
        rest = expression * sign + atom.divisor * Dim({monomial: 1}) - atom.numerator
        if abs(factor) == atom.divisor and rest.constant is not None:
            offset = -rest.constant
            whole = str(atom.numerator)
            text = whole if atom.numerator.atoms == {whole} else f"({whole})"
            return f"{text} % {atom.divisor}", offset
    return None
