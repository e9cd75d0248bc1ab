"""Ranges with a step, which are lists here."""

from __future__ import annotations


def stepped(first: str, last: str, step: str) -> str:
    """`[2 * i for i in 0..4]` for the numbers from 0 to 8 in steps of 2; "" if it is uncertain."""
    if not first.isdecimal() or not step.isdecimal() or int(step) < 1:
        return ""
    added = f"{first} + " * (first != "0")
    if last.isdecimal():
        count = str(len(range(int(first), int(last), int(step))))
    elif last.isidentifier():
        count = f"ceil_div({last if first == '0' else f'{last} - {first}'}, {step})"
    else:
        return ""
    return f"[{added}{step} * i for i in 0..{count}]"
