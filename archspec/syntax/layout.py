"""Identifies keywords and the ends of statements.

Keywords are contextual: `input`, `block` or `where` are names wherever a keyword would make no
sense. A line break ends a statement unless brackets are open, the line ends in an operator, or the
next line begins with a token that can only continue it: `->`, `=>`, `else`, `then`, `where`,
`when`, `and`, `or`, `in`, `not in`, `.`, `,`, or an operator. Exceptions are `-`, which may also be
a sign, and `//`, which begins a comment in other languages.
"""

from __future__ import annotations

from archspec.syntax.keywords import (
    CLOSERS,
    DEFINITION_WORDS,
    ENDS_OPERAND,
    INFIX_WORDS,
    OPENERS,
    RESERVED_WORDS,
    STATEMENT_WORDS,
)
from archspec.syntax.lexer import Token

_OPERATORS = frozenset({"+", "*", "**", "/", "%", "==", "!=", "<=", ">=", "<", ">", ".."})
_WORDS = frozenset({"else", "then", "where", "when", "and", "or", "in"})
_GOES_ON = _OPERATORS | _WORDS | {"}", "->", "=>", ".", ","}
_SIGNS = ("->", "=>", "==", "!=", "<=", ">=", "<", ">", "=", "+", "-", "*", "/", "//", "%", "**")
_UNFINISHED = STATEMENT_WORDS | RESERVED_WORDS | {*_SIGNS, ".", "..", ",", ":", "where", "when"}
_LAST_WORDS = ("transient", "fixed")
_NO_STATEMENT = frozenset({":", "=", "->", "=>", ".", ",", ")", "]", "}", "", "=="})
_NO_RANGE_END = frozenset({")", "]", "}", ",", "=", "{", ":", ""})


class Layout:
    """Arranges raw tokens for the parser."""

    def __init__(self, text: str, raw: list[Token]) -> None:
        self.text = text
        self.raw = raw
        self.out: list[Token] = []
        self.open: list[Token] = []

    def arrange(self) -> list[Token]:
        """Tokens with keywords identified, NL inserted and depths set; the last is $END."""
        for index, token in enumerate(self.raw):
            self._add(index, token)
        end = self.raw[-1].end if self.raw else 0
        self.out.append(Token("$END", end, end, True, 0))
        return self.out

    def _add(self, index: int, token: Token) -> None:
        if token.type == ";":
            self._semicolon(index, token)
            return
        previous = self.out[-1].type if self.out else "NL"
        breaks = token.first and self._in_body() and previous not in ("NL", "{")
        if breaks and previous in _UNFINISHED:
            breaks = self._begins_anew(index, previous)
        if token.type == "WORD":
            starts = breaks or previous in ("NL", "{")
            token.type = self._word(token, index, "NL" if breaks else previous, previous, starts)
        elif token.type == ".." and self._range_ends(index):
            token.type = "DOTS_END"
        goes_on = token.type in _GOES_ON or (token.type == "{" and not self.open)
        goes_on = goes_on or (token.type == "not" and self._next_word(index) == "in")
        if breaks and not goes_on:
            at = self.out[-1].end
            self.out.append(Token("NL", at, at, False, len(self.open)))
        if token.type in OPENERS:
            self.open.append(token)
        token.depth = len(self.open)
        if token.type in CLOSERS and self.open:
            self.open.pop()
        self.out.append(token)

    def _begins_anew(self, index: int, previous: str) -> bool:
        """Whether a statement begins at `index`, although the line before is unfinished."""
        if self.raw[index].type != "WORD":
            return False
        word = self.text[self.raw[index].start : self.raw[index].end]
        after = self._next(index)
        if not self.open:
            return word in DEFINITION_WORDS and after == "WORD"
        binds = after == "=" and previous != ","  # `a,` and `b = pair` bind two names
        return binds or (word in STATEMENT_WORDS and after == "WORD")

    def _semicolon(self, index: int, token: Token) -> None:
        """Treat a `;`, which was reported, as the end of a statement."""
        after = self.raw[index + 1] if index + 1 < len(self.raw) else None
        last = after is None or after.first or after.type in CLOSERS
        if self._in_body() and not last and self.out and self.out[-1].type not in ("NL", "{"):
            self.out.append(Token("NL", token.start, token.start, False, len(self.open)))

    def _in_body(self) -> bool:
        return not self.open or self.open[-1].type == "{"

    def _next(self, index: int) -> str:
        """Type of the raw token after `index`; "" at the end of the file or of a statement."""
        if index + 1 >= len(self.raw) or (self.raw[index + 1].first and self._in_body()):
            return ""
        return self.raw[index + 1].type

    def _next_word(self, index: int) -> str:
        """Text of the raw token after `index`; "" at the end of the file or of a statement."""
        if not self._next(index):
            return ""
        return self.text[self.raw[index + 1].start : self.raw[index + 1].end]

    def _range_ends(self, index: int) -> bool:
        """Whether the token after the `..` at `index` can't be the end of a range."""
        if self._next(index) in _NO_RANGE_END:
            return True
        word = self._next_word(index)
        return word in INFIX_WORDS or word in RESERVED_WORDS - {"not"}

    def _word(self, token: Token, index: int, before: str, previous: str, starts: bool) -> str:
        """NAME, or the keyword meant by the word here."""
        word = self.text[token.start : token.end]
        after = self._next(index)
        if previous == ".":
            return "NAME"
        if word in RESERVED_WORDS:
            named = after in (":", "=") and before not in ENDS_OPERAND
            return "NAME" if named else word
        if word in INFIX_WORDS:
            return self._infix(word, token, previous, after, starts)
        if word in DEFINITION_WORDS:
            return word if self._defines(word, before, after) else "NAME"
        if word in STATEMENT_WORDS and starts and self.open:
            return word if self._states(word, after) else "NAME"
        return "NAME"

    @staticmethod
    def _infix(word: str, token: Token, previous: str, after: str, starts: bool) -> str:
        if previous not in ENDS_OPERAND:
            return "NAME"
        if token.first and starts and (word in _LAST_WORDS or after in (":", "=")):
            return "NAME"
        return word

    def _defines(self, word: str, before: str, after: str) -> bool:
        if self.open:
            return False
        if before == "inline":
            return word in ("block", "rule")
        return before == "NL" and after in ("WORD", "NUMBER", "STRING")

    @staticmethod
    def _states(word: str, after: str) -> bool:
        if word in ("output", "assert"):
            return after not in _NO_STATEMENT
        if word == "input":
            return after in ("WORD", "...")
        return after in ("WORD", "STRING")
