"""The sizes that the body of a block names, and those of its inputs that have no name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archspec.graph.expression import Expression, Name
from archspec_torch.classes.constructor.parameters import Values
from archspec_torch.classes.draft import Draft
from archspec_torch.planning.known_numbers import known_numbers


def named_sizes(drafts: Sequence[Draft]) -> dict[str, Values]:
    """The names for numbers in the body other than arguments, over all drafts."""
    known = [known_numbers(draft.unit.either) for draft in drafts]
    arguments = drafts[0].unit.either.arguments
    names = [name for name in known[0] if name not in arguments]
    columns = {name: tuple(one.get(name) for one in known) for name in names}
    return {
        name: values
        for name, values in sorted(columns.items(), key=lambda one: not one[0].isidentifier())
        if all(isinstance(value, int | float) for value in values)
    }


def without_equal_ones(
    sizes: Mapping[str, Values],
) -> tuple[dict[str, Values], dict[str, Expression]]:
    """The sizes without inputs' sizes that have no name and equal others, and what these equal."""
    first: dict[Values, str] = {}
    for name, values in sizes.items():
        if name[0].isupper() or not name.isidentifier():
            first.setdefault(values, name)
    same = {
        name: Name(first[values])
        for name, values in sizes.items()
        if not name.isidentifier() and first[values] != name
    }
    return {name: one for name, one in sizes.items() if name not in same}, dict(same)


def inputs_with(drafts: Sequence[Draft], sizes: Mapping[str, Values]) -> dict[str, str]:
    """For sizes the first input that has an axis of this size in each specialisation."""
    found: dict[str, str] = {}
    types = [draft.unit.either.input_types for draft in drafts]
    names = [item.name for item in drafts[0].layout.inputs]
    for at, name in enumerate(names):
        typed = [one[at] for one in types if at < len(one)]
        if len(typed) < len(types):
            continue
        for axis in range(min(one.rank for one in typed)):
            size = tuple(one.shape[axis].constant for one in typed)
            for other, values in sizes.items():
                if values == size:
                    found.setdefault(other, name)
    return found
