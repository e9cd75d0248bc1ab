"""Finds how many sizes satisfy a formula (none, finitely or infinitely many) and the smallest.

A formula without joint comparisons is a union of boxes, which is decided at once. For joint
comparisons, bounds are propagated between symbols, an equality is solved for one symbol, the
sizes of a symbol with few of them are tried one by one, and linear relations are decided per
residue class. The result is unknown, with a reason, if nothing applies.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import islice, zip_longest
from itertools import product as choices
from math import prod

from archspec.frozen import frozen
from archspec.types.atoms import FloorDiv
from archspec.types.condition import (
    FALSE,
    Comparison,
    Condition,
    Relation,
    at_least,
    conjunction,
    divisible,
    equal,
    substitute,
)
from archspec.types.dim import Dim
from archspec.types.meter import charge, left, within
from archspec.types.solver.bounds import is_nondecreasing, tightened
from archspec.types.solver.classes import by_class, class_count
from archspec.types.solver.extent import (
    NOTHING,
    Extent,
    Sizes,
    Study,
    crossed,
    of_box,
    order,
    united,
)
from archspec.types.solver.formula import (
    Both,
    Box,
    Cell,
    Formula,
    axis,
    both,
    cells,
    symbols_in,
)
from archspec.types.solver.lower import lower
from archspec.types.solver.periodic import EVERYTHING, PeriodicSet, interval
from archspec.types.solver.render import describe
from archspec.types.solver.residue import degree
from archspec.types.solver.univariate import preimage

WORK_PER_CELL = 5
"""Fixed cost of one case of a disjunction, in steps, besides the work in it."""

FEW_CLASSES = 64
"""Linear relations with at most this many residue classes are decided class by class at once."""

MAX_OPENED = 16
"""Largest divisor of a floor division that is split into one case per remainder."""

MAX_TRIED = 2_000
"""Maximum number of sizes of one symbol to try one by one."""


def study(formula: Formula, symbols: Iterable[str]) -> Study:
    """The study of all sizes of `symbols` that satisfy the formula, by groups of related symbols.

    Groups share no symbol, so each is solved separately.
    """
    found = Study(Extent.FINITE, {}, ({},))
    for names, part in components(formula, symbols):
        found = crossed(found, _studied(part, names))
        if found.extent is Extent.EMPTY:
            return NOTHING
    return found


def components(formula: Formula, symbols: Iterable[str]) -> list[tuple[list[str], Formula]]:
    """The conjuncts, grouped such that no two groups share a symbol."""
    parts = formula.parts if isinstance(formula, Both) else (formula,)
    charge(1 + len(parts))
    groups: list[tuple[set[str], list[Formula]]] = [({name}, []) for name in sorted(set(symbols))]
    for part in parts:
        names = set(symbols_in(part))
        touched = [group for group in groups if group[0] & names] if names else groups[:1]
        fused: tuple[set[str], list[Formula]] = (set(names), [part])
        for group in touched:
            fused = (fused[0] | group[0], group[1] + fused[1])
            groups.remove(group)
        groups.append(fused)
    return [(sorted(names), both(held)) for names, held in groups]


def _studied(formula: Formula, symbols: Sequence[str]) -> Study:
    return united(_of_cell(cell, symbols) for cell in cells(formula))


def _of_cell(cell: Cell, symbols: Sequence[str]) -> Study:
    charge(WORK_PER_CELL, "distinguishing the cases")
    if not cell.joints:
        return of_box({name: cell.box.get(name, EVERYTHING) for name in symbols})
    box = tightened(cell, symbols)
    if any(sizes.is_empty for sizes in box.values()):
        return NOTHING
    linear = all(degree(joint.expression) == 1 for joint in cell.joints)
    if linear and class_count(box, cell.joints) <= FEW_CLASSES:
        return _by_class(box, cell.joints)
    held = Cell(box, cell.joints)
    solved = _solved(cell.joints)
    if solved is not None:
        return _eliminated(held, solved, symbols)
    few = None if linear else _fewest(box)
    if few is not None:
        return _tried(box, cell.joints, few)
    opened = None if linear else _opened(held)
    if opened is not None:
        return united(_studied(_formula(each), symbols) for each in opened)
    return _by_class(box, cell.joints)


def _formula(cell: Cell) -> Formula:
    """The cell as a formula, with each comparison split again as far as possible."""
    limits = [axis(name, sizes) for name, sizes in cell.box.items()]
    return both([*limits, *(lower(joint) for joint in cell.joints)])


# ---------------------------------------------------------------------- equalities


@frozen
class _Solved:
    """An equality `comparison`, solved: `symbol` is `numerator / divisor`, an exact division."""

    comparison: Comparison
    symbol: str
    numerator: Dim
    divisor: int

    @property
    def value(self) -> Dim:
        return self.numerator // self.divisor


def _solved(joints: Sequence[Comparison]) -> _Solved | None:
    """An equality solved for a symbol, with the smallest divisor, or None."""
    found: list[_Solved] = []
    for comparison in joints:
        if comparison.relation is not Relation.EQUAL:
            continue
        for monomial, factor in comparison.expression.terms:
            if len(monomial) != 1 or not isinstance(monomial[0], str):
                continue
            rest = comparison.expression - Dim({monomial: factor})
            if monomial[0] not in rest.symbols:
                sign = -1 if factor > 0 else 1
                found.append(_Solved(comparison, monomial[0], rest * sign, abs(factor)))
    return min(found, key=lambda each: each.divisor, default=None)


def _eliminated(cell: Cell, solved: _Solved, symbols: Sequence[str]) -> Study:
    symbol, value = solved.symbol, solved.value
    rest = [name for name in symbols if name != symbol]
    parts: list[Formula] = [axis(name, cell.box[name]) for name in rest]
    parts.append(lower(divisible(solved.numerator, solved.divisor)))
    parts.append(_member(value, cell.box[symbol]))
    for other in cell.joints:
        if other is not solved.comparison:
            parts.append(lower(substitute(other, {symbol: value})))
    inner = both(parts)
    found = study(inner, rest)
    if found.least is None:
        return found
    least = _with(found.least, symbol, value)
    if len(rest) > 1 or not _grows(value):
        least = _smallest(inner, rest, symbol, value, least)
    models = tuple(_with(model, symbol, value) for model in found.models)
    return Study(found.extent, least, models, found.reason)


def _opened(cell: Cell) -> list[Cell] | None:
    """`e // d == t` as the d equalities `e == d * t + i`, which may be solvable for a symbol."""
    for comparison in cell.joints:
        if comparison.relation is not Relation.EQUAL:
            continue
        for monomial, factor in comparison.expression.terms:
            if len(monomial) != 1 or abs(factor) != 1 or not isinstance(monomial[0], FloorDiv):
                continue
            atom = monomial[0]
            if atom.divisor > MAX_OPENED:
                continue
            whole = (comparison.expression - Dim({monomial: factor})) * -factor
            others = tuple(joint for joint in cell.joints if joint is not comparison)
            exact = [equal(atom.numerator, atom.divisor * whole + i) for i in range(atom.divisor)]
            return [
                Cell(cell.box, (*others, each) if isinstance(each, Comparison) else others)
                for each in exact
                if each != FALSE
            ]
    return None


def _with(sizes: Sizes, symbol: str, value: Dim) -> Sizes:
    return {**sizes, symbol: value.evaluate(sizes)}


def _grows(value: Dim) -> bool:
    """Whether the value never decreases as its one symbol grows, so the order of sizes is kept."""
    return all(
        f > 0 and all(map(is_nondecreasing, monomial)) for monomial, f in value.terms if monomial
    )


def _smallest(
    inner: Formula, rest: Sequence[str], symbol: str, value: Dim, witness: Sizes
) -> Sizes:
    """The smallest solution, by listing solutions up to a sum that doubles until there is one.

    Returns `witness`, a known solution, if this takes too much work.
    """
    total = value
    for name in rest:
        total = total + Dim.symbol(name)
    bound, highest = len(rest) + 1, sum(witness.values())
    while bound < highest:
        bound = min(2 * bound, highest)
        listed = at_least(bound, total)
        found = within(left() // 2, partial(_listed, inner, listed, rest))
        if found is None:
            break
        if found.models:
            return min((_with(model, symbol, value) for model in found.models), key=order)
        if found.extent is not Extent.EMPTY:
            break
    return witness


def _listed(inner: Formula, listed: Condition, symbols: Sequence[str]) -> Study:
    return study(both([inner, lower(listed)]), symbols)


def _member(value: Dim, sizes: PeriodicSet) -> Formula:
    """The formula that the value is a size in the set."""
    if len(value.symbols) == 1:
        (name,) = value.symbols
        return axis(name, preimage(value, sizes))
    held = substitute(describe("n", sizes), {"n": value})
    return lower(conjunction([at_least(value, 1), held]))


# ---------------------------------------------------------------------- residue classes


def _by_class(box: Box, joints: Sequence[Comparison]) -> Study:
    outcome = by_class(box, joints)
    least = None
    if outcome.least is not None:
        least = dict(zip(sorted(box), outcome.least[1], strict=True))
    if outcome.unknown:
        found = _sampled(box, joints)
        if outcome.infinite and found.extent is Extent.UNKNOWN:
            known = [each for each in (least, found.least) if each is not None]
            return Study(Extent.INFINITE, _least(box, joints, min(known, key=order)))
        return found
    if least is None:
        return NOTHING
    if outcome.infinite:
        return Study(Extent.INFINITE, least)
    limits = zip(sorted(box), outcome.highest, strict=True)
    near = {name: box[name] & interval(1, highest) for name, highest in limits}
    symbol = _fewest(near)
    if symbol is None or prod(sizes.count() or 0 for sizes in near.values()) > MAX_TRIED:
        return Study(Extent.FINITE, least)
    return _tried(near, joints, symbol)


# ---------------------------------------------------------------------- trying sizes


def _fewest(box: Box) -> str | None:
    counts = {name: sizes.count() for name, sizes in box.items()}
    small = [(count, name) for name, count in counts.items() if count is not None]
    best = min(small, default=None)
    return best[1] if best is not None and best[0] <= MAX_TRIED else None


def _tried(box: Box, joints: Sequence[Comparison], symbol: str) -> Study:
    rest = [name for name in box if name != symbol]
    found = []
    for size in box[symbol].members():
        inner = study(_fixed(box, joints, {symbol: size}), rest)
        found.append(crossed(Study(Extent.FINITE, {symbol: size}, ({symbol: size},)), inner))
    return united(found)


def _fixed(box: Box, joints: Sequence[Comparison], sizes: Sizes) -> Formula:
    charge(2 + sum(len(joint.expression.terms) for joint in joints), "trying sizes one by one")
    parts: list[Formula] = [axis(name, held) for name, held in box.items() if name not in sizes]
    parts += [lower(substitute(joint, sizes)) for joint in joints]
    return both(parts)


def _sampled(box: Box, joints: Sequence[Comparison]) -> Study:
    """Search for infinitely many sizes of one or more symbols with the others fixed and small.

    The result is INFINITE if they are found, else UNKNOWN.
    """
    witness: Sizes | None = None
    for fixed in _small(box):
        free = [name for name in box if name not in fixed]
        found = study(_fixed(box, joints, fixed), free)
        if found.least is None:
            continue
        here = {**fixed, **found.least}
        witness = here if witness is None else min(witness, here, key=order)
        if found.extent is Extent.INFINITE:
            return Study(Extent.INFINITE, _least(box, joints, witness))
    text = " and ".join(f"`{joint.expression} {joint.relation} 0`" for joint in joints)
    return Study(Extent.UNKNOWN, witness, reason=f"{text} is outside what can be decided")


def _least(box: Box, joints: Sequence[Comparison], witness: Sizes) -> Sizes:
    """The smallest solution, whose sum is at most that of the witness.

    Returns `witness` itself if the search takes too much work.
    """
    highest = sum(witness.values()) - len(witness) + 1
    near = {name: sizes & interval(1, highest) for name, sizes in box.items()}
    symbol = _fewest(near)
    if symbol is None:
        return witness
    found = within(left() // 2, partial(_tried, near, joints, symbol))
    if found is None or found.least is None:  # a solution, but maybe not the smallest
        return witness
    return min(witness, found.least, key=order)


def _small(box: Box) -> Iterator[Sizes]:
    """Small sizes for all symbols but one, for each choice of the symbol left out."""
    depth = max(2, int(200 ** (1 / max(1, len(box) - 1))))
    small = {name: list(islice(sizes.members(), depth)) for name, sizes in box.items()}
    rows = []
    for left_out in box:
        names = [name for name in box if name != left_out]
        rows.append(
            [
                dict(zip(names, row, strict=True))
                for row in choices(*(small[name] for name in names))
            ]
        )
    for row in zip_longest(*rows):
        yield from (sizes for sizes in row if sizes is not None)
