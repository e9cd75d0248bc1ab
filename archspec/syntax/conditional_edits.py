"""The edit for a conditional of Python, `a if c else b`."""

from __future__ import annotations

from archspec.diagnostics.model import Edit
from archspec.syntax.mistake_edits import NEAR, between, operand_before, operand_behind
from archspec.syntax.site import Site


def ternary(s: Site) -> tuple[Edit, ...]:
    """`a if c else b` as `if c then a else b`.

    With data in a branch, `f if c else x -> g`, the branches are bodies: Python reads each side of
    the `else` as a whole, whereas `->` binds least tightly here.
    """
    first = operand_before(s)
    otherwise, depth = 1, s.token.depth
    while s.near(otherwise).type != "else" or s.near(otherwise).depth != depth:
        if s.near(otherwise).type in ("NL", "$END", "") or otherwise >= NEAR:
            return ()
        otherwise += 1
    last = operand_behind(s, otherwise + 1)
    if not first or last < otherwise + 1:
        return ()
    condition = _text(s, 1, otherwise - 1)
    start, end = _chain_before(s, first), _chain_behind(s, last)
    left, right = _text(s, start, -1), _text(s, otherwise + 1, end)
    data = s.word(otherwise + 1)
    is_data = s.near(otherwise + 1).type == "NAME" and s.near(otherwise + 2).type != "("
    if start < first and is_data and data == s.word(start):
        return _replaced(s, start, end, f"if {condition} {{ {left} }} else {{ {right} }}")
    if start == first and end > last and is_data:
        if s.near(-1).type == ")":  # a layer, for the data of the other branch
            rest = _text(s, last + 2, end)
            written = f"{data} -> if {condition} {{ {left} }} else {{ {rest} }}"
        else:
            written = f"if {condition} {{ {left} }} else {{ {right} }}"
        return _replaced(s, start, end, written)
    chosen, other = _text(s, first, -1), _text(s, otherwise + 1, last)
    return _replaced(s, first, last, f"if {condition} then {chosen} else {other}")


def _chain_before(s: Site, first: int) -> int:
    """Offset of the first token of the chain whose last stage begins at an offset."""
    while s.near(first - 1).type == "->" and first > -NEAR:
        first = operand_before(s, first - 1)
    return first


def _chain_behind(s: Site, last: int) -> int:
    """Offset of the last token of the chain whose first stage ends at an offset."""
    while s.near(last + 1).type == "->" and last < NEAR:
        last = operand_behind(s, last + 2)
    return last


def _text(s: Site, first: int, last: int) -> str:
    return s.reader.k.source.text[s.near(first).start : s.near(last).end]


def _replaced(s: Site, first: int, last: int, text: str) -> tuple[Edit, ...]:
    return (Edit(between(s, s.near(first).start, s.near(last).end), text),)
