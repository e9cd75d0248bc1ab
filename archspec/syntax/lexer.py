"""Text to tokens: words, numbers, strings, signs and comments, each with its location.

Linear in the text and context-free: `layout` decides what depends on neighbouring tokens (which
words are keywords, where a statement ends). Characters that begin no token are kept as tokens of
type BAD, for `layout` to report.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_PATTERN = re.compile(
    r"""
      (?P<SPACE>[ \t\r\f\ufeff]+)
    | (?P<NEWLINE>\n)
    | (?P<COMMENT>\#[^\n]*)
    | (?P<WORD>[A-Za-z_][A-Za-z0-9_]*(?![^\W]))
    | (?P<NUMBER>[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![\w]|\.(?![.\w])))
    | (?P<LONG_TEXT>\"""(?:[^"]|"(?!""))*(?:\"""|\Z)|'''(?:[^']|'(?!''))*(?:'''|\Z))
    | (?P<STRING>"[^"\n]*")
    | (?P<SLASHES>/\*(?:[^*]|\*(?!/))*(?:\*/|\Z)|<!--(?:[^-]|-(?!->))*(?:-->|\Z))
    | (?P<FOREIGN>&&|\|\||\|>|>>|!(?!=)|:=|(?:\*\*|//|[-+*/%])=(?!=)|===|=<|<>|\+\+|[;^@?~|&$`\\]
        |[\u2190-\u21ff\u2794\u2799-\u27be\u27f0-\u27ff\u2200-\u22ff\u00d7\u00b7\u2026\u2212\u2013\u2014])
    | (?P<SIGN>->|=>|==|!=|<=|>=|\.\.\.|\.\.|\*\*|//|[-+*/%<>=.,:()\[\]{}])
    | (?P<SINGLE>'[^'\n]*'|[\u201c\u201d][^\u201c\u201d\n]*[\u201c\u201d])
    | (?P<OPEN_STRING>["'\u201c][^\n]*)
    | (?P<BAD_NUMBER>[0-9][\w]*(?:\.[0-9]+[\w]*|\.(?![.\w]))?)
    | (?P<BAD_WORD>[^\W\d]\w*)
    | (?P<BAD>[^\s\w"'()\[\]{}\#]+|.)
    """,
    re.VERBOSE,
)


@dataclass(slots=True)
class Token:
    """One token. `type` is the sign or keyword itself, or NAME, NUMBER, STRING, NL, ERROR.

    `first` is true if only space precedes it on its line; `depth` is the number of open brackets
    around it (a bracket counts itself).
    """

    type: str
    start: int
    end: int
    first: bool = False
    depth: int = 0


def scan(text: str, start: int, end: int) -> tuple[list[Token], list[Token]]:
    """Tokens and comments of `text[start:end]`, in order.

    The type of a word is WORD; the type of text that is not a token of the language is the name of
    a group above. Both are resolved later.
    """
    tokens: list[Token] = []
    comments: list[Token] = []
    first = True
    for match in _PATTERN.finditer(text, start, end):
        kind = match.lastgroup or ""
        if kind == "SPACE":
            continue
        if kind == "NEWLINE":
            first = True
            continue
        at, to = match.span()
        if kind == "COMMENT":
            comments.append(Token(kind, at, to, first))
            first = False
            continue
        tokens.append(Token(match.group() if kind == "SIGN" else kind, at, to, first))
        first = False
    return tokens, comments
