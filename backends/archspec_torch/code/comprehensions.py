"""Repetitions as loops: runs of equal children of a container become a comprehension."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from dataclasses import replace as dataclass_replace
from itertools import groupby, islice
from typing import Any, TypeVar

from archspec.frozen import frozen
from archspec.graph.codegen.identifiers import numbered
from archspec.graph.codegen.progressions import ITERATION, progression
from archspec.graph.codegen.repeats import (
    Alternating,
    Form,
    Formula,
    Same,
    Steps,
    Table,
    columns,
    is_run,
    runs,
)
from archspec.graph.expression import (
    Expression,
    Name,
    Number,
    Operation,
    evaluated,
    has_names,
    names_in,
)
from archspec_torch.code.expressions import expression_code
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


@frozen
class Known:
    """The values of the names of a block; `counts` returns those that are numbers of iterations."""

    values: Mapping[str, Any] = field(default_factory=dict)
    counts: Callable[[], Collection[int]] = tuple


NOTHING_KNOWN = Known()


def compress(
    items: Sequence[Code], modules: Sequence[str] = (), known: Known = NOTHING_KNOWN
) -> list[Code]:
    """The items of a list display, runs written as `*[... for ...]`.

    `modules` are the items as the code accesses them: `self.layers[0]`. `known` is about the
    names over which the items may be expressions.
    """
    result: list[Code] = []
    lengths = _lengths(items, known)
    places = modules or [""] * len(items)
    for run, place in zip(_cut(items, lengths), _cut(places, lengths), strict=True):
        if len(run) == 1:
            result.append(run[0])
        else:
            child, head = _comprehension(run, known, (), place[0])
            result.append(comprehension(child, head, star=True))
    return result


def compress_named(
    names: Sequence[str], items: Sequence[Code], known: Known = NOTHING_KNOWN
) -> list[Code]:
    """Items of an OrderedDict: `("name", child)`, runs with numbered names as comprehensions."""
    result: list[Code] = []
    lengths = _lengths(items, known, names)
    for run, labels in zip(_cut(items, lengths), _cut(names, lengths), strict=True):
        if len(run) == 1:
            result.append(call("", literal(labels[0]), run[0]))
            continue
        child, head = _comprehension(run, known, _name_code(labels))
        pair = call("", _name_code(labels), child)
        result.append(comprehension(pair, head, star=True))
    return result


def numbered_comprehension(
    names: Sequence[str], items: Sequence[Code], known: Known = NOTHING_KNOWN
) -> tuple[Code, Code, Code] | None:
    """Code of name, child and `for i in range(n)` if all items are one run."""
    forms = [_form(item, known) for item in items]
    if (
        not is_run(forms, known.counts)
        or numbered(names) is None
        or len([*_segments(items, forms)]) > 1
    ):
        return None
    child, head = _comprehension(items, known, _name_code(names))
    return _name_code(names), child, head


def _lengths(items: Sequence[Code], known: Known, names: Sequence[str] | None = None) -> list[int]:
    """The lengths of runs, within each of which equal numbers have one expression."""
    forms = [_form(item, known) for item in items]
    found: list[int] = []
    for start, end in _segments(items, forms):
        found += runs(
            forms[start:end], names[start:end] if names is not None else None, known.counts
        )
    return found


def _segments(items: Sequence[Code], forms: Sequence[Form]) -> Iterator[tuple[int, int]]:
    """The parts of a list between items whose numbers, or steps, are equal by chance."""
    start = 0
    numbers = [_without_formulas(item, regular) for item, regular in _with_formulas(items, forms)]
    for at in range(1, len(items)):
        before = numbers[at - 2] if at - start > 1 else None
        if _differ(numbers[at - 1], numbers[at]) or (
            before is not None and _step_otherwise(before, numbers[at - 1], numbers[at])
        ):
            yield start, at
            start = at
    yield start, len(items)


def _with_formulas(
    items: Sequence[Code], forms: Sequence[Form]
) -> Iterator[tuple[Code, frozenset[int]]]:
    """The items, with the places of numbers that have one expression over the iteration.

    It is that of all consecutive items of one structure, or of all but the first or the last.
    """
    for _, group in groupby(zip(items, forms, strict=True), lambda pair: pair[1].structure):
        alike = [*group]
        origins = [*zip(*(form.origins for _, form in alike), strict=True)]
        regular = frozenset(at for at, column in enumerate(origins) if _has_formula(column))
        yield from ((item, regular) for item, _ in alike)


def _has_formula(origins: Sequence[Expression | None]) -> bool:
    for part in (origins, origins[1:], origins[:-1]):
        given = [one for one in part if one is not None]
        if len(given) == len(part) > 1 and progression(given) is not None:
            return True
    return False


def _without_formulas(item: Code, regular: frozenset[int]) -> list[Hole]:
    """The numbers of an item, without the origins of those that have a formula."""
    return [
        dataclass_replace(hole, origin=None) if at in regular else hole
        for at, hole in enumerate(holes(item))
    ]


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


def _form(item: Code, known: Known) -> Form:
    numbers = [*holes(item)]
    return Form(
        skeleton(item),
        tuple(hole.value for hole in numbers),
        tuple(_usable_origin(hole, known) for hole in numbers),
    )


def _usable_origin(hole: Hole, known: Known) -> Expression | None:
    """The expression of a number, if it has the number as its value."""
    if hole.origin is None:
        return None
    value = evaluated(hole.origin, known.values)
    return hole.origin if type(value) is type(hole.value) and value == hole.value else None


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


def _comprehension(
    run: Sequence[Code], known: Known, name: Code, start: str = ""
) -> tuple[Code, Code]:
    """`child` and `for i in range(n)`, or over a tuple of floats."""
    rest = columns([_form(item, known) for item in run])
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
            case Formula(expression):
                uses_index = True
                return _computed(expression, known, hole.hint)
            case Alternating():
                uses_index = True
                return _alternating(hole, following)

    child = replace(run[0], change)
    target, source = _loop(tables, Hole(len(run), COUNT, start=start), uses_index, (*read,))
    return child, code(f"for {target} in ", source)


def _alternating(even: Hole, odd: Hole) -> Code:
    """`0 if i % 2 == 0 else window // 2`."""
    if {type(even.value), type(odd.value)} == {bool} and even.value != odd.value:
        return code(f"i % 2 == {0 if even.value else 1}")
    return code(even, " if i % 2 == 0 else ", odd)


def _computed(expression: Expression, known: Known, hint: str) -> Code:
    """`drop * i / 11`, in which names and numbers may become arguments."""
    parts: dict[str, Hole] = {}

    def part(one: Expression) -> Expression:
        if one == ITERATION:
            return one
        if ITERATION.text in names_in(one):
            assert isinstance(one, Operation)
            return Operation(one.sign, tuple(map(part, one.operands)))
        value = evaluated(one, known.values)
        text = f"({len(parts)})"  # no name of a spec
        parts[text] = Hole(
            value, one.text if isinstance(one, Name) else f"{hint}_{kind(value)}", one
        )
        return Name(text)

    def spelled(text: str) -> Code:
        return code("i") if text == ITERATION.text else code(parts[text])

    return expression_code(part(expression), spelled)


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
