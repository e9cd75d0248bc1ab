"""Texts at their natural widths in a layout, whatever font the layout program measured.

Each text is in a cell of a table, whose rectangle precedes it in the drawing operations. There it
gets its position, and the width that it has in Helvetica.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, TypeAlias

from archspec.diagram.fonts import text_width
from archspec.diagram.text import LEADING, SIZE

Operation: TypeAlias = "dict[str, Any]"
Layout: TypeAlias = "dict[str, Any]"

BASELINE = 0.947
"""Distance from the top of a line of text to its baseline, in its size."""
CENTRED = 1.0
"""Largest distance between the middle of a line and that of its cell, in points."""

BORDER = 0.5
"""Half of the width of the line around a table."""


def typeset(layout: Layout) -> None:
    """Set the positions and widths of all texts, and remove invisible rectangles."""
    for item in (layout, *layout.get("objects", ()), *layout.get("edges", ())):
        for part in ("_ldraw_", "_tldraw_"):
            if part in item:
                item[part] = list(_set(item[part]))


@dataclass(slots=True)
class _Cell:
    """Texts after a rectangle, each with its size and whether it is bold."""

    corners: Sequence[Sequence[float]] = ()
    texts: list[tuple[Operation, float, bool]] = field(default_factory=list)


def _set(operations: Sequence[Operation]) -> Iterator[Operation]:
    size, bold, fill, cell = float(SIZE), False, "", _Cell()
    for operation in operations:
        kind = operation["op"]
        if kind == "F":
            size = float(operation["size"])
        elif kind == "t":
            bold = bool(operation["fontchar"] & 1)
        elif kind == "C":
            fill = operation["color"]
        elif kind == "T":
            cell.texts.append((operation, size, bold))
        elif kind == "P":
            _place(cell)
            if cell.corners:
                _reach_border(operation)
            cell = _Cell(operation["points"])
            if _is_invisible(fill):
                continue
        yield operation
    _place(cell)


def _reach_border(operation: Operation) -> None:
    """Make the fill of a cell reach the line around its table, whose middle is further out."""
    xs, ys = zip(*operation["points"], strict=True)
    operation["points"] = [
        [x + (BORDER if x == max(xs) else -BORDER), y + (BORDER if y == max(ys) else -BORDER)]
        for x, y in operation["points"]
    ]


def _is_invisible(colour: str) -> bool:
    return colour == "transparent" or (colour[:1] == "#" and colour[7:] == "00")


def _place(cell: _Cell) -> None:
    lines = [list(line) for _, line in groupby(cell.texts, lambda text: text[0]["pt"][1])]
    if not lines:
        return
    heights = [LEADING * max(size for _, size, _ in line) for line in lines]
    y = None
    if cell.corners:
        ys = [point[1] for point in cell.corners]
        y = (min(ys) + max(ys) + sum(heights)) / 2
    for line, height in zip(lines, heights, strict=True):
        x = _start(cell, line)
        for operation, size, bold in line:
            width = text_width(operation["text"], size, bold)
            base = operation["pt"][1] if y is None else y - BASELINE * height / LEADING
            operation.update(align="l", width=round(width, 2), pt=[round(x, 2), round(base, 2)])
            x += width
        y = None if y is None else y - height


def _start(cell: _Cell, line: Sequence[tuple[Operation, float, bool]]) -> float:
    """Where a line begins: it keeps its left end, or its middle if that is the one of the cell."""
    left = min(_left(text) for text, _, _ in line)
    middle = (left + max(_left(text) + text["width"] for text, _, _ in line)) / 2
    width = sum(text_width(text["text"], size, bold) for text, size, bold in line)
    if cell.corners:
        xs = [point[0] for point in cell.corners]
        centre = (min(xs) + max(xs)) / 2
        if abs(middle - centre) > CENTRED:
            return left
        middle = centre
    return float(middle - width / 2)


def _left(text: Mapping[str, Any]) -> float:
    shift = {"l": 0.0, "c": 0.5, "r": 1.0}.get(text["align"], 0.0)
    return float(text["pt"][0]) - shift * float(text["width"])
