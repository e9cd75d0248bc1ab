"""The modules of an `init` statement: `conv.weight` is the weight of each `nn.Conv2d`."""

from __future__ import annotations

from collections.abc import Iterable

from archspec_torch.code.pieces import Call
from archspec_torch.lowering.base import Lowered


def module_kinds(lowered: Iterable[Lowered]) -> tuple[str, ...]:
    """The classes for these ops, sorted."""
    found = set()
    for item in lowered:
        if item.module is not None and isinstance(item.module[0], Call):
            found.add(item.module[0].function)
    return tuple(sorted(found))


def kind_condition(kinds: tuple[str, ...]) -> str:
    """The condition that `module` is one of them.

    Types are compared exactly: `nn.MultiheadAttention` contains a subclass of `nn.Linear`.
    """
    test = f"is {kinds[0]}" if len(kinds) == 1 else f"in ({', '.join(kinds)})"
    return f"type(module) {test}"
