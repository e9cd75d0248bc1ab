"""Interface to Lark: loads its saved tables, and provides a parser that can be cut back.

All use of Lark is in this module. Its public interface is used: `load`, `parse_interactive`,
`feed_token`, `choices`, `copy`. Only removing the innermost parsed items has no public call: it
shortens the two lists of `parser_state`, which are not documented, hence the bounds of Lark's
version in pyproject.toml.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any

from lark import Lark, Tree, UnexpectedToken
from lark import Token as LarkToken
from lark import __version__ as lark_version
from lark.lexer import Lexer
from lark.parsers.lalr_analysis import Shift

from archspec.syntax.lexer import Token

GRAMMAR = os.path.join(os.path.dirname(__file__), "arch.lark")
SAVED = os.path.join(os.path.dirname(__file__), "grammar.bin")


class NoLexer(Lexer):
    """A lexer that does nothing: Lark is given tokens one by one."""

    def __init__(self, _conf: object) -> None:
        pass

    def lex(self, _lexer_state: object, _parser_state: object) -> Iterator[LarkToken]:
        """No tokens."""
        return iter(())


class Leaf(LarkToken):
    """A token in Lark's form: `type` is the name of a terminal of the grammar."""

    __slots__ = ("token",)
    token: Token


Value = Leaf | Tree[Any]
"""An item on Lark's stack: a token, or the tree of a production."""


def compiled(text: str, *, debug: bool = False) -> Lark:
    """The parser of a grammar; takes a third of a second. `debug` logs conflicts of the grammar."""
    return Lark(
        text,
        parser="lalr",
        lexer=NoLexer,
        start=["module", "template"],
        maybe_placeholders=False,
        keep_all_tokens=True,
        debug=debug,
    )


def stamp(text: str) -> bytes:
    """The first line of saved tables, which identifies the grammar and the version of Lark."""
    import hashlib

    digest = hashlib.sha256(text.encode("utf-8")).hexdigest()
    return f"{lark_version} {digest}\n".encode("ascii")


@cache
def _lark() -> Lark:
    """The parser: from saved tables if this version of Lark wrote them, else from the grammar."""
    with open(SAVED, "rb") as saved:
        if saved.readline().split()[:1] == [lark_version.encode("ascii")]:
            return Lark.load(saved)
    with open(GRAMMAR, encoding="utf-8") as grammar:
        return compiled(grammar.read())


@cache
def _terminals() -> dict[str, str]:
    """The grammar's name for each sign or keyword."""
    return {t.pattern.value: t.name for t in _lark().terminals if t.pattern is not None}


def terminals() -> set[str]:
    """The types of tokens in the grammar."""
    signs = {name: sign for sign, name in _terminals().items()}
    symbols = [symbol for rule in _lark().rules for symbol in rule.expansion if symbol.is_term]
    return {signs.get(symbol.name, symbol.name) for symbol in symbols}


def productions() -> set[str]:
    """The possible names of Lark's trees."""
    return {
        str(rule.alias or rule.origin.name)
        for rule in _lark().rules
        if rule.alias or not rule.options.expand1
    }


class Stack:
    """The items parsed so far, and the tokens that may follow."""

    def __init__(self, parser: Any) -> None:
        self._parser = parser  # an InteractiveParser, which is only partly typed

    @classmethod
    def start(cls, symbol: str) -> Stack:
        """A stack without items."""
        return cls(_lark().parse_interactive(start=symbol))

    @property
    def values(self) -> list[Value]:
        """The parsed items, innermost last."""
        values: list[Value] = self._parser.parser_state.value_stack
        return values

    @property
    def last(self) -> Token | None:
        """The last token parsed."""
        edges = (_edge(value, last=True) for value in reversed(self.values))
        return next((token for token in edges if token), None)

    def read(self, tokens: Sequence[Token], at: int, stop: int) -> int:
        """Parse from index `at` to `stop` or the first token that does not fit; return the end.

        Lark may reduce items before it notices that a token does not fit, so the tokens that could
        follow are known only from an earlier copy.
        """
        feed, names = self._parser.feed_token, _terminals()
        index = at
        try:
            for index in range(at, stop):
                token = tokens[index]
                leaf = str.__new__(Leaf)
                kind = token.type
                leaf.type = names.get(kind, kind)
                leaf.token = token
                feed(leaf)
        except UnexpectedToken:
            return index
        return stop

    def copy(self) -> Stack:
        """An independent copy."""
        return Stack(self._parser.copy(deepcopy_values=False))

    def pop(self) -> Value:
        """Remove the last item and return it."""
        state = self._parser.parser_state
        state.state_stack.pop()
        value: Value = state.value_stack.pop()
        return value

    def takes(self, kind: str) -> bool:
        """Whether a token of this type can come next without completing a production first."""
        action = self._parser.choices().get(_terminals().get(kind, kind))
        return action is not None and action[0] is Shift

    def fits(self, types: Iterable[str]) -> int:
        """How many tokens of these types could be parsed in sequence."""
        tokens = [Token(kind, 0, 0) for kind in types]
        return self.copy().read(tokens, 0, len(tokens))


def first_token(value: Value) -> Token | None:
    """The first token of an item; None for an absent optional part."""
    return _edge(value, last=False)


def _edge(value: Value, *, last: bool) -> Token | None:
    todo: list[Value] = [value]
    while todo:
        value = todo.pop()
        if isinstance(value, Leaf):
            return value.token
        todo.extend(value.children if last else reversed(value.children))
    return None
