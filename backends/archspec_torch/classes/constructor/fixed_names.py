"""Names of a block whose only value becomes a constant: its class is not right for others.

A parameter that decides what a block consists of, such as a condition or the name of a layer, has
one value for the code of a class. The same holds for a parameter on which a number depends whose
expression is not known, or is too long to be written.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from archspec.graph.expression import (
    Expression,
    Number,
    Operation,
    has_unknown_sizes,
    names_in,
)
from archspec.graph.units import Unit
from archspec_torch.classes.constructor.parameters import Values
from archspec_torch.classes.draft import Draft
from archspec_torch.code.pieces import COUNT, Hole
from archspec_torch.planning.dependence import names_in_sizes, names_in_text, sizes_in_attributes
from archspec_torch.planning.origins import SIZES_OF_LAYERS
from archspec_torch.planning.size_origins import passed, size_origins

MOST_LEAVES = 8
"""Maximum number of names and numbers in an expression for a number that is always the same."""


def fixed_names(
    drafts: Sequence[Draft],
    rows: Sequence[Sequence[Hole]],
    known: Mapping[str, Values],
    below: Collection[str],
    unexplained: Collection[str],
) -> dict[str, Expression]:
    """The names with one value in all specialisations that are no arguments, and their values.

    `rows` has the holes of each specialisation, `known` the names of the body, `below` those that
    are constants in the classes of called blocks, `unexplained` those of `unexplained_names`.
    """
    single = [name for name, values in known.items() if len({*map(repr, values)}) == 1]
    if not single:
        return {}
    counts = {hole.hint for hole in rows[0]}  # of a loop here, or in a block that is called
    origins = [hole.origin for hole in rows[0] if hole.origin is not None]
    read = {name for origin in origins for name in names_in(origin)}
    found = {*below, *unexplained}
    for draft in _different(drafts):
        for name, kind in draft.unit.either.decisive().items():
            if kind != "count" or (name in read and counts.isdisjoint((COUNT, name))):
                found.add(name)
    for column in zip(*rows, strict=True):
        found.update(_hidden(column, single))
    return {name: Number(known[name][0]) for name in single if name in found}


def unexplained_names(drafts: Sequence[Draft]) -> set[str]:
    """The names on which more than numbers of the code depends, in a way that is not known."""
    return {name for draft in _different(drafts) for name in _unexplained(draft)}


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


def _hidden(column: Sequence[Hole], single: Sequence[str]) -> Collection[str]:
    """The names on which a number may depend that is written as a constant."""
    one = column[0]
    if len({repr(hole.value) for hole in column}) > 1:
        return ()
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
