"""Source lines with carets under them, in the style of rustc.

Spans within one line are underlined; spans of several lines get a bracket on the left. Lines too
long for the page are cut around the marked part.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from archspec.diagnostics.model import Annotation
from archspec.diagnostics.paint import Row, Style
from archspec.diagnostics.printable import printable, shown, width
from archspec.frozen import frozen
from archspec.source import Source, Span

_EDGE = 2  # lines of a long bracket that are shown at either end
_GAP = "..."


@frozen
class Mark:
    """One annotation resolved to lines and columns, counted from 1; `end_column` is exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int
    label: str
    style: Style
    primary: bool

    @property
    def is_block(self) -> bool:
        """Whether it covers several lines."""
        return self.end_line > self.line

    @property
    def sign(self) -> str:
        """The character that underlines it."""
        return "^" if self.primary else "-"


def mark(annotation: Annotation, style: Style, primary: bool) -> Mark:
    """Resolve an annotation, ignoring white space at the end of its span."""
    start, end = extent(annotation.span)
    source = annotation.span.source
    line, column = source.position(start)
    end_line, end_column = source.position(end)
    if end_line == line and end_column == column:
        end_column += 1
    label = printable(annotation.label)
    return Mark(line, column, end_line, end_column, label, style, primary)


def extent(span: Span) -> tuple[int, int]:
    """The offsets of a span clamped to its text, without white space at the end.

    The end of the text counts as the end of its last line that is not blank.
    """
    text = span.source.text
    size = len(text)
    start = min(max(span.start, 0), size)
    if start == size and text.endswith("\n"):
        start = len(text.rstrip())
        return start, start
    end = min(max(span.end, start), size)
    kept = len(text[start:end].rstrip())
    return start, start + (kept or min(end - start, 1))


class _Line:
    """A source line as drawn, cut to `limit` columns around character `focus`."""

    def __init__(self, raw: str, focus: int, limit: int) -> None:
        self._first = 0
        if len(raw) >= limit or width(printable(raw)) >= limit:
            self._first = max(0, min(focus - limit // 3, len(raw) - limit // 2))
        pieces = ["…"] if self._first else []
        self._columns: list[int] = []
        at = len(pieces)
        for character in raw[self._first :]:
            piece = shown(character)
            if at + width(piece) > limit - 1:
                pieces.append("…")
                break
            self._columns.append(at)
            pieces.append(piece)
            at += width(piece)
        self._columns.append(at)
        self.text = "".join(pieces)

    def column(self, character: int) -> int:
        """The column (from 0) where a character (from 1) is drawn; the edge if it was cut off."""
        index = min(max(character - 1 - self._first, 0), len(self._columns) - 1)
        return self._columns[index]


class Snippet:
    """The marked lines of one source.

    `gutter` is the width of the line numbers, `page` the total width, in columns.
    """

    def __init__(
        self, source: Source, marks: Sequence[Mark], gutter: int, page: int, colour: bool
    ) -> None:
        self._source = source
        self._inline = [item for item in marks if not item.is_block]
        blocks = sorted(
            (item for item in marks if item.is_block),
            key=lambda item: (item.line - item.end_line, item.line),
        )
        self._slots = {item: index for index, item in enumerate(blocks)}
        self._gutter = gutter
        self._indent = 2 * len(blocks)
        self._room = max(page - gutter - 3 - self._indent, 20)
        self._colour = colour

    def draw(self) -> list[str]:
        """The finished lines."""
        drawn: list[str] = []
        before = 0
        for number in self._lines():
            if before and number == before + 2:
                drawn.extend(self._draw_line(number - 1))
            elif before and number > before + 2:
                drawn.append(self._gap(number - 1))
            drawn.extend(self._draw_line(number))
            before = number
        return drawn

    def _lines(self) -> list[int]:
        wanted = {item.line for item in self._inline}
        for block in self._slots:
            wanted.update(range(block.line, min(block.line + _EDGE, block.end_line)))
            wanted.update(range(max(block.end_line - _EDGE + 1, block.line), block.end_line + 1))
        return sorted(wanted)

    def _gap(self, number: int) -> str:
        row = Row()
        row.put(0, _GAP, "gutter")
        self._bars(row, number)
        return row.draw(self._colour)

    def _start(self, number: int | None) -> Row:
        row = Row()
        text = "" if number is None else str(number)
        row.put(0, f"{text:>{self._gutter}} | ", "gutter")
        return row

    def _bars(self, row: Row, number: int, besides: Mark | None = None) -> None:
        """Draw the vertical lines of the brackets that begin above line `number` and reach it."""
        for block, slot in self._slots.items():
            if block is not besides and block.line < number <= block.end_line:
                row.put(self._gutter + 3 + 2 * slot, "|", block.style)

    def _draw_line(self, number: int) -> list[str]:
        marks = [item for item in self._inline if item.line == number]
        begun = [item for item in self._slots if item.line == number]
        ended = [item for item in self._slots if item.end_line == number]
        focus = min(
            (item.column for item in (*marks, *begun) if item.primary),
            default=min((item.column for item in (*marks, *begun)), default=1),
        )
        raw = self._source.line(number)
        line = _Line(raw, focus, self._room)
        row = self._start(number)
        self._bars(row, number)
        flush = [item for item in begun if not raw[: item.column - 1].strip()]
        for item in flush:
            row.put(self._gutter + 3 + 2 * self._slots[item], "/", item.style)
        row.put(self._left, line.text)
        drawn = [row.draw(self._colour)]
        drawn.extend(self._underlines(number, line, marks))
        drawn.extend(self._begin(number, line, item) for item in begun if item not in flush)
        drawn.extend(self._end(number, line, item) for item in ended)
        return drawn

    @property
    def _left(self) -> int:
        return self._gutter + 3 + self._indent

    def _begin(self, number: int, line: _Line, block: Mark) -> str:
        row = self._start(None)
        self._bars(row, number, block)
        at = self._left + line.column(block.column)
        left = self._gutter + 3 + 2 * self._slots[block] + 1
        row.put(left, "_" * (at - left) + block.sign, block.style, over=False)
        return row.draw(self._colour)

    def _end(self, number: int, line: _Line, block: Mark) -> str:
        row = self._start(None)
        self._bars(row, number)
        at = self._left + line.column(block.end_column - 1)
        left = self._gutter + 3 + 2 * self._slots[block] + 1
        row.put(left, "_" * (at - left), block.style, over=False)
        row.put(at, f"{block.sign} {block.label}", block.style)
        return row.draw(self._colour)

    def _underlines(self, number: int, line: _Line, marks: Iterable[Mark]) -> list[str]:
        """The row of carets with the last label on it, and the other labels below."""
        ordered = sorted(marks, key=lambda item: (item.column, item.primary, -item.end_column))
        if not ordered:
            return []
        place = {item: self._left + line.column(item.column) for item in ordered}
        row = self._start(None)
        self._bars(row, number)
        for item in sorted(ordered, key=lambda item: (item.primary, -item.end_column)):
            end = self._left + line.column(item.end_column)
            row.put(place[item], item.sign * max(end - place[item], 1), item.style)
        labelled = [item for item in ordered if item.label]
        last = ordered[-1]
        if last.label and self._ends_last(last, ordered):
            row.put(row.width + 1, last.label, last.style)
            labelled.remove(last)
        return [row.draw(self._colour), *self._hanging(number, labelled, place)]

    @staticmethod
    def _ends_last(last: Mark, marks: Sequence[Mark]) -> bool:
        return all(item.end_column <= last.end_column for item in marks)

    def _hanging(self, number: int, marks: list[Mark], place: dict[Mark, int]) -> list[str]:
        drawn: list[str] = []
        if marks:
            drawn.append(self._stems(number, marks, place).draw(self._colour))
        while marks:
            item = marks.pop()
            row = self._stems(number, [m for m in marks if place[m] != place[item]], place)
            row.put(place[item], item.label, item.style)
            drawn.append(row.draw(self._colour))
        return drawn

    def _stems(self, number: int, marks: Iterable[Mark], place: dict[Mark, int]) -> Row:
        row = self._start(None)
        self._bars(row, number)
        for item in marks:
            row.put(place[item], "|", item.style)
        return row
