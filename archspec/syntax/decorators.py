"""Decorators of Python, which have no meaning in a spec."""

from __future__ import annotations

from archspec.diagnostics.model import Edit, Fix
from archspec.syntax.context import Context
from archspec.syntax.lexer import Token


def report_decorator(k: Context, sign: Token, last: Token) -> None:
    """Report the decorator between its `@` and the last token of its line."""
    line = k.span(sign.start, last.end)
    compact = line.text.endswith("compact")
    words = "remove it: layers are created where they are used" if compact else "remove this line"
    fix = Fix(words, (Edit(line, ""),))
    k.error("E0118", "there are no decorators", k.span(sign.start, sign.end), fix=fix)
