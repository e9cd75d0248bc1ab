"""Conditions for computing a node, as Python."""

from __future__ import annotations

from archspec.graph.codegen.conditions import Condition, Flag


def condition_text(condition: Condition) -> str:
    """The condition as code, with flags in a fixed order."""
    conjunctions = sorted(sorted(part) for part in condition)
    if not conjunctions:
        return "False"
    written = [" and ".join(_flag_text(flag) for flag in part) or "True" for part in conjunctions]
    if len(written) == 1:
        return written[0]
    return " or ".join(f"({item})" if " and " in item else item for item in written)


def _flag_text(flag: Flag) -> str:
    """One flag as code."""
    name, index = flag
    return name if index < 0 else f"{name}[{index}]"
