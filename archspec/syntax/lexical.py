"""Replaces invalid tokens (foreign operators, quotes, numbers, comments) and reports each.

The result has only the types known to `layout`, so that one odd character causes one error.
"""

from __future__ import annotations

import re
from itertools import pairwise

from archspec.diagnostics.model import Edit, Fix
from archspec.syntax import limits
from archspec.syntax.brackets import balanced, unmatched_closers
from archspec.syntax.context import Context
from archspec.syntax.decorators import report_decorator
from archspec.syntax.keywords import (
    DEFINITION_WORDS,
    ENDS_OPERAND,
    INFIX_WORDS,
    RESERVED_WORDS,
    STATEMENT_WORDS,
)
from archspec.syntax.lexer import Token
from archspec.syntax.matrix_products import LAST_WORD, report_product

_MEANT = {
    "&&": ("and", "`&&` is written `and`"),
    "&": ("and", "`&` is written `and`"),
    "||": ("or", "`||` is written `or`"),
    "|": ("or", "`|` is written `or`; layers are joined with `->`"),
    "!": ("not", "`!` is written `not`"),
    "~": ("not", "`~` is written `not`"),
    ":=": ("=", "`:=` is written `=`, and a name is bound in its own statement"),
    "===": ("==", "`===` is written `==`"),
    "=<": ("<=", "`=<` is written `<=`"),
    "<>": ("!=", "`<>` is written `!=`"),
    "^": ("**", "`^` is written `**`"),
    "++": ("+", "`++` is written `+`"),
    "×": ("*", "`×` is written `*`"),
    "·": ("*", "`·` is written `*`"),
    ">>": ("->", "`>>` is written `->`"),
    "|>": ("->", "`|>` is written `->`"),
    **{sign: ("->", f"`{sign}` is written `->`") for sign in "→⟶⟹⟼⇨⇾↦➔➙➛➜➝➞➡➤➨➾"},
    "⇒": ("=>", "`⇒` is written `=>`"),
    "≤": ("<=", "`≤` is written `<=`"),
    "≥": (">=", "`≥` is written `>=`"),
    "≠": ("!=", "`≠` is written `!=`"),
    "∈": ("in", "`∈` is written `in`"),
    "…": ("...", "`…` is written as three dots, `...`"),
    "−": ("-", "this is not the ASCII sign `-`"),
    "–": ("-", "this is not the ASCII sign `-`"),
    "—": ("-", "this is not the ASCII sign `-`"),
}
_MESSAGES = {
    "\\": "a line needs no `\\` at its end: a statement continues while a bracket is open, and if "
    "the next line begins with `->`",
    "?": "there is no operator `?`: write `if c then a else b`, or `(c, a, b) -> where` "
    "if `c` is data",
}


_BARE_SIZE = re.compile(r"[\[,][ \t]*\?[ \t]*[,\]]")
_CONDITION = re.compile(r"\b(?:if|where|when|and|or|not|in)\b")

_DIVIDES = "`//` divides; a comment starts with `#`"
_BEGINS_LINE = (
    "a line cannot start with `//`: a comment starts with `#`; to divide, write `//` at the end "
    "of the line before"
)


_DECLARED = re.compile(r"(?:^|\n)[ \t]*input[ \t]+[A-Za-z_][^\n]*\][ \t]*\Z")
_OPTIONAL = re.compile(r"\|[ \t]*None\b")


def _report_optional(k: Context, token: Token, end: int) -> None:
    """Report `int | None`, the type of a parameter that may be absent."""
    start = len(k.source.text[: token.start].rstrip(" \t"))
    fix = Fix("remove it", (Edit(k.span(start, end), ""),))
    message = "a parameter has one type, and there is no `None`"
    k.error("E0130", message, k.span(token.start, end), fix=fix)


def clean(k: Context, raw: list[Token]) -> list[Token]:
    """Tokens of known types."""
    text = k.source.text
    result: list[Token] = []
    closers: list[Token] = []  # those in text taken for comments
    open_brackets = 0
    at = 0
    while at < len(raw):
        token = raw[at]
        at += 1
        if token.type in ("(", "["):
            open_brackets += 1
        elif token.type in (")", "]"):
            open_brackets = max(0, open_brackets - 1)
        skipped = _skipped(k, raw, at, result, open_brackets)
        if skipped is not None:
            closers += unmatched_closers(raw[at:skipped])
            at = skipped
            continue
        if token.first and text[token.start : token.end] == "@":
            at = _next_line(k, raw, at)
            report_decorator(k, token, raw[at - 1])
            continue
        _comma_meant(k, token, open_brackets)
        replaced = _settle(k, token)
        if replaced is not None:
            result.append(replaced)
    if closers and not balanced(result):
        whole = sorted((*result, *closers), key=lambda token: token.start)
        result = whole if balanced(whole) else result
    if len(result) < len(raw):
        for earlier, later in pairwise(result):
            later.first = later.first or "\n" in text[earlier.end : later.start]
    return result


def _skipped(
    k: Context, raw: list[Token], at: int, result: list[Token], open_brackets: int
) -> int | None:
    """Report a comment with a foreign sign, `| None` or a product by `@`.

    The result is the index of the token after it; None for other tokens.
    """
    text, token = k.source.text, raw[at - 1]
    if text[token.start : token.end] == "@" and not token.first:
        return report_product(k, raw, at, result)
    if optional := _OPTIONAL.match(text, token.start):
        _report_optional(k, token, optional.end())
        return next((i for i in range(at, len(raw)) if raw[i].start >= optional.end()), len(raw))
    divides = bool(result) and result[-1].type in ENDS_OPERAND
    if token.type == "//" and not (divides and _may_divide(text, raw, at, open_brackets)):
        message = _BEGINS_LINE if token.first and divides else _DIVIDES
        _report_meant(k, "E0111", message, token, "#")
    elif sign := _comment_sign(text, raw, at - 1):
        place = Token("", token.start, token.start + len(sign))
        _report_meant(k, "E0111", f"a comment starts with `#`, not with `{sign}`", place, "#")
    else:
        return None
    return _next_line(k, raw, at)


def _comma_meant(k: Context, token: Token, open_brackets: int) -> None:
    """Report a `;` between parts in brackets, and read it as a comma."""
    if token.type == "FOREIGN" and open_brackets and k.source.text[token.start] == ";":
        _report_meant(k, "E0111", "parts are separated by commas", token, ",")
        token.type = ","


def _settle(k: Context, token: Token) -> Token | None:
    """The token with a known type, or None if it is dropped."""
    if token.type in ("WORD", "NUMBER", "STRING"):
        fault = limits.check_literal(token.type, token.end - token.start)
        if fault:
            _report(k, "E0105", fault, token)
            token.type = "ERROR"
        return token
    handler = _HANDLERS.get(token.type)
    return handler(k, token) if handler else token


def _report(k: Context, code: str, message: str, token: Token, fix: str | None = None) -> None:
    k.error(code, message, k.span(token.start, token.end), fix=fix)


def _report_meant(k: Context, code: str, message: str, token: Token, meant: str) -> None:
    """Report a token that is written differently here."""
    span, text = k.span(token.start, token.end), k.source.text
    written = meant
    if meant.isalpha():  # a word needs space around it
        written = " " * text[token.start - 1 : token.start].isalnum() + meant
        written += " " * (text[token.end : token.end + 1].strip() != "")
    k.error(code, message, span, fix=Fix(f"write `{meant}`", (Edit(span, written),)))


# ---------------------------------------------------------------------- comments


def _may_divide(text: str, raw: list[Token], at: int, open_brackets: int) -> bool:
    """Whether the `//` before `raw[at]` is probably not the beginning of a comment."""
    slashes = raw[at - 1]
    if slashes.first and not open_brackets:
        return False
    if not open_brackets and _DECLARED.search(text, max(0, slashes.start - 300), slashes.start):
        return False  # a type is not divided
    words = [text[t.start : t.end] for t in raw[at : at + 2] if t.type == "WORD" and not t.first]
    return len(words) < 2 or any(w in RESERVED_WORDS or w in INFIX_WORDS for w in words)


def _comment_sign(text: str, raw: list[Token], at: int) -> str:
    """The comment sign of another language, if the words after it are not code."""
    token, sign = raw[at], ""
    if token.type == "-" and text[token.start : token.start + 2] == "--":
        sign = "--"
    elif token.type == "%" or (token.type == "FOREIGN" and text[token.start] == ";"):
        sign = text[token.start] if text[token.start + 1 :].partition("\n")[0].strip() else ""
    if not sign or (sign == "--" and at and raw[at - 1].end == token.start):
        return ""
    if _DECLARED.search(text, max(0, token.start - 300), token.start):
        return sign
    behind = raw[at + len(sign) : at + len(sign) + 2]
    words = [text[t.start : t.end] for t in behind if t.type == "WORD" and not t.first]
    if len(words) < 2 or {*words} & (RESERVED_WORDS | INFIX_WORDS):
        return ""
    return "" if words[0] in STATEMENT_WORDS | DEFINITION_WORDS else sign


def _as_comment(k: Context, token: Token, content: str) -> Fix | None:
    """The fix that writes the lines of a text as comments; None if code follows on its line."""
    text = k.source.text
    newline = text.find("\n", token.end)
    if text[token.end : newline if newline >= 0 else len(text)].strip():
        return None
    line = text[text.rfind("\n", 0, token.start) + 1 : token.start]
    margin = "\n" + (line if not line.strip() else " " * len(line))
    lines = [part.strip().lstrip("*").strip() for part in content.strip().splitlines()]
    written = margin.join(f"# {part}".rstrip() for part in lines) or "#"
    span = k.span(token.start, token.end)
    return Fix("write it after `#`", (Edit(span, written),))


def _next_line(k: Context, raw: list[Token], at: int) -> int:
    """Index of the first token on a later line than the one before `at`."""
    before = raw[at - 1]
    while at < len(raw) and "\n" not in k.source.text[before.start : raw[at].start]:
        at += 1
    return at


def _block_comment(k: Context, token: Token) -> None:
    content = k.source.text[token.start : token.end]
    for sign in ("/*", "*/", "<!--", "-->"):
        content = content.removeprefix(sign).removesuffix(sign)
    message = "a comment starts with `#` and runs to the end of the line"
    k.error("E0111", message, k.span(token.start, token.end), fix=_as_comment(k, token, content))


# ---------------------------------------------------------------------- strings


def _single(k: Context, token: Token) -> Token:
    content = k.source.text[token.start + 1 : token.end - 1]
    message = 'strings are written in double quotes: `"text"`'
    if '"' in content:
        _report(k, "E0112", message, token)
        token.type = "ERROR"
    else:
        _report_meant(k, "E0112", message, token, f'"{content}"')
        token.type = "STRING"
    return token


def _long_text(k: Context, token: Token) -> Token | None:
    content = k.source.text[token.start + 3 : token.end].removesuffix("'''").removesuffix('"""')
    found = _as_comment(k, token, content) if token.first else None
    fix = Fix(
        "documentation is written as `#` lines above a definition", found.edits if found else ()
    )
    message = "a string is a single line in double quotes"
    k.error("E0112", message, k.span(token.start, token.start + 3), fix=fix)
    if token.first:
        return None
    token.type = "ERROR"
    return token


def _open_string(k: Context, token: Token) -> Token:
    end = token.start + len(k.source.text[token.start : token.end].rstrip())
    place = Token("", token.start, end)
    _report(k, "E0112", "this string has no closing quote on its line", place)
    token.type = "ERROR"
    return token


# ---------------------------------------------------------------------- numbers and words


def _bad_number(k: Context, token: Token) -> Token:
    text = k.source.text[token.start : token.end]
    plain = text.replace("_", "")
    token.type = "ERROR"
    if plain.rstrip(".").isdigit() and text[-1:] == ".":
        _report_meant(k, "E0113", "a digit is missing after the decimal point", token, f"{text}0")
    elif plain.isdigit():
        _report_meant(k, "E0113", "digits are not grouped", token, plain)
    else:
        message = f"`{text[:30]}` is neither a number nor a name: a name starts with a letter"
        label = k.source.text[token.end : token.end + 1] == ":"
        fix = f'write `"{text[:30]}"`' if label else None
        line = k.source.text[: token.start].rpartition("\n")[2].split()
        begun = re.fullmatch(r"(\d+)([A-Za-z_]\w*)", text)
        if begun and line and line[-1] in ("input", "param", "buffer", "shared", "output"):
            fix = f"write `{begun[2]}{begun[1]}`"
        elif times := re.fullmatch(r"(\d+)x(\d+)", text):
            same = times[1] == times[2]
            fix = f"write `{times[1]}`" if same else f"write `[{times[1]}, {times[2]}]`"
        _report(k, "E0113", message, token, fix)
        token.type = "WORD" if label else "ERROR"
    return token


def _bad_word(k: Context, token: Token) -> Token | None:
    text = k.source.text[token.start : token.end]
    message = "a name consists of letters from a to z, digits and `_`"
    _report(k, "E0111", message, token)
    token.type = "WORD" if len(text) <= limits.MAX_NAME else "ERROR"
    return token


# ---------------------------------------------------------------------- signs


def _foreign(k: Context, token: Token) -> Token | None:
    text = k.source.text[token.start : token.end]
    if text in _MEANT:
        token.type, message = _MEANT[text]
        if text == "|" and not _in_condition(k, token):
            token.type, message = "->", "`|` is written `->`, which joins layers"
        _report_meant(k, "E0111", message, token, token.type)
        return token
    if len(text) > 1 and text[-1] == "=":
        return _changed(k, token, text)
    if text == ";":
        _semicolon(k, token)
        return token
    message = _MESSAGES.get(text, f"`{text}` has no meaning here")
    fix = None
    if text == "\\" and k.source.text[token.end :].partition("\n")[0].strip() == "":
        start = len(k.source.text[: token.start].rstrip(" \t"))
        fix = Fix("remove it", (Edit(k.span(start, token.end), ""),))
    if text == "?" and _BARE_SIZE.search(k.source.text, max(0, token.start - 100), token.end + 20):
        message = "a size that may be any number has a name, and a default for reports"
        fix = Fix("write `B = 1` for the batch, `N = 16` for another size")
    k.error("E0111", message, k.span(token.start, token.end), fix=fix)
    if text == "?":
        k.damage(token.start)
        token.type = "ERROR"
        return token
    return None


def _in_condition(k: Context, token: Token) -> bool:
    """Whether a condition precedes a token on its line."""
    before = k.source.text[: token.start].rpartition("\n")[2]
    return bool(_CONDITION.search(before))


def _changed(k: Context, token: Token, text: str) -> Token:
    """`x += 1`, which would change a variable."""
    name = LAST_WORD.search(k.source.text, max(0, token.start - 100), token.start)
    start = name.start() if name else token.start
    word = name[1] if name else "x"
    k.error(
        "E0111",
        f"`{text}` does not exist: a name is bound once and cannot be changed",
        k.span(start, token.end),
        fix=f"bind a new name: `{word}2 = {word} {text[:-1]} ..`",
    )
    token.type = "="
    if token.first:
        k.damage(token.start)  # its operand is on the line before
    return token


def _semicolon(k: Context, token: Token) -> None:
    """A `;` at the end of a statement."""
    text = k.source.text
    end = token.end + len(text[token.end :]) - len(text[token.end :].lstrip(" \t"))
    line = text[: token.start].rpartition("\n")[2]
    last = text[end : end + 1] in ("", "\n", "\r", "#", "}")
    written = "" if last else "\n" + line[: len(line) - len(line.lstrip())]
    edit = Edit(k.span(token.start, token.end if last else end), written)
    fix = Fix("remove it" if last else "start a new line", (edit,))
    message = "a statement ends with its line; `;` has no meaning"
    k.error("E0111", message, k.span(token.start, token.end), fix=fix)
    token.type = ";"


def _bad(k: Context, token: Token) -> None:
    text = k.source.text[token.start : token.end]
    shown = text if text.isprintable() else text.encode("unicode_escape").decode()
    if text.isspace():
        _report_meant(k, "E0111", f"`{shown}` is not an ASCII space", token, " ")
        return
    _report(k, "E0111", f"`{shown[:20]}` has no meaning here", token)


_HANDLERS = {
    "SLASHES": _block_comment,
    "SINGLE": _single,
    "LONG_TEXT": _long_text,
    "OPEN_STRING": _open_string,
    "BAD_NUMBER": _bad_number,
    "BAD_WORD": _bad_word,
    "FOREIGN": _foreign,
    "BAD": _bad,
}
