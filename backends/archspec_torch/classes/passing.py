"""Optional inputs in calls: `f(x, memory=memory)` is `f(x)` where there is no `memory`."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import replace

from archspec_torch.classes.draft import Draft
from archspec_torch.code.lines import Line
from archspec_torch.code.pieces import NOTHING, Argument, Call, Code, Hole, present, with_calls
from archspec_torch.code.text import flat


def inputs_of_none(group: Iterable[Draft]) -> set[str]:
    """The optional inputs that no draft of a group has."""
    return set.intersection(*(set(draft.layout.absent) for draft in group))


def inputs_of_all(group: Iterable[Draft]) -> set[str]:
    """The optional inputs that all drafts of a group have."""
    return set.intersection(
        *({*draft.layout.optional}.difference(draft.layout.absent) for draft in group)
    )


def without_passed(source: Code, names: Collection[str]) -> Code:
    """The code in which calls pass None instead of these inputs, where that is the default."""

    def passed(item: Argument) -> Argument:
        is_default = item.default is None and flat(item.code) in names
        return replace(item, code=NOTHING) if is_default else item

    return with_calls(
        source, lambda made: replace(made, arguments=tuple(map(passed, made.arguments)))
    )


def with_passed(source: Code, other: Code, names: Collection[str]) -> Code:
    """The code in which calls pass the inputs that the same calls in other code pass."""
    if len(source) != len(other):
        return source
    return tuple(
        replace(one, arguments=tuple(_passed(*pair, names) for pair in _pairs(one, two)))
        if isinstance(one, Call) and isinstance(two, Call) and _are_parallel(one, two)
        else one
        for one, two in zip(source, other, strict=True)
    )


def read_inputs(lines: Iterable[Line], names: Collection[str]) -> list[str]:
    """Those of the inputs that lines read other than by passing them to calls."""
    if not names:
        return []
    text = "\n".join(flat(without_passed(line.code, names)) for line in lines)
    return [name for name in sorted(names) if re.search(rf"(?<![\w.]){name}\b", text)]


def _passed(own: Argument, other: Argument, names: Collection[str]) -> Argument:
    if own.default is None and _is_none(own.code) and flat(other.code) in names:
        return other
    return replace(own, code=with_passed(own.code, other.code, names))


def _is_none(source: Code) -> bool:
    (piece,) = source if len(source) == 1 else ("",)
    return isinstance(piece, Hole) and present(piece.value) is None


def _are_parallel(one: Call, two: Call) -> bool:
    return one.function == two.function and len(one.arguments) == len(two.arguments)


def _pairs(one: Call, two: Call) -> Iterable[tuple[Argument, Argument]]:
    return zip(one.arguments, two.arguments, strict=True)
