"""Rows of styled characters, and their conversion to terminal text."""

from __future__ import annotations

from itertools import groupby
from typing import Literal, TypeAlias

from archspec.diagnostics.printable import width

Style: TypeAlias = Literal[
    "", "bold", "gutter", "error", "warning", "note", "secondary", "help", "added", "removed"
]

_CODES: dict[str, str] = {
    "bold": "1",
    "gutter": "1;34",
    "error": "1;31",
    "warning": "1;33",
    "note": "1;36",
    "secondary": "1;34",
    "help": "1;36",
    "added": "32",
    "removed": "31",
}


def paint(text: str, style: Style, colour: bool) -> str:
    """`text` in a style, unchanged if `colour` is false."""
    if not (colour and style and text):
        return text
    return f"\x1b[{_CODES[style]}m{text}\x1b[0m"


class Row:
    """One line being drawn: a character and a style for each column."""

    def __init__(self) -> None:
        self._cells: list[tuple[str, Style]] = []

    @property
    def width(self) -> int:
        """Columns used so far."""
        return len(self._cells)

    def put(self, column: int, text: str, style: Style = "", *, over: bool = True) -> None:
        """Write `text` at a column; unless `over`, only into blank cells."""
        missing = column - len(self._cells)
        self._cells.extend([(" ", "")] * missing)
        for character in text:
            size = width(character)
            if size == 0 and column > 0:
                base, kept = self._cells[column - 1]
                self._cells[column - 1] = (base + character, kept)
                continue
            self._set(column, character, style, over)
            if size == 2:  # a wide character covers the next column too
                self._set(column + 1, "", style, over)
            column += max(size, 1)

    def _set(self, column: int, character: str, style: Style, over: bool) -> None:
        if column == len(self._cells):
            self._cells.append((character, style))
        elif over or self._cells[column][0] == " ":
            self._cells[column] = (character, style)

    def draw(self, colour: bool) -> str:
        """The finished line, without trailing blanks."""
        cells = list(self._cells)
        while cells and cells[-1][0] == " ":
            cells.pop()
        runs = groupby(cells, key=lambda cell: cell[1])
        return "".join(paint("".join(c for c, _ in run), style, colour) for style, run in runs)
