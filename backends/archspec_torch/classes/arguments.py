"""Which constants of a class become constructor arguments, and under which names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from archspec.frozen import frozen
from archspec_torch.code.names import identifier, python_names
from archspec_torch.code.pieces import Code, Hole, code

Values: TypeAlias = tuple[Any, ...]
"""A constant in each specialisation."""

LARGEST_FACTOR = 16
"""A constant is written as a multiple or part of an argument of the definition up to this."""

LARGEST_OWN_FACTOR = 4
"""The same among constants that have no name in the definition."""

LEAST_SIZE = 4
"""Smaller numbers are strides or counts: that one is a multiple of another means nothing."""

VAGUE = ("", "size", "value", "divisor", "position", "end", "table", "amount")
"""Hints that say little; another one for the same constant is preferred."""


@frozen
class Parameter:
    """A constructor argument, with its value in each specialisation."""

    name: str
    values: Values


@frozen
class Ratio:
    """`times * name // by`."""

    name: str
    times: int = 1
    by: int = 1

    def code(self, own: str) -> Code:
        """As an expression; `own` stands before the name."""
        if self.times > 1:
            return code(f"{self.times} * {own}{self.name}")
        return code(f"{own}{self.name}" + (f" // {self.by}" if self.by > 1 else ""))


def choose_arguments(
    rows: Sequence[Sequence[Hole]], given: Mapping[str, Values], reserved: set[str]
) -> tuple[list[Ratio | None], list[Parameter]]:
    """For each hole what fills it (None: its constant), and the arguments, in order of use.

    `rows` has the holes of each specialisation, `given` the arguments of the definition.
    """
    columns = [tuple(hole.value for hole in holes) for holes in zip(*rows, strict=True)]
    hints = _hints(rows[0] if rows else (), columns)
    taken = python_names((*reserved, *given))
    by_text = {repr(values): name for name, values in reversed(list(given.items()))}
    chosen: dict[str, Ratio] = {}
    own: dict[str, Values] = {}
    for values in columns:
        text = repr(values)
        if text in chosen or _constant(values):
            continue
        if text in by_text:
            chosen[text] = Ratio(by_text[text])
            continue
        found = _ratio(values, given, LARGEST_FACTOR)
        if found is None:
            name = taken.fresh(identifier(hints[text], "value"))
            own[name] = values
            found = Ratio(name)
        chosen[text] = found
    _fold(own, chosen)
    filled = [None if _constant(values) else chosen[repr(values)] for values in columns]
    used = dict.fromkeys(item.name for item in filled if item is not None)
    known = {**given, **own}
    return filled, [Parameter(name, known[name]) for name in used]


def _constant(values: Values) -> bool:
    return all(repr(value) == repr(values[0]) for value in values)


def _hints(holes: Sequence[Hole], columns: Sequence[Values]) -> dict[str, str]:
    """The most telling hint of each constant."""
    found: dict[str, str] = {}
    for hole, values in zip(holes, columns, strict=True):
        if found.get(repr(values), "") in VAGUE:
            found[repr(values)] = (
                hole.hint if hole.hint not in VAGUE else found.get(repr(values), hole.hint)
            )
    return found


def _ratio(values: Values, bases: Mapping[str, Values], largest: int) -> Ratio | None:
    """`values` as a multiple or part of a base."""
    if not _sizes(values):
        return None
    for name, base in bases.items():
        if not _sizes(base):
            continue
        times = _factor(values, base)
        if 1 < times <= largest:
            return Ratio(name, times=times)
        by = _factor(base, values)
        if 1 < by <= largest:
            return Ratio(name, by=by)
    return None


def _sizes(values: Values) -> bool:
    return all(type(value) is int and value >= LEAST_SIZE for value in values)


def _factor(values: Values, base: Values) -> int:
    """The number that all values are the base times; 0 for none."""
    factor = int(values[0]) // int(base[0])
    fits = all(value == factor * one for value, one in zip(values, base, strict=True))
    return factor if fits else 0


def _fold(own: Mapping[str, Values], chosen: dict[str, Ratio]) -> None:
    """Write constants without a name in the definition as multiples of each other."""
    bases = dict(own)
    for name, values in own.items():
        others = {other: known for other, known in bases.items() if other != name}
        found = _ratio(values, others, LARGEST_OWN_FACTOR)
        if found is not None and found.times > 1:
            chosen[repr(values)] = found
            del bases[name]
