"""Names that a file may define on lines that could not be parsed.

A syntax error may hide a definition on its line. A name that could be bound there is not reported
as unknown elsewhere, so that each mistake is reported once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from archspec.diagnostics.model import Diagnostic
from archspec.source import Source, Span
from archspec.syntax.keywords import DEFINITION_WORDS

_WORD = re.compile(r"[A-Za-z_]\w*")
_STRING = re.compile(r'"[^"]*"')


def error_lines(diagnostics: Iterable[Diagnostic]) -> frozenset[int]:
    """The lines on which syntax errors begin or end."""
    found: set[int] = set()
    for item in diagnostics:
        if item.primary is not None:
            span = item.primary.span
            found.update((span.line, span.source.position(span.end)[0]))
    return frozenset(found)


def names_on(source: Source, lines: Iterable[int]) -> set[str]:
    """Names that these lines may define or bind."""
    count = len(source.line_starts)
    return {name for line in lines if line <= count for name in _bound(source.line(line))}


def names_in(spans: Iterable[Span]) -> set[str]:
    """Names that lines of skipped text may define: unindented lines, where heads begin."""
    lines = (line for span in spans for line in span.text.splitlines() if line[:1].strip())
    return {name for line in lines for name in _bound(line)}


def words(text: str) -> frozenset[str]:
    """Every word of a text."""
    return frozenset(_WORD.findall(text))


def _bound(line: str) -> Iterator[str]:
    """Words of a line that may be bound, without uses: `-> word`, `= word` and calls."""
    code = _STRING.sub('""', line.partition("#")[0])
    for match in _WORD.finditer(code):
        before, after = code[: match.start()].rstrip(), code[match.end() :].lstrip()
        if after.startswith("."):
            continue
        if before.endswith(("->", "=")):
            continue
        if not after.startswith("(") or before in DEFINITION_WORDS or len(before.split()) < 2:
            yield match.group()
