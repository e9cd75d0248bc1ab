"""Conditions for computing a node, as Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from archspec.graph.codegen.conditions import Condition, Flag, only_flag

NO_SIZES: Mapping[str, int] = MappingProxyType({})


def condition_text(
    condition: Condition, sizes: Mapping[str, int] = NO_SIZES, least: int = 2
) -> str:
    """The condition as code, with flags in a fixed order.

    `sizes` are the lengths of lists, of which at least `least` flags are written as `any`.
    """
    conjunctions = sorted(sorted(part) for part in condition)
    if not conjunctions:
        return "False"
    rest = any_of_list(condition, sizes, least)
    if rest:
        return f"any({rest})"
    written = [" and ".join(_flag_text(flag) for flag in part) or "True" for part in conjunctions]
    if len(written) == 1:
        return written[0]
    return " or ".join(f"({item})" if " and " in item else item for item in written)


def any_of_list(condition: Condition, sizes: Mapping[str, int], least: int = 2) -> str:
    """`need[1:]` if the condition is that one of these flags holds; else ""."""
    conjunctions = sorted(sorted(part) for part in condition)
    flags = [only_flag(frozenset({frozenset(part)})) for part in conjunctions]
    return rest_of_list(flags, sizes, least)


def rest_of_list(flags: Sequence[Flag | None], sizes: Mapping[str, int], least: int = 2) -> str:
    """`need[1:]` for all flags of a list from one of them on, at least `least`; else "".

    All flags of a list are at least two.
    """
    known = [flag for flag in flags if flag is not None]
    names = {name for name, _ in known}
    if len(known) < max(least, len(flags)) or len(names) != 1:
        return ""
    ((name,), (_, first)) = names, known[0]
    if not first and len(known) < 2:
        return ""
    whole = [at for _, at in known] == [*range(first, sizes.get(name, 0))]
    return (f"{name}[{first}:]" if first else name) if whole else ""


def _flag_text(flag: Flag) -> str:
    """One flag as code."""
    name, index = flag
    return name if index < 0 else f"{name}[{index}]"
