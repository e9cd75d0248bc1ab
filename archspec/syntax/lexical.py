"""Makes tokens of what is none: foreign operators, quotes, numbers, comments; each is reported.

What remains has only the types that `layout` knows, so one odd character costs one message.
"""

from __future__ import annotations

from itertools import pairwise

from archspec.diagnostics.model import Edit, Fix
from archspec.syntax import limits
from archspec.syntax.brackets import balanced, unmatched_closers
from archspec.syntax.context import Context
from archspec.syntax.keywords import ENDS_OPERAND, INFIX_WORDS, RESERVED_WORDS
from archspec.syntax.lexer import Token

_MEANT = {
    "&&": ("and", "`&&` is written `and`"),
    "&": ("and", "`&` is written `and`"),
    "||": ("or", "`||` is written `or`"),
    "|": ("or", "`|` is written `or`; layers are joined by `->`"),
    "!": ("not", "`!` is written `not`"),
    ":=": ("=", "`:=` is written `=`; a name is bound once"),
    "===": ("==", "`===` is written `==`"),
    "=<": ("<=", "`=<` is written `<=`"),
    "<>": ("!=", "`<>` is written `!=`"),
    "^": ("**", "`^` is written `**`"),
    "++": ("+", "`++` is written `+`"),
    "×": ("*", "`×` is written `*`"),
    "·": ("*", "`·` is written `*`"),
    ">>": ("->", "`>>` is written `->`"),
    "|>": ("->", "`|>` is written `->`"),
    "→": ("->", "`→` is written `->`"),
    "⇒": ("=>", "`⇒` is written `=>`"),
    "≤": ("<=", "`≤` is written `<=`"),
    "≥": (">=", "`≥` is written `>=`"),
    "≠": ("!=", "`≠` is written `!=`"),
    "∈": ("in", "`∈` is written `in`"),
    "…": ("...", "`…` is written as three dots, `...`"),
    "−": ("-", "this is not the sign `-` of the keyboard"),
    "–": ("-", "this is not the sign `-` of the keyboard"),
    "—": ("-", "this is not the sign `-` of the keyboard"),
}
_SAID = {
    "@": "`@` is no operator here: write `(a, b) -> matmul`",
    "?": "there is no `?`: a value is chosen by `if c then a else b`",
}


_DIVIDES = "`//` divides; a comment begins with `#`"
_BEGINS_LINE = (
    "a line does not begin with `//`: a comment begins with `#`; to divide, write `//` at the end "
    "of the line before"
)


def clean(k: Context, raw: list[Token]) -> list[Token]:
    """Tokens of known types."""
    text = k.source.text
    result: list[Token] = []
    closers: list[Token] = []  # in what was taken for comments
    open_brackets = 0
    at = 0
    while at < len(raw):
        token = raw[at]
        at += 1
        if token.type in ("(", "["):
            open_brackets += 1
        elif token.type in (")", "]"):
            open_brackets = max(0, open_brackets - 1)
        divides = bool(result) and result[-1].type in ENDS_OPERAND
        if token.type == "//" and not (divides and _may_divide(text, raw, at, open_brackets)):
            message = _BEGINS_LINE if token.first and divides else _DIVIDES
            _report_meant(k, "E0111", message, token, "#")
            end = _next_line(k, raw, at)
            closers += unmatched_closers(raw[at:end])
            at = end
            continue
        if token.first and text[token.start : token.end] == "@":
            _report(k, "E0118", "there are no decorators", token)
            at = _next_line(k, raw, at)
            continue
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
    """Report a token that is written otherwise."""
    span = k.span(token.start, token.end)
    k.error(code, message, span, fix=Fix(f"write `{meant}`", (Edit(span, meant),)))


# ---------------------------------------------------------------------- comments


def _may_divide(text: str, raw: list[Token], at: int, open_brackets: int) -> bool:
    """Whether the `//` before `raw[at]` was not meant to begin a comment."""
    slashes = raw[at - 1]
    if slashes.first and not open_brackets:
        return False
    words = [text[t.start : t.end] for t in raw[at : at + 2] if t.type == "WORD" and not t.first]
    return len(words) < 2 or any(w in RESERVED_WORDS or w in INFIX_WORDS for w in words)


def _next_line(k: Context, raw: list[Token], at: int) -> int:
    """Index of the first token on a later line than the one before `at`."""
    before = raw[at - 1]
    while at < len(raw) and "\n" not in k.source.text[before.start : raw[at].start]:
        at += 1
    return at


def _block_comment(k: Context, token: Token) -> None:
    _report(k, "E0111", "a comment begins with `#` and ends with its line", token)


# ---------------------------------------------------------------------- strings


def _single(k: Context, token: Token) -> Token:
    content = k.source.text[token.start + 1 : token.end - 1]
    message = 'strings stand in double quotes: `"text"`'
    if '"' in content:
        _report(k, "E0112", message, token)
        token.type = "ERROR"
    else:
        _report_meant(k, "E0112", message, token, f'"{content}"')
        token.type = "STRING"
    return token


def _long_text(k: Context, token: Token) -> Token | None:
    fix = "documentation is written as `#` lines above a definition"
    head = Token("", token.start, token.start + 3)
    _report(k, "E0112", "a string has one line, between double quotes", head, fix)
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
        _report_meant(k, "E0113", "a digit is missing after the point", token, f"{text}0")
    elif plain.isdigit():
        _report_meant(k, "E0113", "digits are not grouped", token, plain)
    else:
        message = f"`{text[:30]}` is neither a number nor a name: a name begins with a letter"
        label = k.source.text[token.end : token.end + 1] == ":"
        _report(k, "E0113", message, token, f'write `"{text[:30]}"`' if label else None)
        token.type = "WORD" if label else "ERROR"
    return token


def _bad_word(k: Context, token: Token) -> Token | None:
    text = k.source.text[token.start : token.end]
    message = "a name has letters from a to z, digits and `_`"
    _report(k, "E0111", message, token)
    token.type = "WORD" if len(text) <= limits.MAX_NAME else "ERROR"
    return token


# ---------------------------------------------------------------------- signs


def _foreign(k: Context, token: Token) -> Token | None:
    text = k.source.text[token.start : token.end]
    if text in _MEANT:
        token.type, message = _MEANT[text]
        _report_meant(k, "E0111", message, token, token.type)
        return token
    if len(text) > 1 and text[-1] == "=":
        message = f"`{text}` does not exist: a name is bound once, and nothing is changed later"
        _report(k, "E0111", message, token, f"bind a new name: `y = x {text[:-1]} ..`")
        token.type = "="
        if token.first:
            k.damage(token.start)  # what it follows stands on the line before
        return token
    if text == ";":
        _report(k, "E0111", "a statement ends with its line; `;` has no meaning", token)
        token.type = ";"
        return token
    message = _SAID.get(text, f"`{text}` has no meaning here")
    _report(k, "E0111", message, token)
    if text == "?":
        k.damage(token.start)
        token.type = "ERROR"
        return token
    if text == "@":
        k.damage(token.start)
    return None


def _bad(k: Context, token: Token) -> None:
    text = k.source.text[token.start : token.end]
    shown = text if text.isprintable() else text.encode("unicode_escape").decode()
    if text.isspace():
        _report_meant(k, "E0111", f"`{shown}` is not the space of the keyboard", token, " ")
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
