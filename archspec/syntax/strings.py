"""Strings: literal text and expressions in braces."""

from __future__ import annotations

import re

from archspec.diagnostics.model import Edit, Fix
from archspec.syntax import ast
from archspec.syntax.context import Context
from archspec.syntax.keywords import RESERVED_WORDS
from archspec.syntax.lexer import Token
from archspec.syntax.limits import MAX_NAME

_WORD = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*)\s*")


def read_string(k: Context, token: Token) -> ast.Text:
    """The parts of a string token. `{{` and `}}` represent the braces themselves."""
    text = k.source.text
    span = k.span(token.start, token.end)
    parts: list[str | ast.Expr] = []
    literal: list[str] = []
    at, end = token.start + 1, token.end - 1
    while at < end:
        char = text[at]
        if char in "{}" and text[at : at + 2] == char * 2 and at + 1 < end:
            literal.append(char)
            at += 2
        elif char == "{":
            if literal:
                parts.append("".join(literal))
                literal.clear()
            value, at = _hole(k, at, end)
            parts.append(value)
        elif char == "}":
            _stray(k, at)
            at += 1
        else:
            literal.append(char)
            at += 1
    if literal:
        parts.append("".join(literal))
    return ast.Text(span, tuple(parts))


def _hole(k: Context, at: int, end: int) -> tuple[ast.Expr, int]:
    """The expression in the braces that open at `at`, and their end."""
    close = k.source.text.find("}", at, end)
    if close < 0:
        k.error(
            "E0112",
            "the `{` in this string is not closed",
            k.span(at, at + 1),
            fix="write `{{` for the character itself",
        )
        return ast.Missing(k.span(at, end)), end
    if not k.source.text[at + 1 : close].strip():
        k.error(
            "E0112",
            "there is nothing between the braces in this string",
            k.span(at, close + 1),
            fix=_filled(k, at, close, end),
        )
        return ast.Missing(k.span(at, close + 1)), close + 1
    word = _WORD.fullmatch(k.source.text, at + 1, close)
    if word and word[1] not in RESERVED_WORDS and len(word[1]) <= MAX_NAME:
        return ast.Name(k.span(word.start(1), word.end(1)), word[1]), close + 1
    return k.read_template(at + 1, close), close + 1


_FORMAT = re.compile(r'"\.format\(([\w. +*/-]+)\)')


def _filled(k: Context, at: int, close: int, end: int) -> Fix:
    """The fix for `"layer{}".format(i)`, and for empty braces elsewhere."""
    words = 'braces contain an expression, `"layer{i}"`; `{{` and `}}` are literal braces'
    call = _FORMAT.match(k.source.text, end)
    if call is None or k.source.text.count("{", at, end) > 1:
        return Fix(words)
    put = Edit(k.span(at + 1, close), call[1])
    return Fix(words, (put, Edit(k.span(end + 1, call.end()), "")))


def _stray(k: Context, at: int) -> None:
    k.error(
        "E0112",
        "this `}` in a string matches no opening bracket",
        k.span(at, at + 1),
        fix="write `}}` for the character itself",
    )
