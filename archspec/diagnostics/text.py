"""Diagnostics as text for people: message, source lines with carets, notes, expansions, fix.

error[E0401]: `add` needs equal dims, but axis 1 is 64 and 128
  --> specs/resnet.arch:14:11
   |
12 |   skip = x -> conv(64, 1)
   |               ----------- this branch has [B, 64, H, W]
...
14 |   y = skip + h
   |            ^ [B, 128, H, W] here
   = in `bottleneck(64)`, expanded at specs/resnet.arch:31:9
   = note: only a literal 1 broadcasts
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from archspec.diagnostics.changes import line_changes
from archspec.diagnostics.model import Annotation, Diagnostic, Frame, Severity
from archspec.diagnostics.paint import Style, paint
from archspec.diagnostics.printable import printable
from archspec.diagnostics.snippet import Snippet, extent, mark
from archspec.source import Source, Span

_PAGE = 120  # default page width, in columns
_FRAMES = 3  # expansions shown at either end of a long chain
_EDITED = 6  # maximum number of lines of an edit that are shown, before and after

_STYLES: dict[Severity, Style] = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.NOTE: "note",
}


def render(
    diagnostics: Iterable[Diagnostic], *, colour: bool = False, width: int | None = None
) -> str:
    """All diagnostics, a blank line after each, and a summary line.

    Args:
        diagnostics: the diagnostics in the order to draw them.
        colour: whether to emit ANSI colours.
        width: page width in columns; longer source lines are cut.
    """
    items = list(diagnostics)
    if not items:
        return ""
    drawn = [render_one(item, colour=colour, width=width) for item in items]
    return "\n".join((*drawn, summary(items)))


def summary(diagnostics: Iterable[Diagnostic]) -> str:
    """One line such as `found 2 errors and 1 warning (archspec explain E0401 says more)`."""
    items = list(diagnostics)
    counts = Counter(item.severity for item in items)
    parts = [
        f"{counts[severity]} {severity}{'s' if counts[severity] > 1 else ''}"
        for severity in Severity
        if counts[severity]
    ]
    if not parts:
        return "no problems found\n"
    spoken = " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
    worst = min(items, key=lambda item: list(Severity).index(item.severity))
    return f"found {spoken} (`archspec explain {printable(worst.code)}` says more)\n"


def render_one(item: Diagnostic, *, colour: bool = False, width: int | None = None) -> str:
    """One diagnostic, with a line break at the end."""
    return _Page(item, colour, width or _PAGE).draw()


class _Page:
    """Draws one diagnostic and holds the settings shared by its parts."""

    def __init__(self, item: Diagnostic, colour: bool, width: int) -> None:
        self._item = item
        self._colour = colour
        self._width = width
        self._changes = line_changes(item.fix.edits) if item.fix is not None else []
        self._gutter = len(str(self._last_line()))

    def draw(self) -> str:
        snippets = self._snippets()
        remarks = [*self._expansion(), *self._notes(), *self._fix()]
        bar = [self._bar()] if remarks and snippets else []
        lines = [self._head(), *snippets, *bar, *remarks]
        return "\n".join(line.rstrip() for line in lines) + "\n"

    def _annotations(self) -> list[Annotation]:
        primary = [self._item.primary] if self._item.primary is not None else []
        return [*primary, *self._item.secondary]

    def _last_line(self) -> int:
        spans = [item.span for item in self._annotations()]
        if self._item.fix is not None:
            spans.extend(edit.span for edit in self._item.fix.edits)
        last = max((span.source.position(max(span.end, 0))[0] for span in spans), default=1)
        return max((last, *(change.number for change in self._changes)))

    def _paint(self, text: str, style: Style) -> str:
        return paint(text, style, self._colour)

    def _bar(self, text: str = "") -> str:
        return self._paint(" " * self._gutter + " |", "gutter") + (f" {text}" if text else "")

    def _head(self) -> str:
        severity = self._item.severity
        title = self._paint(f"{severity}[{printable(self._item.code)}]", _STYLES[severity])
        message = printable(self._item.message, newlines=True).replace("\n", "\n    ")
        return title + self._paint(f": {message}", "bold")

    def _snippets(self) -> list[str]:
        lines: list[str] = []
        for source, marked in self._by_source():
            lines.extend(self._snippet(source, marked, first=not lines))
        return lines

    def _by_source(self) -> list[tuple[Source, list[Annotation]]]:
        grouped: dict[str, tuple[Source, list[Annotation]]] = {}
        for item in self._annotations():
            source = item.span.source
            grouped.setdefault(source.name, (source, []))[1].append(item)
        return list(grouped.values())

    def _snippet(self, source: Source, items: Sequence[Annotation], *, first: bool) -> list[str]:
        arrow = "-->" if first and self._item.primary is not None else ":::"
        place = printable(location(items[0].span))
        lines = [" " * self._gutter + self._paint(arrow, "gutter") + f" {place}"]
        if not source.text:
            return lines
        marks = [mark(item, *self._look(item)) for item in items]
        lines.append(self._bar())
        lines.extend(Snippet(source, marks, self._gutter, self._width, self._colour).draw())
        return lines

    def _look(self, item: Annotation) -> tuple[Style, bool]:
        primary = item is self._item.primary
        return (_STYLES[self._item.severity] if primary else "secondary"), primary

    def _remark(self, kind: str, text: str) -> str:
        head = " " * self._gutter + self._paint(" = ", "gutter")
        kind = self._paint(f"{kind}: ", "bold") if kind else ""
        indent = "\n" + " " * (self._gutter + 5)
        return head + kind + printable(text, newlines=True).replace("\n", indent)

    def _notes(self) -> list[str]:
        return [self._remark("note", note) for note in self._item.notes]

    def _expansion(self) -> list[str]:
        frames = self._item.expansion
        if len(frames) <= 2 * _FRAMES + 1:
            return [self._frame(frame) for frame in frames]
        hidden = len(frames) - 2 * _FRAMES
        return [
            *(self._frame(frame) for frame in frames[:_FRAMES]),
            self._remark("", f"... {hidden} more expansions ..."),
            *(self._frame(frame) for frame in frames[-_FRAMES:]),
        ]

    def _frame(self, frame: Frame) -> str:
        return self._remark("", f"in `{frame.what}`, expanded at {location(frame.span)}")

    def _fix(self) -> list[str]:
        fix = self._item.fix
        if fix is None:
            return []
        if not fix.edits:
            return [self._remark("help", fix.message)]
        title = self._paint("help", "help") + f": {printable(fix.message)}"
        return [title, *self._edited()]

    def _edited(self) -> list[str]:
        """The lines that the edits change, before and after; of many changes, only the result."""
        many = sum(change.sign != " " for change in self._changes) > 2 * _EDITED
        between = self._paint("...", "gutter")
        lines: list[str] = []
        before, apart = 0, False
        for change in self._changes:
            apart = apart or 0 < before < change.old - 1
            before = change.old
            if many and change.sign == "-":
                continue
            lines.extend([between] if apart else [])
            lines.append(self._change(change.number, change.sign, change.text))
            apart = False
        shown = 2 * _EDITED if many else len(lines)
        return [self._bar(), *lines[:shown], *([between] if len(lines) > shown else [])]

    def _change(self, number: int, sign: str, line: str) -> str:
        space = max(self._width - self._gutter - 3, 20)
        text = printable(line.rstrip("\r"))
        text = text if len(text) <= space else text[: space - 1] + "…"
        head = self._paint(f"{number:>{self._gutter}} ", "gutter")
        if sign == " ":
            return f"{head}  {text}"
        return head + self._paint(f"{sign} {text}", "added" if sign == "+" else "removed")


def location(span: Span) -> str:
    """`file:line:column`; only the name if the source has no text, or is not a file."""
    source = span.source
    if not source.text or source.name.startswith("<"):
        return source.name
    line, column = source.position(extent(span)[0])
    return f"{source.name}:{line}:{column}"
