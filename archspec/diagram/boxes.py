"""Boxes as HTML-like labels of graphviz: tables, with cells where arrows enter and leave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

from archspec.diagram.drawing import Box, Frame, Line
from archspec.diagram.labels import in_lines
from archspec.diagram.style import BLOCK, END, LINE, PALE_LINE, SOFT, fill_of, pale, text_colour_on

Direction: TypeAlias = Literal["TB", "LR"]
"""Whether data flow from top to bottom or from left to right."""

GAP = 16
"""Distance between boxes side by side, in points."""
CHARACTER = 5.7
"""Width of a character of a label, in points, on average; of a shape it is 4.4."""
NARROWEST, BROADEST = 64, 210
AMPLE = 1.06
"""Factor for estimated widths, since fonts differ."""
CELL = 20
"""Minimum distance between arrows at a box."""
ROW = 30
"""Height of a cell of an upright bar."""
CENTRE_WIDTH = 2 * GAP + 2
"""The width of a vertical line between two boxes, in addition to their distance."""
MOST = 6
"""Shapes in one box."""


def width_of(boxes: Sequence[Box]) -> int:
    """One width for all boxes of ops, so that columns are aligned between bars."""
    longest = max((_estimate(box) for box in boxes if box.shape == "ops"), default=0)
    return min(max(longest, NARROWEST), BROADEST)


def cell_widths(
    bar: Box, width: int, feeding: Mapping[int, Sequence[tuple[Box, int | None]]]
) -> Sequence[int]:
    """Widths of the cells of a bar: those of the boxes that feed them.

    Below a small box that merges others there is a cell as wide as these. `feeding` has for each
    box those that feed it, with the cell where they do.
    """
    found = dict.fromkeys(range(bar.heads), width)
    for box, cell in feeding.get(bar.id, ()):
        above = feeding.get(box.id, ())
        if box.shape == "bar" and [b.id for b, _ in feeding[bar.id]].count(box.id) == 1:
            row = sum(max(width, _estimate(one)) + 2 + GAP for one, _ in above)
            found[cell or 0] = max(width, row - GAP - 2)
        if cell is None or box.shape in ("bar", "split"):
            continue
        merged = [other for other, _ in above if other.shape in ("ops", "block")]
        boxes = merged if box.shape == "merge" and merged else [box]
        found[cell] = max(width, sum(_estimate(one) + GAP for one in boxes) - GAP)
    return [found[at] + 2 for at in range(bar.heads)]


Neighbours: TypeAlias = Mapping[int, Sequence[tuple[Box, int | None]]]
"""For each box those that it feeds or that feed it, with the cell of the arrow."""


def foot_widths(box: Box, fed: Neighbours, feeding: Neighbours) -> Sequence[int]:
    """Widths of the cells where arrows leave a box: what only it feeds is below, side by side."""
    found = [0] * box.tails
    for other, cell in fed.get(box.id, ()):
        if cell is not None and len(feeding[other.id]) == 1:
            below = [after for after, _ in fed.get(other.id, ()) if len(feeding[after.id]) == 1]
            row = [_estimate(after) + GAP for after in below if other.tails or after.shape == "end"]
            found[cell] += max(_estimate(other), sum(row)) + GAP
    return [max(round(width * AMPLE), CELL) for width in found]


def _estimate(box: Box) -> int:
    """About the width of a box."""
    more = len(_times(box))
    widths = [
        (max(map(len, in_lines(line.text))) + 0.85 * len(line.key) + more) * CHARACTER
        for line in box.lines
    ]
    widths += [len(shape) * 4.4 for shape in box.shapes]
    if box.shape == "end":
        widths += [len(box.title) * CHARACTER + 10, len(box.note) * 4.7 + 10]
    if box.shape == "block":
        widths.append((len(box.title) + more) * 6.2 + len(box.note) * 4.7 + 10)
    return round(max(widths, default=0)) + 8


def label(box: Box, width: int, direction: Direction, cells: Sequence[int] = ()) -> str:
    """The table of a box; `cells` are the widths of those of a bar, or of its tails."""
    if box.shape == "bar":
        return _upright_bar(box) if direction == "LR" else _bar(box, cells)
    if box.shape == "merge":
        return _merge(box, direction, cells)
    if box.shape == "end":
        return _end(box)
    if box.shape == "block":
        return _block(box, direction, cells)
    return _ops(box, width, direction, cells)


# ---------------------------------------------------------------------- kinds


def _ops(box: Box, width: int, direction: Direction, tails: Sequence[int]) -> str:
    head = small(box.title) + times(box)
    titled = bool(box.title) or (bool(_times(box)) and len(box.lines) > 1)
    rows = [f'<tr><td align="left" width="{width}">{head}</td></tr>'] * titled
    rows += [
        f'<tr><td bgcolor="{_fill(box, line)}" width="{width}">'
        f"{_text(box, line, '' if titled else times(box))}</td></tr>"
        for line in box.lines
    ]
    rows += [f'<tr><td cellpadding="1">{shape}</td></tr>' for shape in _shapes(box, SOFT)]
    look = f'border="1" color="{_outline(box)}" bgcolor="{BLOCK}"'
    return _table(rows, look, box, direction, tails)


def _block(box: Box, direction: Direction, tails: Sequence[int]) -> str:
    note = f"{small(box.note + ':')} " if box.note else ""
    # Graphviz drops a space between two pieces of bold text.
    title = f"{note}<b>{escaped(box.title)}{_times(box)}</b>"
    look = f'border="2" color="{_outline(box, SOFT)}" style="rounded" bgcolor="{BLOCK}"'
    padding = 2 if box.shapes else 4
    row = f'<tr><td cellpadding="{padding}">{_together(title, *_shapes(box, SOFT))}</td></tr>'
    return _table([row], look, box, direction, tails)


def _merge(box: Box, direction: Direction, tails: Sequence[int]) -> str:
    """A small box; where the order of its inputs matters they have cells."""
    (line,) = box.lines
    fill = _fill(box, line)
    text = f'<font point-size="9">{_text(box, line, times(box))}</font>'
    colour = SOFT if box.idle else text_colour_on(fill)
    row = f"<tr><td>{_together(text, *_shapes(box, colour))}</td></tr>"
    look = f'border="1" color="{_outline(box)}" style="rounded" bgcolor="{fill}"'
    return _table([row], look, box, direction, tails)


def _end(box: Box) -> str:
    """An input or output: its name and its type."""
    note = f"<tr><td>&nbsp; {small(box.note)} &nbsp;</td></tr>" if box.note else ""
    return (
        f'<table border="1" color="{_outline(box)}" style="rounded" cellborder="0" cellspacing="0" '
        f'cellpadding="2" bgcolor="{END}"><tr><td>&nbsp;<i>{escaped(box.title)}</i>&nbsp;</td></tr>'
        f"{note}</table>"
    )


def _bar(box: Box, cells: Sequence[int]) -> str:
    (line,) = box.lines
    listed: list[str] = []
    for at, cell in enumerate(cells):
        if at:
            space = GAP + CENTRE_WIDTH + GAP if box.parted and at == box.heads // 2 else GAP
            listed.append(f'<td width="{space}" height="2"></td>')
        listed.append(f'<td port="i{at}" width="{cell}" height="2"></td>')
    heads = "".join(listed)
    tails = heads.replace('port="i', 'port="o')
    return (
        f'<table border="1" color="{_outline(box)}" cellborder="0" cellspacing="0" '
        f'cellpadding="0" bgcolor="{_fill(box, line)}"><tr>{heads}</tr>'
        f'<tr><td colspan="{len(listed)}" height="13">{_bar_text(box)}</td></tr>'
        f"<tr>{tails}</tr></table>"
    )


def _upright_bar(box: Box) -> str:
    """A bar between columns, for data that flow from left to right."""
    (line,) = box.lines
    rows = max(1, box.heads)
    middle = f'<td rowspan="{rows}" cellpadding="3">{_bar_text(box)}</td>'
    listed = "".join(
        f'<tr><td port="i{at}" width="2" height="{ROW}"></td>{middle if at == 0 else ""}'
        f'<td port="o{at}" width="2" height="{ROW}"></td></tr>'
        for at in range(rows)
    )
    return (
        f'<table border="1" color="{_outline(box)}" cellborder="0" cellspacing="0" '
        f'cellpadding="0" bgcolor="{_fill(box, line)}">{listed}</table>'
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


def _shapes(box: Box, ink: str) -> list[str]:
    """The shapes that a box yields, as lines."""
    listed = list(box.shapes)
    if len(listed) > MOST:
        listed[MOST - 1 :] = [f"and {len(listed) - MOST + 1} others"]
    return [_fine(shape, ink) for shape in listed]


def _together(*lines: str) -> str:
    """Lines of text in one cell, with room for round corners."""
    return "<br/>".join(f"&nbsp;{line}&nbsp;" for line in lines)


def _bar_text(box: Box) -> str:
    (line,) = box.lines
    ink = SOFT if box.idle else text_colour_on(_fill(box, line))
    text = f'<font point-size="9">{_text(box, line, times(box))}</font>'
    return "&nbsp; ".join([text, *(_fine(shape, ink) for shape in box.shapes)])


def _fill(box: Box, line: Line) -> str:
    fill = fill_of(line.category)
    return pale(fill) if box.idle else fill


def _outline(box: Box, color: str = LINE) -> str:
    return PALE_LINE if box.idle else color


def _text(box: Box, line: Line, behind: str) -> str:
    ink = SOFT if box.idle else text_colour_on(_fill(box, line))
    key = f'<font point-size="9" color="{ink}">{escaped(line.key)}: </font>' if line.key else ""
    text = "<br/>".join(map(escaped, in_lines(line.text)))
    return f'{key}<font color="{ink}">{text}</font>{behind}'


def times(item: Box | Frame) -> str:
    """`× 6` in bold, for what represents several; nothing for one."""
    found = _times(item)
    return f" <b>{found.strip()}</b>" if found else ""


def _times(item: Box | Frame) -> str:
    """`× 6` for equal pieces in sequence, `× 5 shared` for uses of a layer, `shared` for one."""
    found = f" × {item.count}" if item.count > 1 else ""
    found += f" × {item.uses}" if item.uses > 1 else ""
    return f"{found} shared" if item.uses > 1 or item.shared else found


def small(text: str) -> str:
    """Text next to other text, such as a name before a call."""
    return f'<font point-size="9" color="{SOFT}">{escaped(text)}</font>'


def _fine(text: str, ink: str) -> str:
    return f'<font point-size="8" color="{ink}">{escaped(text)}</font>'


def escaped(text: str) -> str:
    """Text inside an HTML-like label."""
    plain = "".join(c if c.isprintable() else " " for c in text)
    for mark, name in (("&", "amp"), ("<", "lt"), (">", "gt"), ('"', "quot")):
        plain = plain.replace(mark, f"&{name};")
    return plain
