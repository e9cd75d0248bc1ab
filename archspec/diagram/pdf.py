"""PDF from a layout, for machines without Graphviz: `graphviz-pure` does not write PDF.

A layout in Graphviz's JSON lists drawing operations (xdot). There are few, and each is a line or
two in the page language of PDF. Text is in Helvetica, which every reader has; characters that are
not in Windows' Latin alphabet become "?".
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

Operation: TypeAlias = Mapping[str, Any]

PAD = 14.4
"""Margin around the drawing, in points; that of `pad=0.2`."""
LARGEST = 14_400.0
"""Maximum length of a page in points (PDF 1.7, appendix C)."""

_FONTS = ("Helvetica", "Helvetica-Bold", "Helvetica-Oblique", "ZapfDingbats")
_SQUARE = "\u25a0"
_ROUND = 0.5523  # of the radius: the control points of four curves that approximate a circle


def pdf(drawing: Mapping[str, Any]) -> bytes:
    """A page with the drawing in a layout, given as Graphviz's JSON."""
    left, bottom, right, top = (float(number) for number in drawing["bb"].split(","))
    width, height = right - left + 2 * PAD, top - bottom + 2 * PAD
    scale = min(1.0, LARGEST / max(width, height))
    shift = (
        f"{_n(scale)} 0 0 {_n(scale)} {_n((PAD - left) * scale)} {_n((PAD - bottom) * scale)} cm"
    )
    lines = [shift, *_Pen().page(drawing)]
    return _document("\n".join(lines).encode("cp1252", "replace"), width * scale, height * scale)


class _Pen:
    """Turns drawing operations into page content; remembers the font."""

    def __init__(self) -> None:
        self.size = 11.0
        self.bold = self.italic = False
        self.ink = ""
        self.outlined = True
        self.handlers: Mapping[str, Callable[[Operation], str]] = {
            "c": self._line_colour,
            "C": lambda op: _colour(op["color"], "rg"),
            "P": lambda op: f"{_polygon(op['points'])} {self._filled()}",
            "p": lambda op: f"{_polygon(op['points'])} s",
            "L": lambda op: f"{_polygon(op['points'])} S",
            "B": lambda op: f"{_curve(op['points'])} {self._filled()}",
            "b": lambda op: f"{_curve(op['points'])} S",
            "E": lambda op: f"{_ellipse(op['rect'])} {self._filled()}",
            "e": lambda op: f"{_ellipse(op['rect'])} s",
            "S": lambda op: _style(op["style"]),
            "F": self._font,
            "t": self._face,
            "T": self._text,
        }

    def page(self, drawing: Mapping[str, Any]) -> Iterator[str]:
        """The whole drawing: background, frames, boxes and arrows, each with its text."""
        for item in (drawing, *drawing.get("objects", ()), *drawing.get("edges", ())):
            for part in ("_draw_", "_hdraw_", "_tdraw_", "_ldraw_", "_tldraw_", "_hldraw_"):
                yield "q 1 w"
                self.bold = self.italic = False
                for operation in item.get(part, ()):
                    handler = self.handlers.get(operation["op"])
                    if handler is not None:
                        yield handler(operation)
                yield "Q"

    def _filled(self) -> str:
        return "b" if self.outlined else "f"

    def _line_colour(self, operation: Operation) -> str:
        self.outlined = operation["color"][7:] != "00"  # not completely transparent
        self.ink = _colour(operation["color"], "rg")
        return _colour(operation["color"], "RG")

    def _font(self, operation: Operation) -> str:
        self.size = float(operation["size"])
        return ""

    def _face(self, operation: Operation) -> str:
        self.bold, self.italic = bool(operation["fontchar"] & 1), bool(operation["fontchar"] & 2)
        return ""

    def _text(self, operation: Operation) -> str:
        text = operation["text"]
        x, y = operation["pt"]
        x -= {"l": 0.0, "c": 0.5, "r": 1.0}.get(operation["align"], 0.0) * operation["width"]
        font = 3 if text == _SQUARE else 1 if self.bold else 2 if self.italic else 0
        shown = "n" if font == 3 else text
        for mark in ("\\", "(", ")"):
            shown = shown.replace(mark, f"\\{mark}")
        place = f"{_n(x)} {_n(y)} Td"
        return f"q {self.ink} BT /F{font} {_n(self.size)} Tf {place} ({shown}) Tj ET Q"


def _n(number: float) -> str:
    return f"{number:.4f}".rstrip("0").rstrip(".")


def _colour(text: str, operator: str) -> str:
    parts = [int(text[at : at + 2], 16) / 255 for at in (1, 3, 5)] if text[:1] == "#" else [0.0] * 3
    return f"{' '.join(f'{part:.3f}' for part in parts)} {operator}"


def _point(point: list[float]) -> str:
    return f"{_n(point[0])} {_n(point[1])}"


def _polygon(points: list[list[float]]) -> str:
    return " ".join(f"{_point(at)} {'l' if index else 'm'}" for index, at in enumerate(points))


def _curve(points: list[list[float]]) -> str:
    parts = [f"{_point(points[0])} m"]
    for index in range(1, len(points) - 2, 3):
        parts.append(" ".join(_point(at) for at in points[index : index + 3]) + " c")
    return " ".join(parts)


def _ellipse(rect: list[float]) -> str:
    x, y, a, b = rect
    ax, by = a * _ROUND, b * _ROUND
    corners = [
        [x + a, y], [x + a, y + by], [x + ax, y + b], [x, y + b],
        [x - ax, y + b], [x - a, y + by], [x - a, y],
        [x - a, y - by], [x - ax, y - b], [x, y - b],
        [x + ax, y - b], [x + a, y - by], [x + a, y],
    ]  # fmt: skip
    return _curve(corners)


def _style(style: str) -> str:
    if style.startswith("setlinewidth("):
        return f"{_n(float(style[13:-1]))} w"
    return {"dashed": "[5 3] 0 d", "dotted": "[1 3] 0 d", "solid": "[] 0 d"}.get(style, "")


def _document(content: bytes, width: float, height: float) -> bytes:
    packed = zlib.compress(content, 9)
    fonts = " ".join(f"/F{index} {index + 5} 0 R" for index in range(len(_FONTS)))
    page = (
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {_n(width)} {_n(height)}] /Contents 4 0 R "
        f"/Resources << /Font << {fonts} >> >> >>"
    )
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        page.encode(),
        b"<< /Length %d /Filter /FlateDecode >>\nstream\n%b\nendstream" % (len(packed), packed),
        *(_font_object(name).encode() for name in _FONTS),
    ]
    body, places = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", []
    for number, item in enumerate(objects, start=1):
        places.append(len(body))
        body += b"%d 0 obj\n%b\nendobj\n" % (number, item)
    rows = b"".join(b"%010d 00000 n \n" % place for place in places)
    count = len(objects) + 1
    return (
        body
        + b"xref\n0 %d\n0000000000 65535 f \n%b" % (count, rows)
        + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (count, len(body))
    )


def _font_object(name: str) -> str:
    encoding = "" if name == "ZapfDingbats" else " /Encoding /WinAnsiEncoding"
    return f"<< /Type /Font /Subtype /Type1 /BaseFont /{name}{encoding} >>"
