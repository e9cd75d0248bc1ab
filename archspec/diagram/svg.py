"""SVG from a layout, whichever program made it.

Each text has the width that it was laid out with (`textLength`), so it stays in its box in a
browser whose font is broader. Tooltips are `title` elements, with a line for each fact; the `title`
and `desc` of the whole are for screen readers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from html import escape
from typing import Any, TypeAlias

from archspec.diagram.style import FONTS

Operation: TypeAlias = Mapping[str, Any]

PAD = 14.4
"""Margin around the drawing, in points."""
REACH = 7
"""Width of the invisible line around an arrow at which its tooltip appears."""

PRINTED = "@media print { svg:root { width: 100%; height: 100% } }"
"""A file that is printed fits on one page, of any size."""

_PARTS = ("_draw_", "_hdraw_", "_tdraw_", "_ldraw_", "_tldraw_", "_hldraw_")


def svg(drawing: Mapping[str, Any]) -> bytes:
    """An SVG file of a layout, given as Graphviz's JSON."""
    left, bottom, right, top = (float(number) for number in drawing["bb"].split(","))
    width, height = right - left + 2 * PAD, top - bottom + 2 * PAD
    lines = [
        '<?xml version="1.0" encoding="UTF-8" standalone="no"?>',
        f'<svg width="{_n(width)}pt" height="{_n(height)}pt" viewBox="0 0 {_n(width)} {_n(height)}"'
        ' xmlns="http://www.w3.org/2000/svg" role="img">',
        *_description(drawing),
        f"<style>{PRINTED}</style>",
        f'<rect width="100%" height="100%" fill="{_colour(drawing.get("bgcolor", "white"))[0]}"/>',
        f'<g transform="translate({_n(PAD - left)} {_n(PAD + top)})" font-family="{FONTS}">',
        *_group("drawing", drawing, parts=("_ldraw_",)),
    ]
    for item in drawing.get("objects", ()):
        lines += _group("frame" if "nodes" in item or "bb" in item else "box", item)
    for item in drawing.get("edges", ()):
        lines += _group("arrow", item)
    return "\n".join([*lines, "</g>", "</svg>", ""]).encode()


def _description(drawing: Mapping[str, Any]) -> Iterator[str]:
    """The description for screen readers: the name, and the line below it."""
    operations = drawing.get("_ldraw_", ())
    texts = [found["text"].strip() for found in operations if found["op"] == "T"]
    name, *others = [text for text in texts if text] or [str(drawing.get("name", ""))]
    yield f"<title>{_escaped(name)}</title>"
    yield from [f"<desc>{_escaped(others[0])}</desc>"] * bool(others)


def _group(kind: str, item: Mapping[str, Any], parts: tuple[str, ...] = _PARTS) -> Iterator[str]:
    drawn = [line for part in parts for line in _Pen(kind).lines(item.get(part, ()))]
    if not drawn:
        return
    yield f'<g class="{kind}">'
    if item.get("tooltip"):
        yield f"<title>{_escaped(_plain(item['tooltip']))}</title>"
    yield from drawn
    yield "</g>"


def _plain(text: str) -> str:
    """A text of Graphviz without its escapes."""
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], text)


class _Pen:
    """Turns drawing operations into elements; remembers colours, style and font."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.stroke, self.fill = 'stroke="#000000"', 'fill="none"'
        self.style = self.width = self.face = ""
        self.size = 11.0
        self.ink = "#000000"
        self.handlers: Mapping[str, Callable[[Operation], str]] = {
            "c": self._pen_colour,
            "C": self._fill_colour,
            "P": lambda op: self._polygon(op, self.fill),
            "p": lambda op: self._polygon(op, 'fill="none"'),
            "L": lambda op: f'<polyline fill="none" {self._line()} points="{_points(op)}"/>',
            "B": lambda op: self._curve(op, self.fill),
            "b": lambda op: self._curve(op, 'fill="none"'),
            "E": lambda op: self._ellipse(op, self.fill),
            "e": lambda op: self._ellipse(op, 'fill="none"'),
            "S": self._set_style,
            "F": self._set_size,
            "t": self._set_face,
            "T": self._text,
        }

    def lines(self, operations: Iterable[Operation]) -> Iterator[str]:
        """The elements of one part."""
        for operation in operations:
            handler = self.handlers.get(operation["op"])
            line = handler(operation) if handler is not None else ""
            if line:
                yield line

    def _pen_colour(self, operation: Operation) -> str:
        self.ink, opacity = _colour(operation["color"])
        self.stroke = f'stroke="{self.ink}"' if opacity else 'stroke="none"'
        return ""

    def _fill_colour(self, operation: Operation) -> str:
        colour, opacity = _colour(operation["color"])
        self.fill = f'fill="{colour}"' if opacity else 'fill="none"'
        return ""

    def _set_style(self, operation: Operation) -> str:
        style = operation["style"]
        if style.startswith("setlinewidth("):
            width = float(style[13:-1])
            self.width = f' stroke-width="{_n(width)}"' if width != 1 else ""
        else:
            dashes = {"dashed": "5,2", "dotted": "1,5"}.get(style)
            self.style = f' stroke-dasharray="{dashes}"' if dashes else ""
        return ""

    def _set_size(self, operation: Operation) -> str:
        self.size = float(operation["size"])
        return ""

    def _set_face(self, operation: Operation) -> str:
        bold, italic = operation["fontchar"] & 1, operation["fontchar"] & 2
        self.face = ' font-weight="bold"' * bool(bold) + ' font-style="italic"' * bool(italic)
        return ""

    def _line(self) -> str:
        return f"{self.stroke}{self.width}{self.style}"

    def _polygon(self, operation: Operation, fill: str) -> str:
        return f'<polygon {fill} {self._line()} points="{_points(operation)}"/>'

    def _ellipse(self, operation: Operation, fill: str) -> str:
        x, y, a, b = operation["rect"]
        place = f'cx="{_n(x)}" cy="{_n(-y)}" rx="{_n(a)}" ry="{_n(b)}"'
        return f"<ellipse {fill} {self._line()} {place}/>"

    def _curve(self, operation: Operation, fill: str) -> str:
        first, *others = (f"{_n(x)},{_n(-y)}" for x, y in operation["points"])
        path = f'd="M{first}C{" ".join(others)}"'
        drawn = f"<path {fill} {self._line()} {path}/>"
        if self.kind != "arrow":
            return drawn
        # The area for hovering is wider than the visible line.
        return f'<path fill="none" stroke="transparent" stroke-width="{REACH}" {path}/>\n{drawn}'

    def _text(self, operation: Operation) -> str:
        text, width = operation["text"], operation["width"]
        if not text.strip() or width <= 0:
            return ""
        x, y = operation["pt"]
        x -= {"l": 0.0, "c": 0.5, "r": 1.0}.get(operation["align"], 0.0) * width
        return (
            f'<text x="{_n(x)}" y="{_n(-y)}" font-size="{_n(self.size)}"{self.face} '
            f'fill="{self.ink}" textLength="{_n(width)}" lengthAdjust="spacingAndGlyphs" '
            f'xml:space="preserve">{_escaped(text)}</text>'
        )


def _n(number: float) -> str:
    return f"{number + 0.0:.2f}".rstrip("0").rstrip(".")


def _points(operation: Operation) -> str:
    return " ".join(f"{_n(x)},{_n(-y)}" for x, y in operation["points"])


def _colour(text: str) -> tuple[str, bool]:
    """A colour without its opacity, and whether it is visible."""
    return text[:7] if text[:1] == "#" else text, text[7:] != "00"


def _escaped(text: str) -> str:
    return escape(text, quote=False)
