"""Balances brackets before parsing, so that a missing one affects its own line only.

A file whose brackets match is left unchanged. Otherwise indentation and the beginnings of
definitions and statements show which bracket lacks its counterpart: missing closing brackets are
inserted, surplus ones dropped, and each repair is reported where a person would point.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from archspec.diagnostics.model import Edit, Fix
from archspec.frozen import frozen
from archspec.source import Span
from archspec.syntax.context import Context
from archspec.syntax.keywords import (
    CLOSERS,
    DEFINITION_WORDS,
    ENDS_OPERAND,
    OPENERS,
    STATEMENT_WORDS,
)
from archspec.syntax.lexer import Token

_LOOK_AHEAD = 300
_TAKE_BODIES = frozenset({"for", "if", "else", "block", "network"})
_OPERAND_STARTS = frozenset({"WORD", "NUMBER", "STRING", "ERROR"})


@frozen
class _Open:
    """An open bracket: its token, its index in the output, the indentation of its line."""

    token: Token
    at: int
    indent: int


def beyond(tokens: list[Token], limit: int) -> Token | None:
    """The first bracket nested deeper than `limit`, if there is one."""
    depth = 0
    for token in tokens:
        if token.type in OPENERS:
            depth += 1
            if depth > limit:
                return token
        elif token.type in CLOSERS:
            depth = max(0, depth - 1)
    return None


def balanced(tokens: list[Token]) -> bool:
    """Whether every bracket has its counterpart."""
    stack: list[str] = []
    for token in tokens:
        if token.type in OPENERS:
            stack.append(OPENERS[token.type])
        elif token.type in CLOSERS and (not stack or stack.pop() != token.type):
            return False
    return not stack


def unmatched_closers(tokens: list[Token]) -> list[Token]:
    """The closing brackets among these tokens that none of them opens."""
    found: list[Token] = []
    depth = 0
    for token in tokens:
        if token.type in OPENERS:
            depth += 1
        elif token.type in CLOSERS and depth:
            depth -= 1
        elif token.type in CLOSERS:
            found.append(token)
    return found


def balance(k: Context, tokens: list[Token]) -> list[Token]:
    """Tokens with matching brackets; errors are reported."""
    return tokens if balanced(tokens) else _Balancer(k, tokens).run()


class _Balancer:
    """One pass over an unbalanced file."""

    def __init__(self, k: Context, tokens: list[Token]) -> None:
        self.k = k
        self.text = k.source.text
        self.tokens = tokens
        self.out: list[Token] = []
        self.open: list[_Open] = []
        self.indent = 0
        self.surplus = _surplus(tokens)

    def run(self) -> list[Token]:
        """The balanced tokens."""
        for at, token in enumerate(self.tokens):
            if token.first:
                self._body_begins(at, token)
                self.indent = self._indent(token)
                self._line_begins(at, token)
            if token.type in ("=>", "{") and self._head_ends(token):
                self._close_all(self._frame())
            if token.type in OPENERS:
                self.open.append(_Open(token, len(self.out), self.indent))
                self.out.append(token)
            elif token.type not in CLOSERS or self._closes(at, token):
                self.out.append(token)
        self._close_all(0)
        return self.out

    def _indent(self, token: Token) -> int:
        line = self.text.rfind("\n", 0, token.start) + 1
        return len(self.text[line : token.start].expandtabs(2))

    # -- evidence that something was not closed -------------------------------------------

    def _line_begins(self, at: int, token: Token) -> None:
        if not self.open:
            return
        if self._defines(at):
            self._close_all(0)
        elif self.open[-1].token.type != "{" and self._states(at, token):
            self._close_all(self._frame())

    def _body_begins(self, at: int, token: Token) -> None:
        """Insert the `{` missing on the previous line if the lines from here on are its body."""
        if self.surplus >= 0 or not at or self._indent(token) <= self.indent:
            return
        first = next((i for i in range(at - 1, -1, -1) if self.tokens[i].first), 0)
        line = self.tokens[first:at]
        if not self._lacks_brace(first, line) or not self._closes_line(at):
            return
        before = self.tokens[at - 1]
        self.surplus += 1
        self.open.append(_Open(Token("{", before.end, before.end), len(self.out), self.indent))
        self.out.append(self.open[-1].token)
        self.k.damage(before.end)
        place = self.k.span(before.start, before.end)
        fix = self._put(before.end, " {")
        self.k.error("E0114", "`{` is missing", place, "expected `{` after this", fix=fix)

    def _lacks_brace(self, first: int, line: list[Token]) -> bool:
        """Whether a line is a `for ..`, an `if ..` or a head, complete except for its `{`."""
        heads = [i for i, token in enumerate(line) if self._word(first + i) in _TAKE_BODIES]
        if not heads or any(token.type == "{" for token in line[heads[-1] :]):
            return False
        return balanced(line[heads[-1] :]) and line[-1].type in (*ENDS_OPERAND, "WORD")

    def _closes_line(self, at: int) -> bool:
        """Whether the first line from `at` on with the previous line's indentation is a `}`."""
        for token in self.tokens[at : at + _LOOK_AHEAD]:
            if token.first and self._indent(token) <= self.indent:
                return token.type == "}" and self._indent(token) == self.indent
        return False

    def _frame(self) -> int:
        """Number of open brackets up to and including the innermost `{`."""
        count = len(self.open)
        while count and self.open[count - 1].token.type != "{":
            count -= 1
        return count

    def _word(self, at: int) -> str:
        if at >= len(self.tokens) or self.tokens[at].type != "WORD":
            return self.tokens[at].type if at < len(self.tokens) else ""
        return self.text[self.tokens[at].start : self.tokens[at].end]

    def _is(self, at: int, kind: str) -> bool:
        return at < len(self.tokens) and self.tokens[at].type == kind

    def _defines(self, at: int) -> bool:
        """Whether a definition begins here."""
        word = self._word(at)
        if word == "inline":
            return self._word(at + 1) in ("block", "rule")
        if word not in DEFINITION_WORDS or not self._is(at + 1, "WORD"):
            return False
        behind = self._word(at + 2)
        if word == "preset":
            return behind == "="
        return behind in ("(", "{") if word != "use" else behind in (".", "{")

    def _head_ends(self, token: Token) -> bool:
        """Whether the open ( or [ belongs to the head of a definition that ends at `token`."""
        frame = self._frame()
        if frame == len(self.open):
            return False
        head = self.open[frame].at - 2
        if head < 0 or self.out[head].type != "WORD":
            return False
        word = self.text[self.out[head].start : self.out[head].end]
        return word == "rule" if token.type == "=>" else word in ("block", "network")

    def _states(self, at: int, token: Token) -> bool:
        """Whether a statement begins here, although ( or [ is open."""
        if token.type not in _OPERAND_STARTS or self.out[-1].type not in ENDS_OPERAND:
            return False
        if self._word(at) in STATEMENT_WORDS and self._is(at + 1, "WORD"):
            return True
        outermost = self.open[self._frame()]
        return self.indent <= outermost.indent

    # -- closing -------------------------------------------------------------------------

    def _closes(self, at: int, token: Token) -> bool:
        """Handle a closing bracket; return whether it is kept."""
        kind = CLOSERS[token.type]
        if token.type == "}":
            return self._closes_body(at, token)
        if self.open and self.open[-1].token.type == kind:
            self.open.pop()
            return True
        frame = [entry.token.type for entry in self.open[self._frame() :]]
        wanted_later = self._next_unmatched(at + 1)
        if frame and kind not in frame and self._all_close(at + 1, frame):
            return self._drop(token)
        if frame and (kind not in frame or wanted_later == token.type):
            return self._swap(token)
        if kind in frame:
            self._close_all(self._frame() + len(frame) - frame[::-1].index(kind))
            self.open.pop()
            return True
        outer = [entry.token.type for entry in self.open]
        if kind in outer and wanted_later != "}":
            self._close_all(len(outer) - outer[::-1].index(kind))
            self.open.pop()
            return True
        return self._drop(token)

    def _closes_body(self, at: int, token: Token) -> bool:
        frame = self._frame()
        if not frame:
            self._close_all(0)
            return self._drop(token)
        self._close_all(frame)
        top = self.open[-1]
        if token.first and self.surplus > 0 and self.indent < top.indent:
            same = [i for i, entry in enumerate(self.open) if entry.indent == self.indent]
            same = [i for i in same if self.open[i].token.type == "{"]
            if same:
                self.surplus -= len(self.open) - same[0] - 1
                self._close_all(same[0] + 1)
        elif (
            token.first
            and self.surplus < 0
            and self.indent > top.indent
            and self._body_continues(at)
        ):
            self.surplus += 1
            return self._drop(token)
        self.open.pop()
        return True

    def _body_continues(self, at: int) -> bool:
        """Whether the body of the innermost bracket seems to continue after a `}`."""
        following = self.tokens[at + 1] if at + 1 < len(self.tokens) else None
        if following is None or not following.first:
            return False
        return self._indent(following) > self.open[-1].indent or following.type == "}"

    def _next_unmatched(self, at: int) -> str:
        """The next closing bracket from `at` on that nothing after `at` opens."""
        return next(self._unmatched(at), "")

    def _unmatched(self, at: int) -> Iterator[str]:
        """Closing brackets from `at` on that nothing after `at` opens."""
        for token in unmatched_closers(self.tokens[at : at + _LOOK_AHEAD]):
            yield token.type

    def _all_close(self, at: int, frame: list[str]) -> bool:
        """Whether these brackets are closed from `at` on, the last one first."""
        later = list(islice(self._unmatched(at), len(frame)))
        return later == [OPENERS[kind] for kind in reversed(frame)]

    def _swap(self, token: Token) -> bool:
        top = self.open.pop()
        meant = OPENERS[top.token.type]
        self.k.error(
            "E0115",
            f"`{top.token.type}` is closed by `{token.type}`",
            self._span(token),
            f"`{meant}` is needed here",
            secondary=[(self._span(top.token), "opened here")],
            fix=Fix(f"write `{meant}`", (Edit(self._span(token), meant),)),
        )
        self.k.damage(token.start)
        token.type = meant
        return True

    def _drop(self, token: Token) -> bool:
        if not self.k.is_damaged(token.start):
            fix = Fix("remove it", (Edit(self._span(token), ""),))
            message = f"this `{token.type}` matches no opening bracket"
            self.k.error("E0115", message, self._span(token), fix=fix)
        self.k.damage(token.start)
        return False

    def _close_all(self, keep: int) -> None:
        """Close the open brackets after the first `keep`, innermost first."""
        least = 0
        for entry in reversed(self.open[keep:]):
            at = max(least, self._place(entry))
            before = self.out[at - 1]
            self.out.insert(at, Token(OPENERS[entry.token.type], before.end, before.end))
            least = at + 1
            self._report(entry, before)
        del self.open[keep:]

    def _place(self, entry: _Open) -> int:
        """Index in the output where a missing closing bracket is inserted."""
        if entry.token.type == "{":
            return len(self.out)
        for at in range(entry.at + 1, len(self.out)):
            if self.out[at].type == "->" and self.out[at - 1].type in ("NUMBER", "STRING"):
                return at  # nothing flows into it: `conv(8, 3 -> relu`
            if self.out[at].first:
                arrow = self.out[at].type == "->" and at > entry.at + 1
                return at if arrow else len(self.out)
        return len(self.out)

    def _report(self, entry: _Open, before: Token) -> None:
        opener = entry.token
        if self.k.is_damaged(opener.start):
            return
        self.k.damage(opener.start)
        self.k.damage(before.end)
        closer = OPENERS[opener.type]
        if before is not opener and "\n" not in self.text[opener.start : before.end]:
            self.k.error(
                "E0114",
                f"`{closer}` is missing",
                self.k.span(before.start, before.end),
                f"expected `{closer}` after this",
                secondary=[(self._span(opener), f"to close this `{opener.type}`")],
                fix=self._put(before.end, " " * (closer == "}") + closer),
            )
        else:
            self.k.error("E0114", f"this `{opener.type}` is never closed", self._span(opener))

    def _put(self, at: int, bracket: str) -> Fix:
        return Fix(f"write `{bracket.strip()}`", (Edit(self.k.span(at, at), bracket),))

    def _span(self, token: Token) -> Span:
        return self.k.span(token.start, token.end)


def _surplus(tokens: list[Token]) -> int:
    """Number of `{` minus number of `}`."""
    opened = sum(token.type == "{" for token in tokens)
    return opened - sum(token.type == "}" for token in tokens)
