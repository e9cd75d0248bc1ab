"""Texts of a spec in docstrings and comments of generated code."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Collection, Iterator

KEPT_TOGETHER = re.compile(r"`[^`]{1,40}`|\S+(?: (?:%|//|\*|\+|-) \S+)* (?:==|!=|<=|>=|<|>) \S+")
"""A short piece of code, or a comparison: it is not split over two lines."""

SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z`\d])")

REFERRING = re.compile(r"((With|Without|In) )?(it|its|they|their|this|these)\b|Otherwise", re.I)
"""How a sentence begins that is about the one before it."""

TIGHT = "\x1f"
"""Placeholder for a space in such a piece while lines are wrapped."""


def safe_text(text: str) -> str:
    """A text on one line, without anything that could end a docstring."""
    kept = "".join(char if char.isprintable() and char not in '"\\' else " " for char in text)
    return " ".join(kept.split())


def without_names(text: str, names: Collection[str]) -> str:
    """A comment without the sentences about these names, which it writes in backticks."""
    kept: list[str] = []
    for lines in _paragraphs(text):
        paragraph = "\n".join(lines)
        if not any(f"`{name}`" in paragraph for name in names):
            kept.append(paragraph)
            continue
        sentences: list[str] = []
        dropped = False
        for sentence in SENTENCE_END.split(paragraph):
            follows = dropped and REFERRING.match(sentence)
            dropped = bool(follows) or any(f"`{name}`" in sentence for name in names)
            sentences += [] if dropped else [" ".join(sentence.split())]
        kept += [" ".join(sentences)] if sentences else []
    return "\n\n".join(kept)


def doc_lines(text: str, width: int) -> list[str]:
    """The lines of a comment inside a docstring, which reads back as the comment.

    A paragraph that is wider than `width` is wrapped; only invisible characters are removed.
    """
    found: list[str] = []
    for paragraph in _paragraphs(text):
        lines = paragraph
        if max(map(len, lines)) > width:
            words = " ".join(line.strip() for line in lines)
            kept = KEPT_TOGETHER.sub(lambda found: found[0].replace(" ", TIGHT), words)
            lines = textwrap.wrap(kept, width, break_on_hyphens=False)
            lines = [line.replace(TIGHT, " ") for line in lines]
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
