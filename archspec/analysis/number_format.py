"""Formatting of numbers for people."""

from __future__ import annotations

from collections.abc import Mapping


def short(number: int) -> str:
    """`33.7 M`, `845 M`, `1.2 k`; three digits, with the units that papers use."""
    for power, unit in ((12, "T"), (9, "G"), (6, "M"), (3, "k")):
        if number >= 10**power:
            value = number / 10**power
            digits = 2 if value < 10 else 1 if value < 100 else 0
            return f"{value:,.{digits}f} {unit}"
    return str(number)


def short_bytes(number: int) -> str:
    """`4.2 MB`, in powers of 1000."""
    return f"{short(number)}B" if number >= 1000 else f"{number} bytes"


def sizes_text(sizes: Mapping[str, int]) -> str:
    """`B = 1, H = 224, W = 224`."""
    return ", ".join(f"{name} = {size}" for name, size in sizes.items())
