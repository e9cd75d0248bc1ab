"""What the code of a class requires of its arguments, which its constructor checks.

A block with `if C != width` may be a class for one side only, and what a `where` says of sizes, or
a pattern that splits an axis needs, has to hold for other arguments, too. An argument on which the
code depends in a way that is not known has only the values of the specialisations.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from archspec.frozen import frozen
from archspec.graph.expression import (
    Expression,
    Name,
    Number,
    Operation,
    names_in,
    negated,
    substituted,
)
from archspec_torch.classes.conditions import over_names, truth
from archspec_torch.classes.constructor.parameters import Parameter, Values
from archspec_torch.classes.draft import Draft
from archspec_torch.code.expressions import expression_code
from archspec_torch.code.pieces import Call, argument, call, code
from archspec_torch.code.text import flat, lines, literal
from archspec_torch.planning.dependence import equal_sizes
from archspec_torch.planning.divisibility import divisions, is_implied

LONGEST = 60
"""Maximum number of characters of a list of values in a message."""


@frozen
class OneOf:
    """The arguments, together, have one of these rows of values."""

    names: tuple[str, ...]
    rows: tuple[Values, ...]


Requirement: TypeAlias = "Expression | OneOf"


def required(
    drafts: Sequence[Draft], parameters: Sequence[Parameter], unexplained: Collection[str]
) -> tuple[Requirement, ...]:
    """What holds of the arguments in all specialisations of a class.

    `unexplained` are names of the block on which its code depends in a way that is not known.
    """
    arguments = {one.source: Name(one.name) for one in parameters if one.source}
    read = _together(drafts, parameters, unexplained)
    found: dict[Requirement, None] = {}
    if read:
        rows = dict.fromkeys(zip(*(one.values for one in read), strict=True))
        found[OneOf(tuple(one.name for one in read), tuple(rows))] = None
    conditions = dict.fromkeys(_conditions(drafts, arguments.keys()))
    for holds in conditions:
        if not is_implied(holds, conditions):
            found[substituted(holds, arguments)] = None
    return tuple(found)


def _together(
    drafts: Sequence[Draft], parameters: Sequence[Parameter], unexplained: Collection[str]
) -> list[Parameter]:
    """The arguments of which only the values of the specialisations are right, together.

    With them those for numbers whose expressions are not known, and what these depend on: one of
    them may be an item of a list that depends on another argument.
    """
    different = [one for one in parameters if len({*one.values}) > 1]
    numbers = [one for one in different if not one.source and not one.outside]
    names = {*unexplained}
    if numbers:
        decisive = drafts[0].unit.either.decisive()
        names.update(name for name, kind in decisive.items() if kind == "other")
    if not any(one.source in names for one in different):
        return []
    names.update(name for one in numbers for name in one.read)
    return [one for one in parameters if one in numbers or one.source in names]


def _conditions(drafts: Sequence[Draft], arguments: Collection[str]) -> Iterator[Expression]:
    """The conditions on arguments that hold in each specialisation that evaluates them."""
    known = [draft.names for draft in drafts]
    alike: dict[str, Expression] = {
        name: Number(value)
        for name, value in known[0].items()
        if name not in arguments and isinstance(value, int | float | str)
        if all(repr(names.get(name)) == repr(value) for names in known)
    }
    evaluating: dict[Expression, set[int]] = {}
    for at, (draft, names) in enumerate(zip(drafts, known, strict=True)):
        graph = draft.unit.either
        for decision in (*graph.decisions, *equal_sizes(graph), *divisions(graph)):
            condition = over_names(substituted(decision, alike), names)
            if {*names_in(condition)} and {*names_in(condition)} <= set(arguments):
                evaluating.setdefault(condition, set()).add(at)
    truths = {one: [truth(one, names) for names in known] for one in evaluating}
    for condition, places in evaluating.items():
        values = {truths[condition][at] for at in places}
        if len(values) > 1 or None in values:
            continue
        holds = condition if True in values else negated(condition)
        if len({*truths[condition]}) == 1:
            yield holds
        elif (guard := _guard(places, truths)) is not None:
            yield Operation("or", (negated(guard), holds))


def _guard(
    places: Collection[int], truths: Mapping[Expression, Sequence[Any]]
) -> Expression | None:
    """A condition that is true in these specialisations and in no others."""
    for condition, values in truths.items():
        inside = {value for at, value in enumerate(values) if at in places}
        others = {value for at, value in enumerate(values) if at not in places}
        if (inside, others) == ({True}, {False}):
            return condition
        if (inside, others) == ({False}, {True}):
            return negated(condition)
    return None


def refusals(name: str, requirements: Sequence[Requirement]) -> Iterator[str]:
    """The lines that refuse arguments for which a class is not right."""
    for one in requirements:
        if isinstance(one, OneOf):
            alone = len(one.names) == 1
            read = one.names[0] if alone else f"({', '.join(one.names)})"
            among = [literal(row[0] if alone else row) for row in one.rows]
            wrong = code(f"if {read} not in ", Call("", tuple(map(argument, among))), ":")
            holds = f"{read} in ({', '.join(among)})"
            holds = holds if len(holds) <= LONGEST else f"the values of {read} in this file"
        else:
            wrong = code("if ", expression_code(_opposite(one), code), ":")
            holds = flat(expression_code(one, code))
        yield from lines(wrong, 0)
        message = literal(f"`{name}` is for {holds}")
        yield from lines(code("raise ", call("ValueError", message)), 4)


def _opposite(condition: Expression) -> Expression:
    match condition:
        case Operation("or", (left, right)):
            return Operation("and", (negated(left), negated(right)))
    return negated(condition)
