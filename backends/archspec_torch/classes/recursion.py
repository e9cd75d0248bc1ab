"""Calls of a block by itself: `Levels(n - 1, 2 * width)` in the class `Levels`.

While the specialisations of a recursive rule are written, their classes and the arguments of these
are unknown. So at first a call among them has all names of the callee's body as arguments. When the
drafts are classes, arguments that these do not have are removed; the others may require further
arguments, until no more are added.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from archspec.graph.expression import Outside
from archspec.graph.units import Unit
from archspec_torch.classes.constructor.parameters import Parameter
from archspec_torch.classes.draft import Draft
from archspec_torch.code.pieces import (
    Absent,
    Argument,
    Call,
    Code,
    Hole,
    calls,
    present,
    with_calls,
)
from archspec_torch.planning.known_numbers import known_numbers

TOKEN = "\0itself\0"
"""Placeholder for the class of a call whose class is not known yet."""

MOST_ROUNDS = 6
"""Maximum number of rounds that add arguments; beyond it each specialisation has a class."""


Given: TypeAlias = "tuple[Parameter, Any]"
"""An argument of a class, and its value in one specialisation."""


class OwnCalls:
    """The calls among the specialisations of a block."""

    def __init__(self, units: Sequence[Unit]) -> None:
        self.number = {unit: number for number, unit in enumerate(units)}
        self.known = [_simple(known_numbers(unit.either)) for unit in units]
        self.names = [name for name in self.known[0] if all(name in one for one in self.known)]

    def call(self, unit: Unit) -> Code:
        """A call of one of them, with all of its possible arguments."""
        number = self.number[unit.owner]
        arguments = [
            Argument((Hole(self.known[number][name], _hint(name)),), name) for name in self.names
        ]
        return (Call(TOKEN, (Argument((Hole(number, "callee"),)), *arguments)),)

    def resolved(
        self, draft: Draft, classes: Sequence[str], parameters: Sequence[Sequence[Given]]
    ) -> Draft:
        """A draft with calls of classes, by the number of the callee, with their arguments."""

        def named(call: Call) -> Call:
            if call.function != TOKEN:
                return call
            number = _callee(call)
            given = {item.keyword: item.code for item in call.arguments[1:]}
            # a draft that does not run the call would pass its own number on
            made = self.number[draft.unit] if _is_absent(call) else number
            given |= {
                one.name: (Hole(value, one.name, Outside(value), outside=True),)
                for one, value in parameters[made]
                if is_foreign(one)
            }
            arguments = tuple(
                Argument(given[_source(one)], one.name, one.default)
                for one, _ in parameters[number]
                if _source(one) in given
            )
            return Call(classes[number], arguments)

        return draft.with_blocks(
            lambda _, lines: (replace(line, code=with_calls(line.code, named)) for line in lines)
        )

    def callees(self, draft: Draft) -> list[int]:
        """The numbers of its callees, in the order of the calls."""
        found = (call for line in draft.lines for call in calls(line.code))
        return [_callee(call) for call in found if call.function == TOKEN]


def is_foreign(parameter: Parameter) -> bool:
    """Whether an argument is for a number that no name of the block gives, such as one of a layer.

    It is passed on from depth to depth.
    """
    return parameter.outside or not (parameter.source or parameter.read)


def _is_absent(call: Call) -> bool:
    """Whether a call is in lines of other specialisations."""
    (hole,) = call.arguments[0].code
    return isinstance(hole, Hole) and isinstance(hole.value, Absent)


def _source(parameter: Parameter) -> str:
    """The key of an argument: the name in the body, otherwise its own."""
    return parameter.name if is_foreign(parameter) else parameter.source


def _callee(call: Call) -> int:
    """The number that `OwnCalls.call` puts before the arguments."""
    (hole,) = call.arguments[0].code
    assert isinstance(hole, Hole)
    number = present(hole.value)
    assert isinstance(number, int)
    return number


def _simple(known: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in known.items() if isinstance(value, int | float | tuple)}


def _hint(name: str) -> str:
    """The name that a layer uses for an unnamed size of its input."""
    return name if name.isidentifier() else "in_channels"
