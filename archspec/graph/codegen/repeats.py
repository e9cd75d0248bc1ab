"""Repetitions: runs of items that differ at most in constants, and sequences with iterations."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterator, Sequence
from dataclasses import field
from itertools import pairwise
from typing import Any, TypeAlias

from archspec.frozen import frozen
from archspec.graph.codegen.identifiers import numbered
from archspec.graph.codegen.progressions import progression
from archspec.graph.expression import Expression, has_names

SHORTEST = 2
"""Minimal number of equal items that become a loop."""

SHORTEST_VARYING = 3
"""Minimal number of items with different constants that become a loop."""

SHORTEST_ALTERNATING = 4
"""Minimal number of items with two alternating constants that become a loop."""

SHORTEST_ITERATIONS = 3
"""Minimal number of iterations that become a loop."""

LONGEST_ITERATION = 40
"""Maximal number of items of an iteration."""


@frozen
class Form:
    """An item that may repeat: its structure without constants, and its constants in order.

    `origins` are the expressions in the spec of the constants, if all of them may be used: None for
    a constant without one.
    """

    structure: Hashable
    constants: tuple[Any, ...] = ()
    origins: tuple[Expression | None, ...] = field(default=(), compare=False)


@frozen
class Same:
    """A constant that is the same in each iteration of a run."""

    value: Any


@frozen
class Steps:
    """Integers in steps: `first + step * iteration`."""

    first: int
    step: int


@frozen
class Table:
    """Numbers without a rule, one for each iteration."""

    values: tuple[float, ...]


@frozen
class Alternating:
    """A constant that is that of iteration 0 in even iterations, and that of 1 in odd ones."""


@frozen
class Formula:
    """A number that is computed from `ITERATION` and names of the block."""

    expression: Expression


Column: TypeAlias = "Same | Steps | Table | Alternating | Formula"
"""One constant over all iterations of a run."""


def runs(
    forms: Sequence[Form],
    names: Sequence[str] | None = None,
    counts: Callable[[], Collection[int]] = tuple,
) -> list[int]:
    """The lengths of the runs, in order; a single item is a run of one.

    With `names`, those of a run are numbered: `layer1`, `layer2`, ... `counts` returns the values
    of names that the spec has for numbers of iterations.
    """
    found: list[int] = []
    at = 0
    while at < len(forms):
        length = _length(forms, at, names)
        found += [length] if is_run(forms[at : at + length], counts) else [1] * length
        at += length
    return found


def is_run(forms: Sequence[Form], counts: Callable[[], Collection[int]] = tuple) -> bool:
    """Whether items of one structure are enough for a loop, and the loop can be written.

    Two items with different constants are if the loop of the spec has a name for their number, so
    that it is one loop for all values of that name.
    """
    if len(forms) < SHORTEST or len({form.structure for form in forms}) > 1:
        return False
    found = _columns(forms)
    if any(column is None for column in found):
        return False
    if len(forms) >= SHORTEST_VARYING or all(isinstance(one, Same) for one in found):
        return True
    return all(isinstance(one, Same | Formula) for one in found) and len(forms) in counts()


def columns(run: Sequence[Form]) -> Iterator[Column]:
    """Each constant of a run as a function of the iteration."""
    yield from (column for column in _columns(run) if column is not None)


def _columns(run: Sequence[Form]) -> list[Column | None]:
    """Each constant of a run as a function of the iteration; None for one without a rule."""
    values = zip(*(form.constants for form in run), strict=True)
    unknown = [(None,) * len(run)] * len(run[0].constants)
    origins = [*zip(*(form.origins for form in run), strict=True)] or unknown
    return [_column(*both) for both in zip(values, origins, strict=True)]


def _column(values: Sequence[Any], origins: Sequence[Expression | None]) -> Column | None:
    """One constant: by its values if they are integers in steps, otherwise by its expressions."""
    step = _step(values)
    if step:
        return Steps(values[0], step)
    expressions = [one for one in origins if one is not None]
    if len(expressions) == len(values):
        found = progression(expressions) if any(map(has_names, expressions)) else None
        if found is not None:
            return Formula(found)
        keys: Sequence[Any] = expressions
    else:
        keys = [*map(repr, values)]
    if _alternates(keys) and _alternates([*map(repr, values)], also_equal=True):
        return Alternating()
    if _is_same(values):
        named = {one for one in origins if one is not None and has_names(one)}
        is_known = None not in origins and len(named) > 1
        return None if is_known else Same(values[0])
    if all(isinstance(value, float) for value in values):
        return Table(tuple(values))
    return None


def _alternates(items: Sequence[Any], also_equal: bool = False) -> bool:
    """Whether every item is equal to the one before the last, but not all are (or may be)."""
    if len(items) < SHORTEST_ALTERNATING or (items[0] == items[1] and not also_equal):
        return False
    return all(a == b for a, b in zip(items, items[2:], strict=False))


def _length(forms: Sequence[Form], at: int, names: Sequence[str] | None) -> int:
    end = at + 1
    while end < len(forms) and forms[end].structure == forms[at].structure:
        if names is not None and numbered(names[at : end + 1]) is None:
            break
        end += 1
    if end - at < SHORTEST_VARYING:
        return end - at
    # the first or last item may have constants outside the pattern: leave it out
    for start_cut, end_cut in ((0, 0), (1, 0), (0, 1)):
        if _is_regular(forms[at + start_cut : end - end_cut]):
            return end - at if not (start_cut or end_cut) else (1 if start_cut else end - at - 1)
    return _equal_prefix(forms, at, end)


def _equal_prefix(forms: Sequence[Form], at: int, end: int) -> int:
    length = 1
    while at + length < end and forms[at + length] == forms[at]:
        length += 1
    return length


def _is_regular(run: Sequence[Form]) -> bool:
    """Whether all constants have a rule."""
    return len(run) >= SHORTEST and None not in _columns(run)


def _is_same(values: Sequence[Any]) -> bool:
    return len(set(map(repr, values))) == 1


def _step(values: Sequence[Any]) -> int | None:
    if not all(isinstance(value, int) and not isinstance(value, bool) for value in values):
        return None
    step = int(values[1]) - int(values[0])
    regular = all(b - a == step for a, b in pairwise(values))
    return step if regular else None


# ---------------------------------------------------------------------- iterations


def iterations(
    mentions: Sequence[Sequence[int]], size: int, form: Callable[[int, int], Hashable]
) -> tuple[int, int] | None:
    """Start and length of the first iteration, in a sequence with one for each of several children.

    `mentions` has the positions in the sequence that mention each child, `size` is the length of
    the sequence, and `form(place, child)` the item at a position without that child: these are
    equal in all iterations, and mention no other child.
    """
    found = longest_iterations(mentions, size, form)
    if found is None or found[2] < max(len(mentions), SHORTEST_ITERATIONS):
        return None
    return found[:2]


def longest_iterations(
    mentions: Sequence[Sequence[int]],
    size: int,
    form: Callable[[int, int], Hashable],
    first: int = 0,
) -> tuple[int, int, int] | None:
    """Start, length and number of iterations of the children from `first` on, as many as fit.

    The arguments are those of `iterations`. There are at least two.
    """
    if first + 1 >= len(mentions) or not mentions[first] or not mentions[first + 1]:
        return None
    at = mentions[first][0]
    length = mentions[first + 1][0] - at
    if not 0 < length <= LONGEST_ITERATION:
        return None
    best = (at, length, 1)
    for start in range(at, max(at - length, -1), -1):
        count = _iterations_from(mentions[first:], start, length, size, form, first)
        if count > best[2]:
            best = (start, length, count)
    return best if best[2] > 1 else None


def _iterations_from(
    mentions: Sequence[Sequence[int]],
    start: int,
    length: int,
    size: int,
    form: Callable[[int, int], Hashable],
    first: int,
) -> int:
    wanted = [form(start + place, first) for place in range(length)]
    for child, places in enumerate(mentions):
        at = start + child * length
        if not places or at + length > size:
            return child
        if not all(at <= place < at + length for place in places):
            return child
        if any(form(at + place, first + child) != wanted[place] for place in range(length)):
            return child
    return len(mentions)
