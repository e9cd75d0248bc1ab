"""Boxes as HTML-like labels of graphviz: tables, with cells where arrows enter and leave."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, TypeAlias

from archspec.diagram.drawing import Box, Line
from archspec.diagram.labels import in_lines
from archspec.diagram.style import BLOCK, END, LINE, PALE_LINE, SOFT, fill_of, pale, text_colour_on
from archspec.diagram.text import (
    FINE,
    SIZE,
    SMALL,
    Run,
    TextCell,
    Words,
    even,
    several,
    small,
    times,
    words_width,
)

Direction: TypeAlias = Literal["TB", "LR"]
"""Whether data flow from top to bottom or from left to right."""

GAP = 16
"""Distance between boxes side by side, in points."""
NARROWEST, BROADEST = 64, 210
CELL = 20
"""Minimum distance between arrows at a box."""
ROW = 30
"""Height of a cell of an upright bar."""
BAR = 14
"""Height of the text of a bar."""
CENTRE_WIDTH = 2 * GAP + 2
"""The width of a vertical line between two boxes, in addition to their distance."""
MOST = 6
"""Shapes in one box."""


def width_of(boxes: Sequence[Box]) -> int:
    """One width for all boxes of ops, within their lines, so that columns are aligned."""
    longest = max((_outer(box) - 2 for box in boxes if box.shape == "ops"), default=0)
    return min(max(longest, NARROWEST), BROADEST)


def cell_widths(
    bar: Box, width: int, feeding: Mapping[int, Sequence[tuple[Box, int | None]]]
) -> Sequence[int]:
    """Widths of the cells of a bar: those of the boxes that feed them.

    Below a small box that merges others there is a cell as wide as these. `feeding` has for each
    box those that feed it, with the cell where they do.
    """
    least = width + 2
    found = dict.fromkeys(range(bar.heads), least)
    for box, cell in feeding.get(bar.id, ()):
        above = feeding.get(box.id, ())
        if box.shape == "bar" and [b.id for b, _ in feeding[bar.id]].count(box.id) == 1:
            row = sum(max(least, _outer(one)) + GAP for one, _ in above)
            found[cell or 0] = max(least, row - GAP)
        if cell is None or box.shape in ("bar", "split"):
            continue
        merged = [other for other, _ in above if other.shape in ("ops", "block")]
        boxes = merged if box.shape == "merge" and merged else [box]
        found[cell] = max(least, sum(_outer(one) + GAP for one in boxes) - GAP)
    widths = [even(found[at]) for at in range(bar.heads)]
    missing = max(0, _bar_width(bar) - sum(widths) - GAP * (bar.heads - 1))
    return [at + even(missing / bar.heads) for at in widths]


Neighbours: TypeAlias = Mapping[int, Sequence[tuple[Box, int | None]]]
"""For each box those that it feeds or that feed it, with the cell of the arrow."""


def foot_widths(box: Box, fed: Neighbours, feeding: Neighbours) -> Sequence[int]:
    """Widths of the cells where arrows leave a box: what only it feeds is below, side by side."""
    found = [0] * box.tails
    for other, cell in fed.get(box.id, ()):
        if cell is not None and len(feeding[other.id]) == 1:
            below = [after for after, _ in fed.get(other.id, ()) if len(feeding[after.id]) == 1]
            row = [_outer(after) + GAP for after in below if other.tails or after.shape == "end"]
            found[cell] += max(_outer(other), sum(row)) + GAP
    return [max(width, CELL) for width in found]


def label(box: Box, width: int, direction: Direction, cells: Sequence[int] = ()) -> str:
    """The table of a box; `cells` are the widths of those of a bar, or of its tails.

    `width` is the least width of a box of ops.
    """
    if box.shape == "bar":
        return _upright_bar(box) if direction == "LR" else _bar(box, cells)
    rows = _rows(box)
    least = width if box.shape == "ops" else 0
    if direction == "TB":
        least = max(least, CELL * box.heads, sum(cells))
    wide = even(max(least, *(row.width for row in rows)))
    return _table([f"<tr>{row.html(wide)}</tr>" for row in rows], _look(box), box, direction, cells)


# ---------------------------------------------------------------------- kinds


def _outer(box: Box) -> int:
    """The width of a box, without what its cells for arrows need."""
    if box.shape == "bar":
        return _bar_width(box)
    return max((row.width for row in _rows(box)), default=0) + 2 * _border(box)


def _rows(box: Box) -> Sequence[TextCell]:
    if box.shape == "merge":
        (line,) = box.lines
        words = _words(box, line, _times(box), SMALL)
        return [TextCell((*words, *_shapes(box, _text_colour(box, line))), room=5)]
    if box.shape == "end":
        title = TextCell(((Run(box.title, italic=True),),), room=6)
        return [title, *[TextCell(((small(box.note),),), room=9)] * bool(box.note)]
    if box.shape == "block":
        more = f" {_times(box)}" if _times(box) else ""  # no space between two bold texts
        name = Run(box.title + more, bold=True)
        note = [small(f"{box.note}: ")] * bool(box.note)
        padding = 2 if box.shapes else 4
        return [TextCell(((*note, name), *_shapes(box, SOFT)), room=5, padding=padding)]
    return list(_rows_of_ops(box))


def _rows_of_ops(box: Box) -> Iterator[TextCell]:
    titled = bool(box.title) or (bool(_times(box)) and len(box.lines) > 1)
    if titled:
        yield TextCell(((small(f"{box.title} "), *several(_times(box))),), left=True)
    for line in box.lines:
        words = _words(box, line, "" if titled else _times(box))
        yield TextCell(words, _fill(box, line))
    for shape in _shapes(box, SOFT):
        yield TextCell((shape,), padding=1)


def _times(box: Box) -> str:
    return times(box.count, box.uses, box.shared)


def _border(box: Box) -> int:
    return 2 if box.shape == "block" else 1


def _look(box: Box) -> str:
    """The attributes of the table of a box."""
    if box.shape == "block":
        return f'border="2" color="{_outline(box, SOFT)}" style="rounded" bgcolor="{BLOCK}"'
    fill = _fill(box, box.lines[0]) if box.shape == "merge" else END
    rounded = ' style="rounded"' if box.shape in ("merge", "end") else ""
    fill = BLOCK if box.shape == "ops" else fill
    return f'border="1" color="{_outline(box)}"{rounded} bgcolor="{fill}"'


def _bar(box: Box, cells: Sequence[int]) -> str:
    listed: list[str] = []
    width = sum(cells)
    for at, cell in enumerate(cells):
        if at:
            space = GAP + CENTRE_WIDTH + GAP if box.parted and at == box.heads // 2 else GAP
            listed.append(f'<td width="{space}" height="2"></td>')
            width += space
        listed.append(f'<td port="i{at}" width="{cell}" height="2"></td>')
    heads = "".join(listed)
    tails = heads.replace('port="i', 'port="o')
    middle = TextCell((_bar_words(box),), padding=1).html(width, f' colspan="{len(listed)}"')
    return (
        f'<table border="1" color="{_outline(box)}" cellborder="0" cellspacing="0" '
        f'cellpadding="0" bgcolor="{_fill(box, box.lines[0])}"><tr>{heads}</tr>'
        f"<tr>{middle}</tr><tr>{tails}</tr></table>"
    )


def _upright_bar(box: Box) -> str:
    """A bar between columns, for data that flow from left to right."""
    rows = max(1, box.heads)
    cell = TextCell((_bar_words(box),), padding=(ROW * rows - BAR) // 2)
    middle = cell.html(cell.width, f' rowspan="{rows}"')
    listed = "".join(
        f'<tr><td port="i{at}" width="2" height="{ROW}"></td>{middle if at == 0 else ""}'
        f'<td port="o{at}" width="2" height="{ROW}"></td></tr>'
        for at in range(rows)
    )
    return (
        f'<table border="1" color="{_outline(box)}" cellborder="0" cellspacing="0" '
        f'cellpadding="0" bgcolor="{_fill(box, box.lines[0])}">{listed}</table>'
    )


# ---------------------------------------------------------------------- parts


def _table(
    rows: Sequence[str], look: str, box: Box, direction: Direction, tails: Sequence[int]
) -> str:
    """Rows with the cells at which several arrows enter before them and leave after them."""
    before, behind = _cells("i", [CELL] * box.heads, direction), _cells("o", tails, direction)
    spaces = 'cellborder="0" cellspacing="0" cellpadding="2"'
    if direction == "TB" or not before + behind:
        return f"<table {look} {spaces}>{_row(before)}{''.join(rows)}{_row(behind)}</table>"
    inner = f'<td><table border="0" {spaces}>{"".join(rows)}</table></td>'
    outer = f'{look} cellborder="0" cellspacing="0" cellpadding="0"'
    return f"<table {outer}><tr>{before}{inner}{behind}</tr></table>"


def _cells(name: str, widths: Sequence[int], direction: Direction) -> str:
    """A table cell with smaller ones in it, side by side across the flow; empty for none."""
    if not widths:
        return ""
    if direction == "TB":
        listed = [
            f'<td port="{name}{at}" width="{width}" height="2"></td>'
            for at, width in enumerate(widths)
        ]
        inner = f"<tr>{''.join(listed)}</tr>"
    else:
        inner = "".join(
            f'<tr><td port="{name}{at}" width="2" height="{CELL}"></td></tr>'
            for at in range(len(widths))
        )
    table = f'<table border="0" cellborder="0" cellspacing="0" cellpadding="0">{inner}</table>'
    return f'<td cellpadding="0">{table}</td>'


def _row(cell: str) -> str:
    return f"<tr>{cell}</tr>" if cell else ""


def _shapes(box: Box, colour: str) -> Iterator[Words]:
    """The shapes that a box yields, as lines."""
    listed = list(box.shapes)
    if len(listed) > MOST:
        listed[MOST - 1 :] = [f"and {len(listed) - MOST + 1} others"]
    yield from ((Run(shape, FINE, colour),) for shape in listed)


def _bar_words(box: Box) -> Words:
    (line,) = box.lines
    (words,) = _words(box, line, _times(box), SMALL, lines=1)
    shapes = (Run(f"   {shape}", FINE, _text_colour(box, line)) for shape in box.shapes)
    return (*words, *shapes)


def _bar_width(box: Box) -> int:
    return even(words_width(_bar_words(box))) + 2 * GAP


def _fill(box: Box, line: Line) -> str:
    fill = fill_of(line.category)
    return pale(fill) if box.idle else fill


def _text_colour(box: Box, line: Line) -> str:
    return SOFT if box.idle else text_colour_on(_fill(box, line))


def _outline(box: Box, color: str = LINE) -> str:
    return PALE_LINE if box.idle else color


def _words(
    box: Box, line: Line, behind: str, size: int = SIZE, lines: int = 2
) -> tuple[Words, ...]:
    """The name of an op, its text and how often it stands there, in one line or more."""
    colour = _text_colour(box, line)
    texts = in_lines(line.text) if lines > 1 else [line.text]
    found = [[Run(text, size, colour)] for text in texts]
    if line.key:
        found[0].insert(0, Run(f"{line.key}: ", SMALL, colour))
    if behind:
        last = found[-1].pop()
        found[-1] += [Run(f"{last.text} ", size, colour), *several(behind, size)]
    return tuple(map(tuple, found))
