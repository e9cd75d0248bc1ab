"""Repeats as loops: runs of equal children of a container become a comprehension."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from archspec.frozen import frozen
from archspec_torch.code import (
    Code,
    Hole,
    call,
    code,
    comprehension,
    holes,
    kind,
    literal,
    replace,
    skeleton,
)

SHORTEST = 2
"""Least number of equal children that become a loop."""

SHORTEST_VARYING = 3
"""Least number of children that differ in constants and still become a loop."""


@frozen
class Run:
    """Children that differ at most in constants: `codes[i]` is child i."""

    codes: tuple[Code, ...]


def compress(items: Sequence[Code]) -> list[Code]:
    """The items of a list display, runs written as `*[... for ...]`."""
    return [_written(run) for run in _runs(items)]


def compress_named(names: Sequence[str], items: Sequence[Code]) -> list[Code]:
    """Items of an OrderedDict: `("name", child)`, runs with numbered names as comprehensions."""
    result: list[Code] = []
    at = 0
    for run in _runs(items, names):
        labels = names[at : at + len(run.codes)]
        at += len(run.codes)
        if len(labels) == 1:
            result.append(call("", literal(labels[0]), run.codes[0]))
            continue
        child, head = _comprehension(run, _name_code(labels))
        pair = call("", _name_code(labels), child)
        result.append(comprehension(pair, head, star=True))
    return result


def numbered_comprehension(
    names: Sequence[str], items: Sequence[Code]
) -> tuple[Code, Code, Code] | None:
    """Code of name, child and `for i in range(n)` where all items are one run."""
    if len(items) < SHORTEST or numbered_names(names) is None or not _worth(items):
        return None
    if len({skeleton(item) for item in items}) > 1:
        return None
    child, head = _comprehension(Run(tuple(items)), _name_code(names))
    return _name_code(names), child, head


def _name_code(labels: Sequence[str]) -> Code:
    """`f"layer{i + 1}"`."""
    prefix, first = numbered_names(labels) or ("", 0)
    number = f"{{i + {first}}}" if first else "{i}"
    safe = literal(prefix)[1:-1].replace("{", "{{").replace("}", "}}")
    return code(f'f"{safe}{number}"')


def _runs(items: Sequence[Code], names: Sequence[str] | None = None) -> list[Run]:
    runs: list[Run] = []
    at = 0
    while at < len(items):
        length = _length(items, at, names)
        part = tuple(items[at : at + length])
        runs += [Run(part)] if _worth(part) else [Run((item,)) for item in part]
        at += length
    return runs


def _length(items: Sequence[Code], at: int, names: Sequence[str] | None) -> int:
    shape = skeleton(items[at])
    end = at + 1
    while end < len(items) and skeleton(items[end]) == shape:
        if names is not None and numbered_names(names[at : end + 1]) is None:
            break
        end += 1
    if end - at < SHORTEST_VARYING:
        return end - at
    # a run may begin or end with a child whose constants fit no pattern: leave those out
    for start_cut, end_cut in ((0, 0), (1, 0), (0, 1)):
        part = items[at + start_cut : end - end_cut]
        if _regular(part):
            return end - at if not (start_cut or end_cut) else (1 if start_cut else end - at - 1)
    return _equal_prefix(items, at, end)


def _equal_prefix(items: Sequence[Code], at: int, end: int) -> int:
    length = 1
    while at + length < end and items[at + length] == items[at]:
        length += 1
    return length


def _worth(part: Sequence[Code]) -> bool:
    if len(part) < SHORTEST:
        return False
    if all(item == part[0] for item in part):
        return True
    return len(part) >= SHORTEST_VARYING and _regular(part)


def _regular(part: Sequence[Code]) -> bool:
    """Whether constants are equal, in steps, or floats that a tuple can list."""
    if len(part) < SHORTEST:
        return False
    for values in zip(*([hole.value for hole in holes(item)] for item in part), strict=True):
        if len(set(map(repr, values))) == 1 or _step(values) is not None:
            continue
        if not all(isinstance(value, float) for value in values):
            return False
    return True


def _step(values: Sequence[Any]) -> int | None:
    if not all(isinstance(value, int) and not isinstance(value, bool) for value in values):
        return None
    step = int(values[1]) - int(values[0])
    regular = all(b - a == step for a, b in pairwise(values))
    return step if regular else None


def numbered_names(labels: Sequence[str]) -> tuple[str, int] | None:
    """Prefix and first number of `layer1`, `layer2`, ..."""
    digits = len(labels[0]) - len(labels[0].rstrip("0123456789"))
    if not digits or not labels[0].isascii():
        return None
    prefix, first = labels[0][:-digits], int(labels[0][-digits:])
    expected = [f"{prefix}{first + number}" for number in range(len(labels))]
    return (prefix, first) if expected == list(labels) else None


def _written(run: Run) -> Code:
    if len(run.codes) == 1:
        return run.codes[0]
    child, head = _comprehension(run, ())
    return comprehension(child, head, star=True)


def _comprehension(run: Run, name: Code) -> tuple[Code, Code]:
    """`child` and `for i in range(n)`, or over a tuple of floats."""
    columns = list(zip(*([hole.value for hole in holes(item)] for item in run.codes), strict=True))
    tables: dict[tuple[Any, ...], str] = {}
    position = iter(columns)
    uses_index = bool(name)

    def change(hole: Hole) -> Code:
        nonlocal uses_index
        values = next(position)
        if len(set(map(repr, values))) == 1:
            return code(hole)
        step = _step(values)
        if step is None:
            return code(tables.setdefault(values, _table_name(hole, tables)))
        uses_index = True
        index = code(Hole(step, f"{hole.hint}_step"), " * i") if step != 1 else code("i")
        return code(hole, " + ", index) if values[0] else index

    child = replace(run.codes[0], change)
    target, source = _loop(tables, len(run.codes), uses_index)
    return child, code(f"for {target} in ", source)


def _table_name(hole: Hole, tables: dict[tuple[Any, ...], str]) -> str:
    wanted = hole.hint if hole.hint.isidentifier() else kind(hole.value)
    return wanted if wanted not in tables.values() else f"{wanted}_{len(tables)}"


def _loop(tables: dict[tuple[Any, ...], str], count: int, uses_index: bool) -> tuple[str, Code]:
    if not tables:
        times = code("range(", Hole(count, "depth"), ")")
        return ("i" if uses_index else "_"), times
    if len(tables) == 1:
        ((values, target),) = tables.items()
        source = code(Hole(values, f"{target}_values"))
    else:
        target = ", ".join(tables.values())
        rows = tuple(zip(*tables, strict=True))
        source = code(Hole(rows, "table"))
    if uses_index:
        target = f"i, ({target})" if len(tables) > 1 else f"i, {target}"
        source = code("enumerate(", source, ")")
    return target, source
