"""Runs the tables over tokens: an LALR(1) parser that builds the tree as it reduces.

Not recursive, so the depth of the input does not matter to it; each value carries the depth of
its tree, and what is deeper than `limits.MAX_DEPTH` is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from types import ModuleType
from typing import Any, NamedTuple

from archspec.source import Span
from archspec.syntax import ast, build_def, build_expr, build_stmt, limits, tables
from archspec.syntax.context import Context
from archspec.syntax.lexer import Token
from archspec.syntax.words import CLOSERS

_NESTING = (
    *(ast.Group, ast.TupleExpr, ast.ListExpr, ast.Comprehension, ast.Anonymous, ast.For),
    *(ast.Call, ast.Index, ast.Attribute, ast.Unary, ast.Binary, ast.Range, ast.Spread),
    *(ast.IfValue, ast.IfLayer, ast.Labelled, ast.Chain),
)
"""Expressions that hold others: what is too deep is left out there, where `Missing` may stand."""

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


class Item(NamedTuple):
    """What the parser has read: a token or a tree, its place, its depth, brackets open after it."""

    value: Any
    start: int
    end: int
    depth: int
    inside: int


class Engine:
    """One run. `states` and `items` are the parser's stack, side by side."""

    def __init__(self, context: Context, tokens: list[Token], start: str) -> None:
        self.k = context
        self.tokens = tokens
        self.at = 0
        self.tables = tables.load()
        self.rules = _rules()
        self.final = self.tables.end[start]
        self.states = [self.tables.start[start]]
        self.items = [Item(None, tokens[0].start, tokens[0].start, 0, 0)]
        self.undo: list[tuple[list[int], list[Item]]] = []
        self.shifted = self.states[0]
        self.quiet_until = 0
        self.errors = 0

    def run(self, recover: Callable[[Engine], bool]) -> Any:
        """The value of the start symbol; what there is of it when `recover` gives up."""
        actions = self.tables.actions
        while True:
            token = self.tokens[self.at]
            action = actions[self.states[-1]].get(token.type)
            if action is None:
                if token.type == "$END" and self.states[-1] == self.final:
                    return self.items[-1].value
                self._back_up()
                if not recover(self):
                    return self.items[1].value if len(self.items) > 1 else None
            elif action > 0:
                self.shift(action, token)
            else:
                self._reduce(-action - 1, token.type)

    def shift(self, state: int, token: Token) -> None:
        """Take a token."""
        inside = token.depth - (token.type in CLOSERS)
        self.states.append(state)
        self.items.append(Item(token, token.start, token.end, 0, inside))
        self.at += 1
        self.undo.clear()
        self.shifted = state

    def pop(self, count: int) -> None:
        """Drop what was read last."""
        if count:
            del self.states[-count:]
            del self.items[-count:]

    def _reduce(self, number: int, following: str) -> None:
        name, size, function, adds_level = self.rules[number]
        if size == 1 and function is None:
            self.states[-1] = self._pass_on(following)
            return
        items = self.items[-size:] if size else []
        self.undo.append((self.states[-size:] if size else [], items))
        before = self.items[-1]
        start = items[0].start if size else before.end
        depth = max([item.depth for item in items]) + adds_level if size else 0
        self.pop(size)
        value = None
        if function:
            span = Span(self.k.source, start, before.end)
            value = function(self.k, span, [item.value for item in items])
            if depth > limits.MAX_DEPTH and isinstance(value, _NESTING):
                value, depth = self._too_deep(span), 0
        self.states.append(self.tables.gotos[self.states[-1]][name])
        self.items.append(Item(value, start, before.end, depth, before.inside))

    def _pass_on(self, following: str) -> int:
        """The state after all reductions that only pass their symbol on (`sum: product`)."""
        below, top = self.states[-2], self.states[-1]
        known = _PASSED_ON.get((below, top, following))
        if known is not None:
            return known
        state = top
        while True:
            action = self.tables.actions[state].get(following, 0)
            name, size, function, _ = _rules()[-action - 1] if action < 0 else ("", 0, None, 0)
            if size != 1 or function is not None:
                break
            state = self.tables.gotos[below][name]
        _PASSED_ON[below, top, following] = state
        return state

    def _back_up(self) -> None:
        """Take back the reductions made since the last token was read.

        The tables of an LALR parser may reduce a few times before they notice that the next token
        does not fit; what could stand there is seen only before that.
        """
        for states, items in reversed(self.undo):
            self.pop(1)
            self.states.extend(states)
            self.items.extend(items)
        self.undo.clear()
        self.states[-1] = self.shifted

    def _too_deep(self, span: Span) -> ast.Missing:
        if self.k.too_deep:
            return ast.Missing(span)
        self.k.too_deep = True
        self.k.error(
            "E0104",
            f"this is nested too deeply; {limits.MAX_DEPTH} levels are allowed",
            Span(span.source, span.start, span.start + 1),
            fix="give parts of it names",
        )
        return ast.Missing(span)


_PASSED_ON: dict[tuple[int, int, str], int] = {}
"""What `Engine._pass_on` found; it depends on the tables only."""


@cache
def _rules() -> tuple[tuple[str, int, Action | None, int], ...]:
    """Per rule: what it produces, its size, the function that builds it, levels that this adds."""
    return tuple(
        (name, size, _function(action), int(action not in _LISTS))
        for name, size, action in tables.load().rules
    )


def _function(action: str) -> Action | None:
    if not action:
        return None
    return _FUNCTIONS.get(action) or _FUNCTIONS[action + "_"]
