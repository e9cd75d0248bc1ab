"""Repetitions as loops: runs of equal children of a container become a comprehension."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

from archspec.graph.codegen.identifiers import numbered
from archspec.graph.codegen.repeats import Form, Same, Steps, Table, columns, is_run, runs
from archspec.graph.expression import Expression, Number, has_names, names_in
from archspec_torch.code.pieces import (
    COUNT,
    Code,
    Hole,
    call,
    code,
    comprehension,
    holes,
    kind,
    replace,
    skeleton,
)
from archspec_torch.code.sums import difference
from archspec_torch.code.text import literal

T = TypeVar("T")


def compress(items: Sequence[Code], modules: Sequence[str] = ()) -> list[Code]:
    """The items of a list display, runs written as `*[... for ...]`.

    `modules` are the items as the code accesses them: `self.layers[0]`.
    """
    result: list[Code] = []
    lengths = _lengths(items)
    places = modules or [""] * len(items)
    for run, place in zip(_cut(items, lengths), _cut(places, lengths), strict=True):
        if len(run) == 1:
            result.append(run[0])
        else:
            child, head = _comprehension(run, (), place[0])
            result.append(comprehension(child, head, star=True))
    return result


def compress_named(names: Sequence[str], items: Sequence[Code]) -> list[Code]:
    """Items of an OrderedDict: `("name", child)`, runs with numbered names as comprehensions."""
    result: list[Code] = []
    lengths = _lengths(items, names)
    for run, labels in zip(_cut(items, lengths), _cut(names, lengths), strict=True):
        if len(run) == 1:
            result.append(call("", literal(labels[0]), run[0]))
            continue
        child, head = _comprehension(run, _name_code(labels))
        pair = call("", _name_code(labels), child)
        result.append(comprehension(pair, head, star=True))
    return result


def numbered_comprehension(
    names: Sequence[str], items: Sequence[Code]
) -> tuple[Code, Code, Code] | None:
    """Code of name, child and `for i in range(n)` if all items are one run."""
    forms = [_form(item) for item in items]
    if not is_run(forms) or numbered(names) is None or len([*_segments(items)]) > 1:
        return None
    child, head = _comprehension(items, _name_code(names))
    return _name_code(names), child, head


def _lengths(items: Sequence[Code], names: Sequence[str] | None = None) -> list[int]:
    """The lengths of runs, within each of which equal numbers have one expression."""
    found: list[int] = []
    for start, end in _segments(items):
        forms = [_form(item) for item in items[start:end]]
        found += runs(forms, names[start:end] if names is not None else None)
    return found


def _segments(items: Sequence[Code]) -> Iterator[tuple[int, int]]:
    """The parts of a list between items whose numbers, or steps, are equal by chance."""
    start = 0
    numbers = [[*holes(item)] for item in items]
    for at in range(1, len(items)):
        before = numbers[at - 2] if at - start > 1 else None
        if _differ(numbers[at - 1], numbers[at]) or (
            before is not None and _step_otherwise(before, numbers[at - 1], numbers[at])
        ):
            yield start, at
            start = at
    yield start, len(items)


def _differ(one: Sequence[Hole], two: Sequence[Hole]) -> bool:
    return any(map(_are_equal_by_chance, one, two))


def _step_otherwise(*each_time: Sequence[Hole]) -> bool:
    """Whether a number is larger than the one before by another expression than that was."""
    for one, two, three in zip(*each_time, strict=False):
        if {type(one.value), type(two.value), type(three.value)} != {int}:
            continue
        step = two.value - one.value
        is_even = step != 0 and step == three.value - two.value
        if is_even and _step(one, two) != _step(two, three):
            return True
    return False


def _are_equal_by_chance(one: Hole, two: Hole) -> bool:
    """Whether the spec has different expressions for two equal numbers."""
    return (
        type(one.value) in (int, float)
        and one.value == two.value
        and one.origin != two.origin
        and all(hole.origin is not None and has_names(hole.origin) for hole in (one, two))
    )


def _form(item: Code) -> Form:
    return Form(skeleton(item), tuple(hole.value for hole in holes(item)))


def _cut(items: Sequence[T], lengths: Sequence[int]) -> Iterator[Sequence[T]]:
    """Consecutive parts of these lengths."""
    rest = iter(items)
    for length in lengths:
        yield list(islice(rest, length))


def _name_code(labels: Sequence[str]) -> Code:
    """`f"layer{i + 1}"`."""
    prefix, first = numbered(labels) or ("", 0)
    number = f"{{i + {first}}}" if first else "{i}"
    safe = literal(prefix)[1:-1].replace("{", "{{").replace("}", "}}")
    return code(f'f"{safe}{number}"')


def _comprehension(run: Sequence[Code], name: Code, start: str = "") -> tuple[Code, Code]:
    """`child` and `for i in range(n)`, or over a tuple of floats."""
    rest = columns([_form(item) for item in run])
    places = zip(*map(holes, run), strict=True)
    tables: dict[tuple[float, ...], str] = {}
    uses_index = bool(name)
    read: dict[str, None] = {}  # the names on which values of tables depend

    def change(hole: Hole) -> Code:
        nonlocal uses_index
        each_time = next(places)
        following = each_time[1]
        match next(rest):
            case Same():
                return code(hole)
            case Table(values):
                read.update((name, None) for one in each_time for name in _names_read(one))
                return code(tables.setdefault(values, _table_name(hole, tables)))
            case Steps(first, step):
                uses_index = True
                origin = _step(hole, following)
                is_one = step == 1 and origin is None
                each = code(Hole(step, f"{hole.hint}_step", origin), " * i")
                index = code("i") if is_one else each
                return code(hole, " + ", index) if first else index

    child = replace(run[0], change)
    target, source = _loop(tables, Hole(len(run), COUNT, start=start), uses_index, (*read,))
    return child, code(f"for {target} in ", source)


def _step(hole: Hole, following: Hole) -> Expression | None:
    """The expression by which a number of an iteration is larger than that of the one before."""
    if hole.origin is None or following.origin is None:
        return None
    found = difference(following.origin, hole.origin)
    return None if isinstance(found, Number) else found


def _table_name(hole: Hole, tables: dict[tuple[float, ...], str]) -> str:
    wanted = hole.hint if hole.hint.isidentifier() else kind(hole.value)
    return wanted if wanted not in tables.values() else f"{wanted}_{len(tables)}"


def _names_read(hole: Hole) -> Iterable[str]:
    return names_in(hole.origin) if hole.origin is not None else hole.read if hole.derived else ()


def _loop(
    tables: dict[tuple[float, ...], str], count: Hole, uses_index: bool, read: tuple[str, ...]
) -> tuple[str, Code]:
    if not tables:
        times = code("range(", count, ")")
        return ("i" if uses_index else "_"), times
    if len(tables) == 1:
        ((values, target),) = tables.items()
        source = code(Hole(values, f"{target}_values", derived=read, read=read))
    else:
        target = ", ".join(tables.values())
        rows = tuple(zip(*tables, strict=True))
        source = code(Hole(rows, "table", derived=read, read=read))
    if uses_index:
        target = f"i, ({target})" if len(tables) > 1 else f"i, {target}"
        source = code("enumerate(", source, ")")
    return target, source
