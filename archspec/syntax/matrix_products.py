"""The operator `@` of Python, which is written as an op here."""

from __future__ import annotations

import re

from archspec.diagnostics.model import Edit, Fix
from archspec.syntax.context import Context
from archspec.syntax.keywords import CLOSERS, OPENERS
from archspec.syntax.lexer import Token

LAST_WORD = re.compile(r"\b([A-Za-z_]\w*)[ \t]*\Z")
"""The word at the end of a text."""


def report_product(k: Context, raw: list[Token], at: int, result: list[Token]) -> int:
    """Report (E0111) the product `a @ b` at `raw[at - 1]`; return the index of what follows it.

    The left operand, the last token of `result`, stands for the product, and becomes an ERROR if it
    is a name.
    """
    text, token = k.source.text, raw[at - 1]
    end = _operand(raw, at)
    last = raw[end - 1].end if end > at else token.end
    left = result[-1] if result else token
    is_name = left.type == "WORD" and (len(result) < 2 or result[-2].type != ".")
    fix = None
    if is_name and end > at and _is_operand(text, left.start, last):
        right = text[raw[at].start : last]
        inner = right[1:-1] if right[0] == "(" and "," not in _outside(right[1:-1]) else right
        written = f"({text[left.start : left.end]}, {inner}) -> matmul"
        if not _alone(text, left.start, last):
            written = f"({written})"
        fix = Fix(f"write `{written}`", (Edit(k.span(left.start, last), written),))
    message = "there is no operator `@`: write `(a, b) -> matmul`"
    k.error("E0111", message, k.span(token.start, token.end), fix=fix)
    k.damage(token.start)
    if is_name:
        left.type = "ERROR"
    return end


def _operand(raw: list[Token], at: int) -> int:
    """The index after the name, number or group at `raw[at]`, with what is called or read of it."""
    begun = False
    while at < len(raw):
        kind = raw[at].type
        if kind in OPENERS and (not begun or kind != "{") and not (begun and raw[at].first):
            at = _closed(raw, at)
        elif (kind in ("WORD", "NUMBER") and (not begun or raw[at - 1].type == ".")) or (
            kind == "." and begun
        ):
            at += 1
        else:
            break
        begun = True
    return at


def _closed(raw: list[Token], at: int) -> int:
    """The index after the bracket that closes the one at `raw[at]`."""
    depth = 0
    while at < len(raw):
        depth += (raw[at].type in OPENERS) - (raw[at].type in CLOSERS)
        at += 1
        if not depth:
            break
    return at


def _outside(text: str) -> str:
    """A text without what is in brackets."""
    while (shorter := re.sub(r"[(\[{][^()\[\]{}]*[)\]}]", "", text)) != text:
        text = shorter
    return text


def _is_operand(text: str, start: int, end: int) -> bool:
    """Whether no operator that binds at least as tightly is next to a product."""
    before, behind = text[:start].rstrip(" \t")[-1:], text[end:].lstrip(" \t")[:2]
    return before not in ("*", "/", "%", "@", ".", "~") and not behind.startswith("**")


def _alone(text: str, start: int, end: int) -> bool:
    """Whether an expression between these offsets is not part of a larger one."""
    before = text[:start].rstrip(" \t")
    behind = text[end:].lstrip(" \t")[:2]
    opens = before[-1:] in ("=", "(", ",", "[") or before.endswith("output")
    return opens and (behind[:1] in ("", "\n", ")", ",") or behind == "->")
