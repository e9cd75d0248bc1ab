"""Names of a block whose only value becomes a constant: its class is not right for others.

A parameter that decides what a block consists of, such as a condition or the name of a layer, has
one value for the code of a class. The same holds for a parameter on which a number depends whose
expression is not known, or is too long to be written.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from archspec.graph.expression import (
    Decides,
    Expression,
    Number,
    Operation,
    has_unknown_sizes,
    names_in,
)
from archspec.graph.units import Unit
from archspec_torch.classes.constructor.computed_sizes import names_of_unknown_sizes
from archspec_torch.classes.constructor.parameters import Values
from archspec_torch.classes.draft import Draft
from archspec_torch.code.pieces import COUNT, Absent, Hole
from archspec_torch.planning.dependence import (
    names_in_sizes,
    names_in_text,
    names_of_divisors,
    sizes_in_attributes,
)
from archspec_torch.planning.origins import SIZES_OF_LAYERS
from archspec_torch.planning.size_origins import passed, size_origins

DIVISOR = "divisor"
"""The hint of a number that divides sizes in an expression."""

MOST_LEAVES = 8
"""Maximum number of names and numbers in an expression for a number that is always the same."""


def fixed_names(
    drafts: Sequence[Draft],
    rows: Sequence[Sequence[Hole]],
    known: Mapping[str, Values],
    below: Collection[str],
    unexplained: Collection[str],
    inner: Mapping[str, Expression],
) -> tuple[dict[str, Expression], set[str]]:
    """The names with one value in all specialisations that are no arguments, and their values.

    With them the names whose values vary, but of which some lines are right for the value only that
    they have in the specialisations that run these lines.

    `rows` has the holes of each specialisation, `known` the names of the body, `below` those that
    are constants in the classes of called blocks, `unexplained` those of `unexplained_names`, and
    `inner` the expressions of names that are computed from `known` ones.
    """
    columns = [*zip(*rows, strict=True)]
    single = {name for name, values in known.items() if _is_one(values)}
    groups = _run_alike(rows)
    found = {*below, *unexplained}
    for places in groups:
        found |= _decided([drafts[at] for at in places], rows[places[0]])
    for column in columns:
        found.update(_hidden(column, single))
    found = _with_origins(found, inner)
    varying: set[str] = set()
    for places in groups if len(groups) > 1 else ():
        own = {name for name, values in known.items() if _is_one([values[at] for at in places])}
        needed = _decided([drafts[at] for at in places], rows[places[0]], "condition") | {*below}
        for column in columns:
            if any(isinstance(hole.value, Absent) for hole in column):
                needed.update(_hidden([column[at] for at in places], own))
        varying |= own & _with_origins(needed, inner) - single
    if varying:  # what distinguishes them, too
        varying |= {name for draft in drafts for name in draft.unit.either.decisive()}
    return {name: Number(known[name][0]) for name in known if name in single & found}, varying


def _with_origins(names: Collection[str], inner: Mapping[str, Expression]) -> set[str]:
    """These names, and those from which they are computed."""
    return {*names, *(one for name in names if name in inner for one in names_in(inner[name]))}


def _is_one(values: Iterable[Any]) -> bool:
    return len({*map(repr, values)}) == 1


def _run_alike(rows: Sequence[Sequence[Hole]]) -> list[list[int]]:
    """The places of the specialisations that run the same lines, together."""
    found: dict[tuple[bool, ...], list[int]] = {}
    for at, row in enumerate(rows):
        found.setdefault(tuple(isinstance(hole.value, Absent) for hole in row), []).append(at)
    return [*found.values()]


def _decided(
    drafts: Sequence[Draft], row: Sequence[Hole], known: Decides | None = None
) -> set[str]:
    """The names on which decisions in the block depend, other than `known` ones.

    The number of iterations of a loop is none if it is a loop in the lines that are run, too, whose
    holes `row` has.
    """
    run = [hole for hole in row if not isinstance(hole.value, Absent)]
    counts = {hole.hint for hole in run}  # of a loop here, or in a block that is called
    read = {name for hole in run if hole.origin is not None for name in names_in(hole.origin)}
    return {
        name
        for draft in _different(drafts)
        for name, kind in draft.unit.either.decisive().items()
        if kind != known
        if kind != "count" or (name in read and counts.isdisjoint((COUNT, name)))
    }


def unexplained_names(drafts: Sequence[Draft], inner: Mapping[str, Expression]) -> set[str]:
    """The names on which more than numbers of the code depends, in a way that is not known.

    `inner` has the expressions of sizes that are computed in the body.
    """
    found = {name for draft in _different(drafts) for name in _unexplained(draft)}
    for draft in drafts:
        found.update(names_of_unknown_sizes(draft.unit.either, inner))
    return _with_origins(found, inner)


def _different(drafts: Sequence[Draft]) -> list[Draft]:
    """The first draft of each structure."""
    return [*{_structure(draft): draft for draft in reversed(drafts)}.values()]


def _structure(draft: Draft) -> tuple[object, ...]:
    """Of drafts with the same ops and blocks, one is enough to find what their text depends on."""
    titles = (node.instance.title for node in draft.unit.either.nodes if node.instance is not None)
    return (*titles, bool(draft.sizes_read))


def _unexplained(draft: Draft) -> Iterator[str]:
    # the code has both sides of the conditions that read these names
    decided = {*draft.unit.either.decisive()} if draft.is_joined else set()
    if any(hole.hint == DIVISOR and hole.origin is None for hole in draft.holes()):
        for graph in draft.unit.graphs:  # `H // window` is `(rows + 3) // 56` in terms of `rows`
            yield from names_of_divisors(graph)
    for graph in draft.unit.graphs:
        yield from names_in_text(graph) - decided
        for name, sizes in names_in_sizes(graph).items():
            if not sizes.isdisjoint(draft.sizes_read - sizes_in_attributes(graph)):
                yield name


def fixed_below(units: Sequence[Unit], fixed: Mapping[Unit, Collection[str]]) -> set[str]:
    """The names on which a constant in the class of a called block depends.

    `fixed` has the names that are constants in the classes of other units.
    """
    found: set[str] = set()
    for unit in units:
        graph = unit.either
        for node in graph.nodes:
            if node.instance is None or node.callee is None:
                continue
            for name in fixed.get(unit.callee(node.instance).owner, ()):
                origin = passed(size_origins(graph), node, node.callee, name)
                found.update(names_in(origin) if origin is not None else ())
    return found


def names_of_counts(drafts: Sequence[Draft]) -> frozenset[str]:
    """The names on which the number of outputs of a block depends, for which callers have code."""
    graphs = [draft.unit.either for draft in drafts]
    if len({len(graph.output_ports) for graph in graphs}) < 2:
        return frozenset()
    return frozenset(name for graph in graphs for name in graph.decisive())


def _hidden(column: Sequence[Hole], single: Collection[str]) -> Collection[str]:
    """The names on which a number may depend that is written as a constant."""
    run = [hole for hole in column if not isinstance(hole.value, Absent)]
    if not run or not _is_one(hole.value for hole in run):
        return ()
    one = run[0]
    if type(one.value) not in (int, float, tuple):
        return ()
    if one.origin is None:
        is_size = one.hint in SIZES_OF_LAYERS
        return single if is_size else one.read if one.derived else ()
    if has_unknown_sizes(one.origin):
        return single
    if sum(1 for _ in _leaves(one.origin)) > MOST_LEAVES:
        return {*names_in(one.origin)}
    return ()


def _leaves(expression: Expression) -> Iterator[Expression]:
    if isinstance(expression, Operation):
        for operand in expression.operands:
            yield from _leaves(operand)
    else:
        yield expression
