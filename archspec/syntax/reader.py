"""Parses tokens with Lark, and continues after those that do not fit.

Lark can't go back: it may reduce items before it notices that a token does not fit, and only before
that is it known which tokens could have followed. Copying its stacks for each token would take
longer than everything else. So a copy is made at intervals, and after an error the tokens since the
last copy are parsed again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from archspec.syntax import tree
from archspec.syntax.context import Context
from archspec.syntax.grammar import Stack, Value
from archspec.syntax.lexer import Token

_STEP = 512
"""Tokens between two copies."""


class Reader:
    """One run of the parser. `stack` has the items parsed from the tokens before index `at`."""

    def __init__(self, context: Context, tokens: list[Token], start: str) -> None:
        self.k = context
        self.tokens = tokens
        self.at = 0
        self.stack = Stack.start(start)
        self.lost: list[Value] = []
        self.quiet_until = 0
        self.errors = 0

    def run(self, recover: Callable[[Reader], bool]) -> Any:
        """The value of the start symbol; incomplete if `recover` gives up."""
        going_on = True
        while going_on and self.at < len(self.tokens):
            since, before = self.at, self.stack.copy()
            stop = min(since + _STEP, len(self.tokens))
            self.at = self.stack.read(self.tokens, since, stop)
            if self.at < stop:
                before.read(self.tokens, since, self.at)
                self.stack = before
                going_on = recover(self)
        found = [tree.build(self.k, value) for value in self.stack.values]
        for value in self.lost:
            tree.build(self.k, value)  # reports the errors in it, too
        return found[0] if found else None
