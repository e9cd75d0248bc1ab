"""Propagates bounds between symbols through joint comparisons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import prod

from archspec.types.atoms import FloorDiv
from archspec.types.condition import Comparison, Condition, Relation
from archspec.types.dim import ZERO, Dim
from archspec.types.meter import charge, within
from archspec.types.monomial import Atom
from archspec.types.solver.formula import Box, Cell
from archspec.types.solver.periodic import EMPTY, EVERYTHING, PeriodicSet
from archspec.types.solver.univariate import solve

ALLOWED = 5_000
"""Maximum number of steps to find the sizes that a comparison allows; beyond it, all are kept."""

ROUNDS = 4
"""Maximum number of rounds of propagation."""


def tightened(cell: Cell, symbols: Sequence[str]) -> Box:
    """The cell's box without the sizes of each symbol that its joint comparisons rule out."""
    box = {name: cell.box.get(name, EVERYTHING) for name in symbols}
    for _ in range(ROUNDS):
        before = dict(box)
        for joint in cell.joints:
            for expression in _lower_sides(joint):
                for symbol in sorted(expression.symbols):
                    charge(2 * len(expression.terms), "propagating bounds")
                    box[symbol] = box[symbol] & _allowed(expression, symbol, box)
                    if box[symbol].is_empty:
                        return box
        if box == before:
            break
    return box


def _lower_sides(joint: Comparison) -> tuple[Dim, ...]:
    """The expressions that the comparison requires to be at least 0."""
    if joint.relation is Relation.UNEQUAL:
        return ()
    if joint.relation is Relation.EQUAL:
        return (joint.expression, -joint.expression)
    return (joint.expression,)


def _allowed(expression: Dim, symbol: str, box: Mapping[str, PeriodicSet]) -> PeriodicSet:
    """The sizes of `symbol` with `expression >= 0` for the most favourable sizes of the others."""
    best = ZERO
    for monomial, factor in expression.terms:
        if not all(map(is_nondecreasing, monomial)):
            return EVERYTHING
        names = {name for atom in monomial for name in _symbols(atom)} - {symbol}
        limits: dict[str, int] = {}
        for name in names:
            limit = box[name].least if factor < 0 else box[name].greatest
            if limit is None:
                return EMPTY if box[name].is_empty else EVERYTHING
            limits[name] = limit
        best = best + Dim({monomial: factor}).substitute(limits)
    if best.constant is not None:
        return EVERYTHING if best.constant >= 0 else EMPTY
    found = within(ALLOWED, lambda: solve(Comparison(best, Relation.AT_LEAST)))
    return EVERYTHING if found is None else found


def _symbols(atom: Atom) -> frozenset[str]:
    return frozenset({atom}) if isinstance(atom, str) else atom.symbols


def is_nondecreasing(atom: Atom) -> bool:
    """Whether the atom never decreases as a symbol grows, and is never negative."""
    return lowest(atom) is not None


def holds_for_all_larger(condition: Condition) -> bool:
    """Whether the form shows that a condition which holds for some sizes holds for all larger."""
    if not isinstance(condition, Comparison):
        return all(map(holds_for_all_larger, condition.parts))
    terms = condition.expression.terms
    return condition.relation is Relation.AT_LEAST and all(
        factor > 0 and all(map(is_nondecreasing, monomial))
        for monomial, factor in terms
        if monomial
    )


@lru_cache(maxsize=1 << 14)
def lowest(atom: Atom) -> int | None:
    """The value of a nondecreasing atom where every symbol is 1; None for other atoms."""
    if not isinstance(atom, FloorDiv):
        return 1 if isinstance(atom, str) else None
    total = 0
    for monomial, factor in atom.numerator.terms:
        values = [lowest(part) for part in monomial]
        if monomial and (factor < 0 or None in values):
            return None
        total += factor * prod(value for value in values if value is not None)
    return total // atom.divisor if total >= 0 else None
