"""The location where the parser met a token that does not fit, and possible repairs."""

from __future__ import annotations

from archspec.frozen import frozen
from archspec.source import Span
from archspec.syntax.keywords import CLOSERS, ENDS_OPERAND, OPENERS
from archspec.syntax.lexer import Token
from archspec.syntax.reader import Reader

_NONE = Token("", 0, 0)
_WINDOW = 10
OPERAND_STARTS = frozenset({"NAME", "NUMBER", "STRING", "ERROR", "(", "[", "{"})


@frozen
class Repair:
    """Insert tokens of these types before the offending token, or replace it by them."""

    types: tuple[str, ...]
    replace: bool = False


class Site:
    """Read-only view of the parser's state at an error."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.at = reader.at
        self.token = reader.tokens[reader.at]

    # -- tokens around ---------------------------------------------------------------------

    def near(self, offset: int) -> Token:
        """The token `offset` places after the offending one."""
        at = self.at + offset
        return self.reader.tokens[at] if 0 <= at < len(self.reader.tokens) else _NONE

    def word(self, offset: int = 0) -> str:
        """The text of a token nearby."""
        token = self.near(offset)
        return self.reader.k.source.text[token.start : token.end]

    @property
    def type(self) -> str:
        """Type of the offending token."""
        return self.token.type

    @property
    def before(self) -> str:
        """Type of the previous token; NL at the beginning of the file."""
        return self.near(-1).type if self.at else "NL"

    @property
    def after(self) -> str:
        """Type of the next token."""
        return self.near(1).type

    @property
    def starts_statement(self) -> bool:
        """Whether the offending token is the first of a statement or definition."""
        return self.before in ("NL", "{", "")

    @property
    def second_of_statement(self) -> bool:
        """Whether it is the second token of a statement or definition."""
        return self.at == 1 or self.near(-2).type in ("NL", "{")

    @property
    def after_operand(self) -> bool:
        """Whether a complete operand precedes it."""
        return self.before in ENDS_OPERAND

    @property
    def ends(self) -> bool:
        """Whether nothing can follow here: a closing bracket, a comma, or the end of a line."""
        return self.type in CLOSERS or self.type in ("NL", ",", "$END")

    # -- surroundings ----------------------------------------------------------------------

    def opener(self) -> int:
        """Offset of the innermost open bracket; 0 if there is none."""
        depth = self.token.depth - (self.type in OPENERS)
        for offset in range(-1, -self.at - 1, -1):
            token = self.near(offset)
            if token.type in OPENERS and token.depth == depth:
                return offset
        return 0

    @property
    def bracket(self) -> str:
        """The innermost open bracket, or ""."""
        offset = self.opener()
        return self.near(offset).type if offset else ""

    def head(self) -> str:
        """Type of the first token of the innermost statement or definition."""
        depth = self.token.depth - (self.type in OPENERS)
        for offset in range(-1, -self.at - 1, -1):
            token = self.near(offset)
            outside = token.type in OPENERS and token.depth <= depth
            if (token.type == "NL" and token.depth <= depth) or (outside and token.type == "{"):
                return self.near(offset + 1).type
            if outside:
                depth = token.depth - 1
        return self.near(-self.at).type

    @property
    def in_parameters(self) -> bool:
        """Whether the offending token is in the parentheses of a head."""
        offset = self.opener()
        heads = ("block", "network", "rule")
        return self.bracket == "(" and self.near(offset - 2).type in heads

    # -- what the grammar says ---------------------------------------------------------------

    def expects(self, *types: str) -> bool:
        """Whether this sequence of tokens fits here."""
        return self.reader.stack.fits(types) == len(types)

    def fits(self, repair: Repair) -> int:
        """How many tokens after the repair fit, up to a small window or the next line."""
        rest = []
        for token in self.reader.tokens[self.at + repair.replace : self.at + _WINDOW]:
            rest.append(token.type)
            if token.type in ("NL", "$END"):
                break
        got = self.reader.stack.fits((*repair.types, *rest))
        return _WINDOW if got == len(repair.types) + len(rest) else got - len(repair.types)

    # -- places ----------------------------------------------------------------------------

    def span(self, first: int = 0, last: int | None = None) -> Span:
        """The span from one token nearby to another."""
        start, end = self.near(first), self.near(first if last is None else last)
        return self.reader.k.span(start.start, max(start.end, end.end))

    def span_before(self) -> Span:
        """The last token parsed, after which something is missing."""
        return self.span(-1) if self.at else self.span()
