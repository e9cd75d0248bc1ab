"""What the code of a class requires of its arguments: how the spec decided for them.

A block with `if C != width` may be a class for one side only. Its constructor refuses the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archspec.graph.expression import Expression, Name, Number, names_in, negated, substituted
from archspec_torch.classes.conditions import over_names, truth
from archspec_torch.classes.constructor.parameters import Parameter
from archspec_torch.classes.draft import Draft
from archspec_torch.code.expressions import expression_code
from archspec_torch.code.pieces import call, code
from archspec_torch.code.text import flat, lines, literal


def required(drafts: Sequence[Draft], parameters: Sequence[Parameter]) -> tuple[Expression, ...]:
    """The conditions on arguments that hold in all specialisations of a class."""
    arguments = {one.source: Name(one.name) for one in parameters if one.source}
    known = [draft.names for draft in drafts]
    alike: dict[str, Expression] = {
        name: Number(value)
        for name, value in known[0].items()
        if name not in arguments and isinstance(value, int | float | str)
        if all(repr(names.get(name)) == repr(value) for names in known)
    }
    found: dict[Expression, None] = {}
    for draft, names in zip(drafts, known, strict=True):
        for decision in draft.unit.either.decisions:
            condition = over_names(substituted(decision, alike), names)
            read = {*names_in(condition)}
            truths = {truth(condition, one) for one in known}
            if read and read <= arguments.keys() and len(truths) == 1 and None not in truths:
                holds = condition if truths.pop() else negated(condition)
                found[substituted(holds, arguments)] = None
    return tuple(found)


def refusals(name: str, conditions: Sequence[Expression]) -> Iterator[str]:
    """The lines that refuse arguments for which a class is not right."""
    for condition in conditions:
        wrong = flat(expression_code(negated(condition), code))
        holds = flat(expression_code(condition, code))
        yield f"if {wrong}:"
        message = literal(f"`{name}` is for {holds}")
        yield from lines(code("raise ", call("ValueError", message)), 4)
