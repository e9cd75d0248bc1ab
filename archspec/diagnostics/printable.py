r"""Makes text from a spec safe for a terminal: nothing may move the cursor or reorder a line.

Control characters, lone surrogates, marks that change the writing direction, and characters that
only look like a blank (`\xa0`) are shown as escapes (`\x1b`, `\u202e`); a tab becomes spaces.
"""

from __future__ import annotations

import unicodedata

TAB = 4
"""Columns that a tab takes in a drawn line."""

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})

_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and symbols that are invisible."""


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
    """A text as it is printed. Line breaks are kept if `newlines` is true."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        character if newlines and character == "\n" else shown(character) for character in text
    )


def width(text: str) -> int:
    """The number of columns that a printable text takes on a terminal."""
    if text.isascii():
        return len(text)
    return sum(_width(character) for character in text)


def _width(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in {"Mn", "Me"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1
