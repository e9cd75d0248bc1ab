r"""Text from a spec made safe for a terminal: nothing may move the cursor or reorder a line.

Control characters, lone surrogates, the marks that turn the direction of writing around, and what
looks like a blank but is none (`\xa0`) are shown by their number (`\x1b`, `\u202e`); a tab becomes
spaces.
"""

from __future__ import annotations

import unicodedata

TAB = 4
"""Columns that a tab takes in a drawn line."""

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})

_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and symbols that leave nothing on the page."""


def shown(character: str) -> str:
    """One character as it is printed."""
    if " " <= character <= "~":
        return character
    if character == "\t":
        return " " * TAB
    if unicodedata.category(character) not in _HIDDEN and character not in _BLANK:
        return character
    number = ord(character)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def printable(text: str, *, newlines: bool = False) -> str:
    """A text as it is printed. Ends of lines are kept where `newlines` says so."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        character if newlines and character == "\n" else shown(character) for character in text
    )


def width(text: str) -> int:
    """Columns that a printable text takes on a terminal."""
    if text.isascii():
        return len(text)
    return sum(_width(character) for character in text)


def _width(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in {"Mn", "Me"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1
