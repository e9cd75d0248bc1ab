"""Words of messages that depend on numbers."""

from __future__ import annotations


def counted(number: int, what: str) -> str:
    """`no inputs`, `1 input`, `2 inputs`."""
    return f"{number or 'no'} {what}" + ("" if number == 1 else "s")
