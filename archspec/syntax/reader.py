"""Reads tokens with Lark's parser, and goes on behind those that do not fit.

Lark has no way back: when it notices that a token does not fit it may have reduced what it read
before, and what could stand in the place of that token is seen only before that. A copy of its
stacks for each token would take longer than all the rest; hence one is made now and then, and the
tokens since the last one are read again after an error.
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
    """One run. `stack` has what was read of the tokens before index `at`."""

    def __init__(self, context: Context, tokens: list[Token], start: str) -> None:
        self.k = context
        self.tokens = tokens
        self.at = 0
        self.stack = Stack.start(start)
        self.lost: list[Value] = []
        self.quiet_until = 0
        self.errors = 0

    def run(self, recover: Callable[[Reader], bool]) -> Any:
        """The value of the start symbol; what there is of it when `recover` gives up."""
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
            tree.build(self.k, value)  # what is wrong there is reported, too
        return found[0] if found else None
