"""Documents with possible line breaks, and the printer that decides which to use.

Wadler's pretty printer as in prettier: a `Group` is printed on one line if it fits into the rest
of the line, else its `Line`s become line breaks. A `Suffix` is printed at the end of its line.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from archspec.frozen import frozen


@frozen
class Line:
    """A possible line break, printed as `flat` if not broken. A hard one always breaks."""

    flat: str = " "
    hard: bool = False


@frozen
class Blank:
    """An empty line at the next break."""


@frozen
class Suffix:
    """Text at the end of the line, such as a comment."""

    text: str


@frozen
class Choice:
    """One text if the group is broken, another if it is not."""

    broken: str
    flat: str


@frozen
class Concat:
    """A sequence of documents."""

    parts: tuple[Doc, ...]
    hard: bool


@frozen
class Nest:
    """Adds `indent` columns to the indentation of the line breaks inside."""

    indent: int
    inner: Doc
    hard: bool


@frozen
class Group:
    """A document printed on one line if it fits."""

    inner: Doc
    hard: bool


Doc: TypeAlias = "str | Line | Blank | Suffix | Choice | Concat | Nest | Group"

WIDTH = 100
"""Maximum line length in characters, where possible."""

LINE = Line()
SOFT = Line("")
HARD = Line("", hard=True)
BLANK = Blank()


def is_hard(doc: Doc) -> bool:
    """Whether it cannot be printed on one line."""
    return isinstance(doc, Suffix) or (not isinstance(doc, str) and getattr(doc, "hard", False))


def concat(*parts: Doc) -> Doc:
    """The parts in sequence."""
    return Concat(parts, any(is_hard(part) for part in parts))


def nest(*parts: Doc, indent: int = 2) -> Doc:
    """The parts in sequence, indented."""
    inner = concat(*parts)
    return Nest(indent, inner, is_hard(inner))


def group(*parts: Doc) -> Doc:
    """The parts in sequence, on one line if they fit."""
    inner = concat(*parts)
    return Group(inner, is_hard(inner))


def join(separator: Doc, parts: Iterable[Doc]) -> Doc:
    """The parts in sequence with a separator between them."""
    result: list[Doc] = []
    for part in parts:
        if result:
            result.append(separator)
        result.append(part)
    return concat(*result)


_Entry: TypeAlias = "tuple[int, bool, Doc]"


class _Printer:
    """The state of one run: output so far, current column, and pending suffixes and blank line."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.out: list[str] = []
        self.column = 0
        self.suffixes: list[str] = []
        self.blank = False

    def run(self, doc: Doc) -> str:
        """The text of a document."""
        stack: list[_Entry] = [(0, False, doc)]
        while stack:
            indent, flat, item = stack.pop()
            if isinstance(item, str):
                self._text(item)
            elif isinstance(item, Line):
                self._line(indent, flat, item)
            elif isinstance(item, Suffix):
                self.suffixes.append(item.text)
            elif isinstance(item, Choice):
                self._text(item.flat if flat else item.broken)
            elif isinstance(item, Blank):
                self.blank = True
            elif isinstance(item, Concat):
                stack.extend((indent, flat, part) for part in reversed(item.parts))
            elif isinstance(item, Nest):
                stack.append((indent + item.indent, flat, item.inner))
            else:
                whole = flat or (not item.hard and self.fits(item.inner, stack))
                stack.append((indent, whole, item.inner))
        self._end_line()
        return "".join(self.out)

    def _text(self, text: str) -> None:
        self.out.append(text)
        self.column += len(text)

    def _line(self, indent: int, flat: bool, line: Line) -> None:
        if flat and not line.hard:
            self._text(line.flat)
            return
        self._end_line(indent)
        self.out.append(("\n\n" if self.blank else "\n") + " " * indent)
        self.blank = False
        self.column = indent

    def _end_line(self, indent: int = 0) -> None:
        while self.out and not self.out[-1].strip(" "):
            self.out.pop()
        if self.out:
            self.out[-1] = self.out[-1].rstrip(" ")
        for at, suffix in enumerate(self.suffixes):
            self.out.append("\n" + " " * indent + suffix.lstrip() if at else suffix)
        self.suffixes.clear()

    def fits(self, doc: Doc, rest: list[_Entry]) -> bool:
        """Whether `doc` on one line, with the text up to the next break after it, fits."""
        remaining = self.width - self.column
        todo: list[_Entry] = [(0, True, doc)]
        behind = len(rest)
        while remaining >= 0:
            if not todo:
                if not behind:
                    return True
                behind -= 1
                todo.append(rest[behind])
            _, flat, item = todo.pop()
            if isinstance(item, Line) and (item.hard or not flat):
                return True
            if isinstance(item, Concat):
                todo.extend((0, flat, part) for part in reversed(item.parts))
            elif isinstance(item, Nest | Group):
                todo.append((0, flat and not item.hard, item.inner))
            else:
                remaining -= _size(item, flat)
        return False


def _size(item: Doc, flat: bool) -> int:
    """The number of characters that an item takes on one line."""
    if isinstance(item, str):
        return len(item)
    if isinstance(item, Choice):
        return len(item.flat if flat else item.broken)
    return len(item.flat) if isinstance(item, Line) else 0


def breaks(doc: Doc) -> bool:
    """Whether a document that starts a line takes several lines."""
    return is_hard(doc) or not _Printer(WIDTH).fits(doc, [])


def render(doc: Doc) -> str:
    """Print a document in lines of at most `WIDTH` characters where possible."""
    return _Printer(WIDTH).run(doc)
