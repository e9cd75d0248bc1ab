"""The text of symbolic dimensions: `B*H//2`, `2*W + 1`, `(H + 1)//2`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from archspec.types.atoms import Extreme, FloorDiv

if TYPE_CHECKING:
    from archspec.types.monomial import Monomial


def terms_text(terms: Sequence[tuple[Monomial, int]]) -> str:
    """The text of the sum of the terms, in the given order."""
    text = ""
    for monomial, factor in terms:
        sign = ("-" if factor < 0 else "") if not text else (" - " if factor < 0 else " + ")
        text += sign + _term_text(monomial, abs(factor))
    return text or "0"


def _term_text(monomial: Monomial, factor: int) -> str:
    if not monomial:
        return str(factor)
    parts: list[str] = []
    index = 0
    while index < len(monomial):
        atom = monomial[index]
        power = monomial.count(atom)
        text = atom if isinstance(atom, str) else _atom_text(atom)
        if isinstance(atom, FloorDiv) and (power > 1 or len(monomial) > 1 or factor != 1):
            text = f"({text})"
        parts.append(text if power == 1 else f"{text}**{power}")
        index += power
    return ("" if factor == 1 else f"{factor}*") + "*".join(parts)


def _atom_text(atom: FloorDiv | Extreme) -> str:
    if isinstance(atom, Extreme):
        return atom.text
    single = len(atom.numerator.terms) == 1 and atom.numerator.terms[0][1] == 1
    simple = single and len(atom.numerator.terms[0][0]) == 1
    return f"{atom.text if simple else f'({atom.text})'}//{atom.divisor}"
