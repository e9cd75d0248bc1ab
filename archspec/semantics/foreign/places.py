"""Text adapted to its place: in parentheses if an operator is adjacent."""

from __future__ import annotations

from archspec.source import Span

_BEFORE = ("=", "(", ",", "[", "{", "\n", "->", ";")
_BEHIND = (")", ",", "]", "}", "\n", "#", "->", ";", "when ", "where ")


def in_place(text: str, place: Span) -> str:
    """A chain at a place in the text: in parentheses if an operator is adjacent."""
    if "->" not in text and ".." not in text:
        return text
    whole = place.source.text
    before = whole[max(0, place.start - 80) : place.start].rstrip(" \t")
    behind = whole[place.end : place.end + 80].lstrip(" \t")
    opens = not before or before.endswith(_BEFORE) or before.split()[-1] in ("output", "in")
    opens = opens and not before.endswith(("==", "<=", ">=", "!="))
    closes = not behind or behind.startswith(_BEHIND)
    closes = closes or (".." in text and behind.startswith(("{", ":")))
    return text if opens and closes and not behind.startswith("->(") else f"({text})"


def position_note(op: str, order: tuple[str, ...]) -> str:
    """The positional arguments of an op, as a note."""
    return f"it is written `{op}({', '.join(order)})`" if order else f"it is written `{op}`"
