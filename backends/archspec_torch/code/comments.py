"""Texts of a spec in docstrings and comments of generated code."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator


def safe_text(text: str) -> str:
    """A text on one line, without anything that could end a docstring."""
    kept = "".join(char if char.isprintable() and char not in '"\\' else " " for char in text)
    return " ".join(kept.split())


def doc_lines(text: str, width: int) -> list[str]:
    """The lines of a comment inside a docstring, which reads back as the comment.

    A paragraph that is wider than `width` is wrapped; only invisible characters are removed.
    """
    found: list[str] = []
    for paragraph in _paragraphs(text):
        lines = paragraph
        if max(map(len, lines)) > width:
            words = " ".join(line.strip() for line in lines)
            lines = textwrap.wrap(words, width, break_on_hyphens=False)
        found += [*([""] if found else []), *map(_escaped, lines)]
    return found


def _paragraphs(text: str) -> Iterator[list[str]]:
    """Lines without blank ones between them."""
    lines: list[str] = []
    for line in text.splitlines():
        kept = "".join(char for char in line if char.isprintable()).rstrip()
        if kept:
            lines.append(kept)
        elif lines:
            yield lines
            lines = []
    if lines:
        yield lines


def _escaped(line: str) -> str:
    return line.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
