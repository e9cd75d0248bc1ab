"""Wording of messages that depends on numbers."""

from __future__ import annotations


def counted(number: int, what: str) -> str:
    """The number with its noun: `no inputs`, `1 input`, `2 inputs`."""
    return f"{number or 'no'} {what}" + ("" if number == 1 else "s")
