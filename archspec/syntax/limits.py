"""Limits of a spec, checked before it is parsed.

The limits far exceed the needs of any network. They make all later phases safe: input is bounded,
and no tree is too deep for a recursive walk. Each has its own error code, so that a generated spec
that exceeds a limit can be distinguished from an invalid one.
"""

from __future__ import annotations

import re

from archspec.diagnostics.model import Diagnostic, diagnostic
from archspec.source import Source, Span

MAX_CHARACTERS = 500_000
"""Size of one file, in characters."""

MAX_TOKENS = 80_000
"""Words, numbers, strings and signs in one file, including those interpolated in strings."""

MAX_LINE = 5_000
"""Characters of one line."""

MAX_NESTING = 64
"""Maximum number of open brackets of any kind."""

MAX_DEPTH = 200
"""Levels of the syntax tree: a sum of n terms has about n, each bracket two or three."""

MAX_DIGITS = 40
"""Characters of one number."""

MAX_STRING = 1_000
"""Characters of one string."""

MAX_NAME = 200
"""Characters of one name."""

MAX_ERRORS = 50
"""Syntax errors that one run reports for a file."""

_LITERALS = {
    "WORD": (MAX_NAME, "name"),
    "NUMBER": (MAX_DIGITS, "number"),
    "STRING": (MAX_STRING + 2, "string"),
}
_LONG_LINE = re.compile(rf"[^\n]{{{MAX_LINE + 1}}}")


def check_literal(kind: str, size: int) -> str | None:
    """The error for the length of a word, number or string, or None."""
    limit, what = _LITERALS.get(kind, (MAX_CHARACTERS, "sign"))
    if size <= limit:
        return None
    most = limit - 2 * (kind == "STRING")
    return f"the {what} is too long; a {what} may have at most {most:,} characters"


def check_size(source: Source) -> Diagnostic | None:
    """The error for a file that is too large to be parsed, or None."""
    size = len(source.text)
    if size > MAX_CHARACTERS:
        return diagnostic(
            "E0101",
            f"the file has {size:,} characters; a file may have at most {MAX_CHARACTERS:,}",
            Span(source, 0, 0),
            fix="split it into several files and join them with `use`",
        )
    long_line = _LONG_LINE.search(source.text)
    if long_line:
        return diagnostic(
            "E0102",
            f"the line is too long; a line may have at most {MAX_LINE:,} characters",
            Span(source, long_line.start(), long_line.start() + 1),
            fix="break it: a line may end after a comma or an operator, or go on with `->`",
        )
    return None
