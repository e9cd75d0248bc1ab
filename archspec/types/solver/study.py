"""Which sizes satisfy a formula: none, finitely many, or infinitely many, and the smallest.

A formula without joint comparisons is a union of boxes and answers at once. Joint comparisons are
worked off: an equality gives one symbol in terms of the others, a symbol with few possible sizes
is tried at each, bounds are passed from symbol to symbol, linear relations are decided class by
class. What is left after that is unknown, and says why.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from itertools import product as choices

from archspec.types.condition import (
    Comparison,
    Condition,
    Relation,
    at_least,
    conjunction,
    disjunction,
    equal,
    substitute,
)
from archspec.types.dim import Dim
from archspec.types.solver.bounds import tightened
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
from archspec.types.solver.residue import degree

FEW_CLASSES = 64
"""Linear relations with no more residue classes than this are decided class by class at once."""

MAX_TRIED = 2_000
"""Sizes of one symbol that are tried one by one."""


def study(formula: Formula, symbols: Iterable[str], budget: int) -> Study:
    """All sizes of `symbols` that satisfy the formula, split by connected symbols first."""
    found = Study(Extent.FINITE, {}, ({},))
    for names, part in components(formula, symbols):
        found = crossed(found, _studied(part, names, budget))
        if found.extent is Extent.EMPTY:
            return NOTHING
    return found


def components(formula: Formula, symbols: Iterable[str]) -> list[tuple[list[str], Formula]]:
    """The conjuncts, grouped so that groups share no symbol."""
    parts = formula.parts if isinstance(formula, Both) else (formula,)
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


def _studied(formula: Formula, symbols: Sequence[str], budget: int) -> Study:
    return united(_of_cell(cell, symbols, budget) for cell in cells(formula, budget))


def _of_cell(cell: Cell, symbols: Sequence[str], budget: int) -> Study:
    if not cell.joints:
        return of_box({name: cell.box.get(name, EVERYTHING) for name in symbols})
    box = tightened(cell, symbols, budget)
    if any(sizes.is_empty for sizes in box.values()):
        return NOTHING
    linear = all(degree(joint.expression) == 1 for joint in cell.joints)
    if linear and class_count(box, cell.joints) <= FEW_CLASSES:
        return _by_class(box, cell.joints, budget)
    solved = _substitution(cell.joints)
    if solved is not None:
        return _eliminated(Cell(box, cell.joints), solved, symbols, budget)
    few = None if linear else _fewest(box)
    if few is not None:
        return _tried(box, cell.joints, few, budget)
    return _by_class(box, cell.joints, budget)


# ---------------------------------------------------------------------- equalities


def _substitution(joints: Sequence[Comparison]) -> tuple[Comparison, str, Dim] | None:
    """An equality that gives a symbol as a Dim of the others."""
    for comparison in joints:
        if comparison.relation is not Relation.EQUAL:
            continue
        for monomial, factor in comparison.expression.terms:
            if len(monomial) != 1 or abs(factor) != 1 or not isinstance(monomial[0], str):
                continue
            symbol = monomial[0]
            rest = comparison.expression - Dim({monomial: factor})
            if symbol not in rest.symbols:
                return comparison, symbol, rest * -factor
    return None


def _eliminated(
    cell: Cell, solved: tuple[Comparison, str, Dim], symbols: Sequence[str], budget: int
) -> Study:
    comparison, symbol, value = solved
    rest = [name for name in symbols if name != symbol]
    parts: list[Formula] = [axis(name, cell.box[name]) for name in rest]
    parts.append(lower(membership(value, cell.box[symbol]), budget))
    for other in cell.joints:
        if other is not comparison:
            parts.append(lower(substitute(other, {symbol: value}), budget))
    inner = both(parts)
    found = study(inner, rest, budget)
    if found.least is None:
        return found
    least = _with(found.least, symbol, value)
    if len(rest) > 1 or not _grows(value):
        least = _smallest(inner, rest, symbol, value, least, budget)
    models = tuple(_with(model, symbol, value) for model in found.models)
    return Study(found.extent, least, models, found.reason)


def _with(sizes: Sizes, symbol: str, value: Dim) -> Sizes:
    return {**sizes, symbol: value.evaluate(sizes)}


def _grows(value: Dim) -> bool:
    """Whether it never falls when its one symbol grows, which keeps the order of sizes."""
    return all(factor > 0 for monomial, factor in value.terms if monomial)


def _smallest(
    inner: Formula, rest: Sequence[str], symbol: str, value: Dim, witness: Sizes, budget: int
) -> Sizes:
    """The smallest solution, by listing those up to a sum that is doubled until there is one."""
    total = value
    for name in rest:
        total = total + Dim.symbol(name)
    bound, highest = len(rest) + 1, sum(witness.values())
    while bound < highest:
        bound = min(2 * bound, highest)
        within = lower(at_least(bound, total), budget)
        found = study(both([inner, within]), rest, budget)
        if found.models:
            return min((_with(model, symbol, value) for model in found.models), key=order)
        if found.extent is not Extent.EMPTY:
            break
    return witness


def membership(value: Dim, sizes: PeriodicSet) -> Condition:
    """`value` is a member of the set, as a condition."""
    parts: list[Condition] = []
    full = (1 << sizes.period) - 1
    for (start, stop), mask in zip(sizes.spans(), sizes.masks, strict=True):
        if not mask:
            continue
        piece = [at_least(value, start)]
        if stop is not None:
            piece.append(at_least(stop - 1, value))
        if mask != full:
            members = [r for r in range(sizes.period) if mask >> r & 1]
            piece.append(disjunction(equal(value % sizes.period, r) for r in members))
        parts.append(conjunction(piece))
    return disjunction(parts)


# ---------------------------------------------------------------------- residue classes


def _by_class(box: Box, joints: Sequence[Comparison], budget: int) -> Study:
    outcome = by_class(box, joints, budget)
    least = None
    if outcome.least is not None:
        least = dict(zip(sorted(box), outcome.least[1], strict=True))
    if outcome.unknown:
        found = _sampled(box, joints, budget)
        if outcome.infinite and found.extent is Extent.UNKNOWN:
            known = [each for each in (least, found.least) if each is not None]
            return Study(Extent.INFINITE, _least(box, joints, min(known, key=order), budget))
        return found
    if least is None:
        return NOTHING
    if outcome.infinite:
        return Study(Extent.INFINITE, least)
    limits = zip(sorted(box), outcome.highest, strict=True)
    near = {name: box[name] & interval(1, highest) for name, highest in limits}
    symbol = _fewest(near)
    return Study(Extent.FINITE, least) if symbol is None else _tried(near, joints, symbol, budget)


# ---------------------------------------------------------------------- trying sizes


def _fewest(box: Box) -> str | None:
    counts = {name: sizes.count() for name, sizes in box.items()}
    small = [(count, name) for name, count in counts.items() if count is not None]
    best = min(small, default=None)
    return best[1] if best is not None and best[0] <= MAX_TRIED else None


def _tried(box: Box, joints: Sequence[Comparison], symbol: str, budget: int) -> Study:
    rest = [name for name in box if name != symbol]
    found = []
    for size in box[symbol].members():
        inner = study(_fixed(box, joints, {symbol: size}, budget), rest, budget)
        found.append(crossed(Study(Extent.FINITE, {symbol: size}, ({symbol: size},)), inner))
    return united(found)


def _fixed(box: Box, joints: Sequence[Comparison], sizes: Sizes, budget: int) -> Formula:
    parts: list[Formula] = [axis(name, held) for name, held in box.items() if name not in sizes]
    parts += [lower(substitute(joint, sizes), budget) for joint in joints]
    return both(parts)


def _sampled(box: Box, joints: Sequence[Comparison], budget: int) -> Study:
    """Infinite along one symbol while the others stay small: that much a search can prove."""
    witness: Sizes | None = None
    for fixed in _small(box):
        free = [name for name in box if name not in fixed]
        found = study(_fixed(box, joints, fixed, budget), free, budget)
        if found.least is None:
            continue
        here = {**fixed, **found.least}
        witness = here if witness is None else min(witness, here, key=order)
        if found.extent is Extent.INFINITE:
            return Study(Extent.INFINITE, _least(box, joints, witness, budget))
    text = " and ".join(f"`{joint.expression} {joint.relation} 0`" for joint in joints)
    return Study(Extent.UNKNOWN, witness, reason=f"{text} is outside what can be decided")


def _least(box: Box, joints: Sequence[Comparison], witness: Sizes, budget: int) -> Sizes:
    """The smallest solution: its sum is at most that of the witness."""
    highest = sum(witness.values()) - len(witness) + 1
    near = {name: sizes & interval(1, highest) for name, sizes in box.items()}
    symbol = _fewest(near)
    found = NOTHING if symbol is None else _tried(near, joints, symbol, budget)
    return witness if found.least is None else min(witness, found.least, key=order)


def _small(box: Box) -> Iterator[Sizes]:
    """Small sizes for all symbols but one, for each symbol left out in turn."""
    depth = max(2, int(200 ** (1 / max(1, len(box) - 1))))
    for left_out in box:
        names = [name for name in box if name != left_out]
        for row in choices(*(list(islice(box[name].members(), depth)) for name in names)):
            yield dict(zip(names, row, strict=True))
