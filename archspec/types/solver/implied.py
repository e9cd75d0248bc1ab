"""Decides whether one formula over sizes implies another."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice, product

from archspec.types.condition import negation
from archspec.types.meter import charge
from archspec.types.solver.extent import Extent
from archspec.types.solver.formula import (
    NO,
    Axis,
    Both,
    Box,
    Either,
    Formula,
    Joint,
    both,
    either,
    holds_at,
    leaves,
    symbols_in,
)
from archspec.types.solver.lower import lower
from archspec.types.solver.periodic import EVERYTHING
from archspec.types.solver.study import study


def implied(part: Formula, by: Formula) -> bool:
    """Whether `part` is proved to hold wherever `by` does; False may also mean unknown.

    `implied(NO, by)` tests whether `by` is empty.
    """
    if _refuted(part, by):
        return False
    names = symbols_in(part) | symbols_in(by)
    return study(both([by, _opposite(part)]), names).extent is Extent.EMPTY


def conjuncts(formula: Formula) -> Sequence[Formula]:
    """The conjuncts of the formula."""
    return formula.parts if isinstance(formula, Both) else (formula,)


def limits(formula: Formula) -> Box:
    """The sizes that the conjuncts on single symbols allow for each of them."""
    return {part.symbol: part.sizes for part in conjuncts(formula) if isinstance(part, Axis)}


def _refuted(part: Formula, by: Formula) -> bool:
    """Whether a small size shows that `by` does not imply `part`."""
    box = limits(by)
    names = sorted(symbols_in(part) | symbols_in(by))
    if not names:
        return False
    depth = max(2, int(256 ** (1 / len(names))))
    small = [islice(box.get(name, EVERYTHING).members(), depth) for name in names]
    charge(1 + 512 * (leaves(part) + leaves(by)) // 40)
    points = (dict(zip(names, row, strict=True)) for row in product(*small))
    return any(holds_at(by, sizes) and not holds_at(part, sizes) for sizes in islice(points, 512))


def _opposite(formula: Formula) -> Formula:
    match formula:
        case Axis(symbol, sizes):
            complement = sizes.complement()
            return NO if complement.is_empty else Axis(symbol, complement)
        case Joint(comparison, _):
            return lower(negation(comparison))
        case Both(parts):
            return either([_opposite(part) for part in parts])
        case Either(parts):
            return both([_opposite(part) for part in parts])
