"""Runs the tables over tokens: an LALR(1) parser that builds the tree as it reduces.

Not recursive, so the depth of the input does not matter to it; each value carries the depth of
its tree, and what is deeper than `limits.MAX_DEPTH` is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from archspec.source import Span
from archspec.syntax import ast, build_def, build_expr, build_stmt, limits, tables
from archspec.syntax.context import Context
from archspec.syntax.lexer import Token

Action = Callable[[Context, Span, list[Any]], Any]

_LISTS = frozenset({"first", "pair", "append", "append_third", "empty", "second", "nothing"})


def _actions(*modules: ModuleType) -> dict[str, Action]:
    """Public functions of the building modules under the names that the grammar uses."""
    return {
        name: value
        for module in modules
        for name, value in vars(module).items()
        if callable(value) and getattr(value, "__module__", "") == module.__name__
    }


_FUNCTIONS = _actions(build_expr, build_stmt, build_def)


class Engine:
    """One run. The stacks are parallel: state, value, start, end, depth of tree, bracket depth."""

    def __init__(self, context: Context, tokens: list[Token], start: str) -> None:
        self.k = context
        self.tokens = tokens
        self.at = 0
        self.tables = tables.load()
        self.final = self.tables.end[start]
        self.states = [self.tables.start[start]]
        self.values: list[Any] = [None]
        at = tokens[0].start
        self.starts = [at]
        self.ends = [at]
        self.depths = [0]
        self.brackets = [0]
        self.rules = [
            (name, size, _function(action), action in _LISTS)
            for name, size, action in self.tables.rules
        ]

    def run(self, recover: Callable[[Engine], bool]) -> Any:
        """The value of the start symbol; None when `recover` gives up."""
        actions, tokens = self.tables.actions, self.tokens
        while True:
            token = tokens[self.at]
            action = actions[self.states[-1]].get(token.type)
            if action is None:
                if token.type == "$END" and self.states[-1] == self.final:
                    return self.values[-1]
                if not recover(self):
                    return None
            elif action > 0:
                self.shift(action, token)
            else:
                self._reduce(-action - 1)

    def shift(self, state: int, token: Token) -> None:
        """Take a token."""
        self.states.append(state)
        self.values.append(token)
        self.starts.append(token.start)
        self.ends.append(token.end)
        self.depths.append(0)
        self.brackets.append(token.depth)
        self.at += 1

    def pop(self, count: int) -> None:
        """Drop what was read last."""
        if count:
            for stack in (self.states, self.values, self.starts, self.ends, self.depths):
                del stack[-count:]
            del self.brackets[-count:]

    def _reduce(self, number: int) -> None:
        name, size, function, is_list = self.rules[number]
        if size == 1 and function is None:
            self.states[-1] = self.tables.gotos[self.states[-2]][name]
            return
        start = self.starts[-size] if size else self.ends[-1]
        end = self.ends[-1]
        depth = max(self.depths[-size:]) if size else 0
        children = self.values[-size:] if size else []
        bracket = self.brackets[-size] if size else self.brackets[-1]
        span = Span(self.k.source, start, end)
        value = function(self.k, span, children) if function else None
        if not is_list:
            depth += 1
            if depth > limits.MAX_DEPTH:
                value, depth = self._too_deep(span), 0
        self.pop(size)
        self.states.append(self.tables.gotos[self.states[-1]][name])
        self.values.append(value)
        self.starts.append(start)
        self.ends.append(end)
        self.depths.append(depth)
        self.brackets.append(bracket)

    def _too_deep(self, span: Span) -> ast.Missing:
        self.k.error(
            "E0104",
            f"this is nested too deeply; {limits.MAX_DEPTH} levels are allowed",
            Span(span.source, span.start, span.start + 1),
            fix="give parts of it names",
        )
        return ast.Missing(span)


def _function(action: str) -> Action | None:
    if not action:
        return None
    return _FUNCTIONS.get(action) or _FUNCTIONS[action + "_"]
