"""Bodies marked by `:` and indentation, as in Python, are read as if they were in braces.

So a loop in the notation of Python is one error, and its lines are not reported one by one.
"""

from __future__ import annotations

from archspec.diagnostics.model import Edit, Fix
from archspec.frozen import frozen
from archspec.syntax.context import Context
from archspec.syntax.keywords import CLOSERS, OPENERS
from archspec.syntax.lexer import Token

_LOOPS = ("for", "if", "elif", "else")
_OTHERS = ("while", "with", "try", "except", "finally", "def", "class", "switch", "match", "do")
"""Words whose statements are reported by the table of mistakes."""

_WORDS = frozenset((*_LOOPS, *_OTHERS, "then"))

_MESSAGES = {
    "for": "use braces, not `:`: `for i in 0..n { .. }`",
    "if": "use braces, not `:`; layers are chosen with `if c { .. } else { .. }`, "
    "values with `if c then a else b`",
}


@frozen
class _Head:
    """A line that ends with `:`: the index of its first word, of its colon, its indentation."""

    word: str
    first: int
    colon: int
    indent: int


def in_braces(k: Context, tokens: list[Token]) -> list[Token]:
    """The tokens with braces around such bodies, each of which is reported."""
    heads = _heads(k, tokens)
    return _Braces(k, tokens, heads).run() if heads else tokens


def _heads(k: Context, tokens: list[Token]) -> dict[int, _Head]:
    """The heads of such bodies inside of braces, by the index of the colon."""
    found: dict[int, _Head] = {}
    open_: list[str] = []
    words: list[tuple[int, int]] = []  # words of the line that may begin a head, with their depth
    start = 0
    for at, token in enumerate(tokens):
        if token.first:
            start, words = at, []
        if token.type in OPENERS:
            words = [] if token.type == "{" else words
            open_.append(token.type)
        elif token.type in CLOSERS and open_:
            open_.pop()
        elif token.type == "WORD" and (word := _word(k, token)) in _WORDS:
            if word in _LOOPS or at == start or word == "then":
                words.append((at, len(open_)))
        elif token.type == ":" and words and open_ and open_[-1] == "{":
            here = [first for first, depth in words if depth == len(open_)]
            head = _head(k, tokens, here, at, tokens[start])
            found.update({at: head} if head is not None else {})
    return found


def _head(k: Context, tokens: list[Token], words: list[int], at: int, first: Token) -> _Head | None:
    """The head that ends at a colon, if the lines after it are its body.

    `words` are the words of the line that may begin it, and `first` is the first of the line.
    """
    after = tokens[at + 1] if at + 1 < len(tokens) else None
    indent = _indent(k, first)
    if after is None or not after.first or not words or _indent(k, after) <= indent:
        return None
    last = [_word(k, tokens[one]) for one in words[-2:]]
    if "then" in last or (last[-1] == "else" and words[-1] != at - 1):
        return None
    begin = words[-2] if last == ["else", "if"] else words[-1]
    return _Head(_word(k, tokens[begin]), begin, at, indent)


def _word(k: Context, token: Token) -> str:
    return k.source.text[token.start : token.end]


def _indent(k: Context, token: Token) -> int:
    text = k.source.text
    line = text.rfind("\n", 0, token.start) + 1
    before = text[line : token.start].expandtabs(2)
    return len(before) - len(before.lstrip())


class _Braces:
    """One pass over a file with such bodies."""

    def __init__(self, k: Context, tokens: list[Token], heads: dict[int, _Head]) -> None:
        self.k, self.tokens, self.heads = k, tokens, heads
        self.out: list[Token] = []
        self.open: list[_Head] = []
        self.edits: list[Edit] = []
        self.reported: _Head | None = None

    def run(self) -> list[Token]:
        """The tokens with braces."""
        elifs = {head.first for head in self.heads.values() if head.word == "elif"}
        for at, token in enumerate(self.tokens):
            if token.first and self.open:
                self._close(at, token)
            if at in self.heads:
                self._begin(self.heads[at], token)
            elif at in elifs:
                self.edits.append(Edit(self.k.span(token.start, token.end), "else if"))
                self.out.append(Token("else", token.start, token.end, token.first))
                self.out.append(Token("if", token.end, token.end))
            else:
                self.out.append(token)
        self._close(len(self.tokens), None)
        self._report()
        return self.out

    def _begin(self, head: _Head, colon: Token) -> None:
        follows = head.word in ("elif", "else")
        if not self.open and not (follows and self.reported):
            self._report()
            self.reported = head if head.word in _LOOPS else None
        self.open.append(head)
        gap = "" if self.k.source.text[colon.start - 1 : colon.start] == " " else " "
        self.edits.append(Edit(self.k.span(colon.start, colon.end), gap + "{"))
        self.out.append(Token("{", colon.start, colon.end))

    def _close(self, at: int, token: Token | None) -> None:
        """Close the bodies that end before a token, the first of its line."""
        indent = _indent(self.k, token) if token is not None else -1
        end = self.out[-1].end
        line_end = self.k.source.text.find("\n", end)
        line_end = len(self.k.source.text) if line_end < 0 else line_end
        while self.open and indent <= self.open[-1].indent:
            head = self.open.pop()
            line = self.k.source.line(self.k.source.position(self.tokens[head.first].start)[0])
            margin = line[: len(line) - len(line.lstrip())]
            self.edits.append(Edit(self.k.span(line_end, line_end), f"\n{margin}}}"))
            self.out.append(Token("}", end, end))

    def _report(self) -> None:
        """Report the outermost head of the bodies read so far."""
        head, edits = self.reported, self.edits
        self.reported, self.edits = None, []
        if head is None:
            return
        colon = self.tokens[head.colon]
        place = self.k.span(colon.start, colon.end)
        fix = Fix("put the body in braces", tuple(edits))
        self.k.error("E0131", _MESSAGES["for" if head.word == "for" else "if"], place, fix=fix)
