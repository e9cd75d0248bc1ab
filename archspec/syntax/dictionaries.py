"""Dictionaries of Python, which are no values here: results with names are outputs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from archspec.diagnostics.model import Edit, Fix
from archspec.source import Source, Span
from archspec.syntax import ast
from archspec.syntax.context import Item

MESSAGE = "there are no dictionaries"

_TABLE = (
    'a table is a rule with a clause for each key: `rule width("a") => 1`; layers get names, '
    "`a = linear(8)`, or labels"
)
_RESULTS = "results get names as outputs"

_BEFORE = re.compile(r"(?:output|return)\b[^\n{}()\[\]]*\{\s*\Z")
_KEY = re.compile(r"""\s*["']([A-Za-z_]\w*)["']\s*:\s*""")
_CLOSERS = {"{": "}", "(": ")", "[": "]"}

LONGEST = 2_000
"""Number of characters of a dictionary that is rewritten."""


def is_dictionary(items: Sequence[Item]) -> bool:
    """Whether this is `"a": 1, "b": x -> relu`. One layer with a label in quotes is none."""
    values = (ast.Number, ast.Text)
    firsts = [item.stages[0] if isinstance(item, ast.Chain) else item for item in items]
    if not all(isinstance(item, ast.Labelled) for item in firsts):
        return False
    if all(isinstance(item, ast.Labelled) and isinstance(item.inner, values) for item in firsts):
        return True
    return len(items) > 1 and all(item.span.text.startswith('"') for item in items)


def is_entry(value: Item) -> bool:
    """Whether this is `{"a": y}`."""
    if not isinstance(value, ast.Anonymous) or len(value.body.statements) != 1:
        return False
    (statement,) = value.body.statements
    return isinstance(statement, ast.ExprStmt) and is_dictionary([statement.value, statement.value])


def instead(source: Source, first: int) -> Fix:
    """What is written instead of a dictionary whose first key starts at an offset."""
    start = _BEFORE.search(source.text, max(0, first - 200), first)
    if start is None:
        return Fix(_TABLE)
    found = _entries(source.text, first)
    if found is None or not found[0]:
        return Fix(f"{_RESULTS}: `output a = ..`, a statement for each")
    entries, end = found
    margin = "\n" + " " * (source.position(start.start())[1] - 1)
    lines = [f"output {name} = {value}" for name, value in entries]
    place = Span(source, start.start(), end)
    return Fix(f"{_RESULTS}: `output {entries[0][0]} = ..`", (Edit(place, margin.join(lines)),))


def _entries(text: str, first: int) -> tuple[list[tuple[str, str]], int] | None:
    """The keys and values up to the closing brace, and where that ends; None if it is not plain."""
    parts: list[str] = []
    begin, end = first, first
    for at, sign in _outside_brackets(text, first):
        if sign in ",}":
            parts.append(text[begin:at])
            begin = end = at + 1
        if sign == "}":
            break
    else:
        return None
    entries: list[tuple[str, str]] = []
    for part in filter(str.strip, parts):
        key = _KEY.match(part)
        if key is None or "#" in part or not part[key.end() :].strip():
            return None
        entries.append((key[1], part[key.end() :].strip()))
    return entries, end


def _outside_brackets(text: str, first: int) -> Iterator[tuple[int, str]]:
    """The characters of a dictionary that are in no brackets or quotes, with their offsets."""
    stack: list[str] = []
    quote = ""
    for at, sign in enumerate(text[first : first + LONGEST], start=first):
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "\"'":
            quote = sign
        elif stack and sign == stack[-1]:
            stack.pop()
        elif sign in _CLOSERS:
            stack.append(_CLOSERS[sign])
        elif not stack:
            yield at, sign
