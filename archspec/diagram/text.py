"""Text in the tables of drawings: in cells of a size that is known before the layout."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil
from typing import TypeAlias

from archspec.diagram.fonts import text_width
from archspec.diagram.style import INK, SOFT
from archspec.frozen import frozen

SIZE, SMALL, FINE = 11, 9, 8
"""Sizes of text in points: of calls, of names, of shapes."""
LEADING = 1.2
"""Height of a line of text, in its size."""

FREE, FIXED = 'fixedsize="false"', 'fixedsize="true"'
"""Cells that grow with a text whose font is broader than expected, and those that do not."""


@frozen
class Run:
    """Text in one font."""

    text: str
    size: int = SIZE
    colour: str = INK
    bold: bool = False
    italic: bool = False

    @property
    def html(self) -> str:
        """The text with its font, in HTML-like labels."""
        text = escaped(self.text)
        text = f"<b>{text}</b>" if self.bold else text
        text = f"<i>{text}</i>" if self.italic else text
        size = f' point-size="{self.size}"' if self.size != SIZE else ""
        colour = f' color="{self.colour}"' if self.colour != INK else ""
        return f"<font{size}{colour}>{text}</font>" if size or colour else text


Words: TypeAlias = "tuple[Run, ...]"
"""One line of text."""


@frozen
class TextCell:
    """A cell of a table: lines of text in its middle or at its left side.

    `room` is the least distance to the left and right edge, `padding` to the upper and lower one.
    """

    lines: tuple[Words, ...]
    fill: str = "transparent"
    room: int = 4
    padding: int = 2
    left: bool = False

    @property
    def width(self) -> int:
        """The least width, in points."""
        return even(max(map(words_width, self.lines), default=0)) + 2 * self.room

    @property
    def height(self) -> int:
        """The height, in points."""
        return even(sum(map(words_height, self.lines))) + 2 * self.padding

    def html(self, width: int, more: str = "") -> str:
        """The cell in HTML, `more` with further attributes; it always has a fill (`typeset`)."""
        text = "<br/>".join("".join(run.html for run in line) for line in self.lines)
        align = ' align="left"' if self.left else ""
        size = f'{FREE} width="{width}" height="{self.height}"'
        return f'<td {size} bgcolor="{self.fill}"{align}{more}>{text}</td>'


def even(size: float) -> int:
    """The next even number, because Graphviz does not place the halves of odd ones exactly."""
    return 2 * ceil(size / 2)


def words_width(line: Words) -> float:
    """The width of a line, in points."""
    return sum(text_width(run.text, run.size, run.bold) for run in line)


def words_height(line: Words) -> float:
    """The height of a line, in points."""
    return LEADING * max((run.size for run in line), default=SIZE)


def column(cells: Sequence[TextCell], padding: int = 2) -> str:
    """A table without lines of some cells on top of each other, at the left side of its place."""
    width = max((cell.width for cell in cells), default=0)
    rows = "".join(f"<tr>{cell.html(width)}</tr>" for cell in cells)
    size = f'{FREE} width="{width}" height="{sum(cell.height for cell in cells)}" align="left"'
    look = f'border="0" cellborder="0" cellspacing="0" cellpadding="{padding}"'
    return f"<table {look} {size}>{rows}</table>"


def times(count: int, uses: int = 1, shared: bool = False) -> str:
    """`× 6` for equal pieces in sequence, `× 5 shared` for uses of a layer, `shared` for one."""
    found = [f"× {number}" for number in (count, uses) if number > 1]
    return " ".join([*found, *["shared"] * (uses > 1 or shared)])


def several(text: str, size: int = SIZE) -> Iterator[Run]:
    """A number of pieces behind other text, in bold; nothing for one."""
    if text:
        yield Run(text, size, bold=True)


def small(text: str) -> Run:
    """Text next to other text, such as a name before a call."""
    return Run(text, SMALL, SOFT)


def escaped(text: str) -> str:
    """Text inside an HTML-like label."""
    plain = "".join(c if c.isprintable() else " " for c in text)
    for mark, name in (("&", "amp"), ("<", "lt"), (">", "gt"), ('"', "quot")):
        plain = plain.replace(mark, f"&{name};")
    return plain
