"""Conditions separated by axis: sets of sizes per symbol, and relations between symbols.

An `Axis` restricts one symbol; a `Joint` is a comparison of several symbols that cannot be split.
A `Joint` may carry `parts`, an equivalent union of boxes, which is used to decide but not shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from operator import and_, or_
from typing import TypeAlias

from archspec.frozen import frozen
from archspec.types.condition import Comparison, evaluate
from archspec.types.meter import charge
from archspec.types.solver.periodic import EVERYTHING, PeriodicSet


@frozen
class Axis:
    """The symbol's size is in the set."""

    symbol: str
    sizes: PeriodicSet


@frozen
class Joint:
    """A comparison of several symbols."""

    comparison: Comparison
    parts: Formula | None = field(default=None, compare=False)


@frozen
class Both:
    """All parts hold."""

    parts: tuple[Formula, ...]


@frozen
class Either:
    """Some part holds."""

    parts: tuple[Formula, ...]


Formula: TypeAlias = "Axis | Joint | Both | Either"

YES: Formula = Both(())
NO: Formula = Either(())

Box: TypeAlias = dict[str, PeriodicSet]
"""A set of sizes for each restricted symbol."""


def axis(symbol: str, sizes: PeriodicSet) -> Formula:
    """The formula that the symbol's size is in the set; `YES` or `NO` where it is trivial."""
    if sizes.is_empty:
        return NO
    return YES if sizes.is_full else Axis(symbol, sizes)


def both(parts: Iterable[Formula]) -> Formula:
    """The conjunction; sets of one symbol are intersected, nested conjunctions flattened."""
    return _joined(parts, Both, and_, YES, NO)


def either(parts: Iterable[Formula]) -> Formula:
    """The disjunction; sets of one symbol are united, nested disjunctions flattened."""
    return _joined(parts, Either, or_, NO, YES)


def _joined(
    parts: Iterable[Formula],
    kind: type[Both] | type[Either],
    combine: Callable[[PeriodicSet, PeriodicSet], PeriodicSet],
    neutral: Formula,
    absorbing: Formula,
) -> Formula:
    box: Box = {}
    rest: dict[Formula, None] = {}
    stack = list(parts)[::-1]
    charge(1 + len(stack) // 2)
    while stack:
        part = stack.pop()
        if isinstance(part, kind):
            stack += part.parts[::-1]
            charge(len(part.parts) // 2)
        elif isinstance(part, Axis):
            known = box.get(part.symbol)
            box[part.symbol] = part.sizes if known is None else combine(known, part.sizes)
        else:
            rest.setdefault(part)
    if absorbing in rest:
        return absorbing
    kept = [axis(symbol, sizes) for symbol, sizes in box.items()]
    if absorbing in kept:
        return absorbing
    whole = [part for part in kept if part != neutral] + list(rest)
    return whole[0] if len(whole) == 1 else kind(tuple(whole))


def holds_at(formula: Formula, sizes: Mapping[str, int]) -> bool:
    """Whether the formula holds at the given sizes."""
    match formula:
        case Axis(symbol, held):
            return sizes[symbol] in held
        case Joint(comparison, _):
            return evaluate(comparison, sizes)
        case Both(parts):
            return all(holds_at(part, sizes) for part in parts)
        case Either(parts):
            return any(holds_at(part, sizes) for part in parts)


def leaves(formula: Formula) -> int:
    """The number of sets and comparisons in the formula."""
    if isinstance(formula, Both | Either):
        return sum(map(leaves, formula.parts))
    return 1


def joints_in(formula: Formula) -> bool:
    """Whether the formula contains a comparison of several symbols."""
    match formula:
        case Both(parts) | Either(parts):
            return any(map(joints_in, parts))
        case _:
            return isinstance(formula, Joint)


def opposite(formula: Formula) -> Formula:
    """The negation of a formula without `Joint`. Raises ValueError for a `Joint`."""
    match formula:
        case Axis(symbol, sizes):
            return axis(symbol, sizes.complement())
        case Both(parts):
            return either([opposite(part) for part in parts])
        case Either(parts):
            return both([opposite(part) for part in parts])
        case Joint():
            raise ValueError("a joint comparison is negated as a condition")


def symbols_in(formula: Formula) -> frozenset[str]:
    """The symbols in the formula."""
    match formula:
        case Axis(symbol, _):
            return frozenset({symbol})
        case Joint(comparison, _):
            return comparison.expression.symbols
        case Both(parts) | Either(parts):
            return frozenset().union(*map(symbols_in, parts))


def from_boxes(boxes: Iterable[Box]) -> Formula:
    """The union of boxes, with boxes that differ along one axis merged."""
    return either([both([axis(s, sizes) for s, sizes in box.items()]) for box in merged(boxes)])


def merged(boxes: Iterable[Box]) -> list[Box]:
    """The same union with fewer boxes."""
    kept = [box for box in boxes if not any(sizes.is_empty for sizes in box.values())]
    symbols = sorted({symbol for box in kept for symbol in box})
    before = len(kept) + 1
    while len(kept) < before:
        before = len(kept)
        charge(len(kept) * len(symbols) * (1 + len(symbols)) // 3)
        for symbol in symbols:
            kept = _merged_along(symbol, kept)
    return kept


def _merged_along(symbol: str, boxes: list[Box]) -> list[Box]:
    groups: dict[frozenset[tuple[str, PeriodicSet]], PeriodicSet] = {}
    for box in boxes:
        rest = frozenset((name, sizes) for name, sizes in box.items() if name != symbol)
        here = box.get(symbol, EVERYTHING)
        known = groups.get(rest)
        groups[rest] = here if known is None else known | here
    return [{**dict(rest), symbol: sizes} for rest, sizes in groups.items()]


@frozen
class Cell:
    """A box with comparisons that relate its symbols."""

    box: Mapping[str, PeriodicSet]
    joints: tuple[Comparison, ...] = ()


def cells(formula: Formula) -> list[Cell]:
    """The formula as a union of cells."""
    match formula:
        case Axis(symbol, sizes):
            return [Cell({symbol: sizes})]
        case Joint(comparison, parts):
            return [Cell({}, (comparison,))] if parts is None else cells(parts)
        case Either(parts):
            return [cell for part in parts for cell in cells(part)]
        case Both(parts):
            found = [Cell({})]
            for part in sorted(parts, key=lambda part: isinstance(part, Either | Joint)):
                choices = cells(part)
                charge(1 + len(found) * len(choices), "distinguishing the cases")
                crossed = [_intersection(one, two) for one in found for two in choices]
                found = [cell for cell in crossed if cell is not None]
            return found


def _intersection(one: Cell, two: Cell) -> Cell | None:
    box = dict(one.box)
    for symbol, sizes in two.box.items():
        known = box.get(symbol)
        box[symbol] = sizes if known is None else known & sizes
        if box[symbol].is_empty:
            return None
    return Cell(box, tuple(dict.fromkeys(one.joints + two.joints)))
