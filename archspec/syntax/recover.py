"""What the parser does when a token does not fit."""

from __future__ import annotations

from archspec.source import Span
from archspec.syntax.engine import Engine
from archspec.syntax.lexer import Token


def recover(engine: Engine) -> bool:
    """Report the token and go on behind what it spoils; False when nothing is left to read."""
    token = engine.tokens[engine.at]
    text = engine.k.source.text[token.start : token.end]
    engine.k.error("E0110", f"`{text}` does not fit here", engine.k.span(token.start, token.end))
    return skip(engine)


def skip(engine: Engine) -> bool:
    """Put ERROR in place of the smallest enclosing item and skip the rest of it."""
    actions = engine.tables.actions
    for index in range(len(engine.states) - 1, -1, -1):
        state = actions[engine.states[index]].get("ERROR")
        depth = engine.brackets[index]
        if state is None:
            continue
        stop = _resume(engine, state, depth)
        if stop is None:
            continue
        start = engine.starts[index + 1] if index + 1 < len(engine.starts) else -1
        if start < 0:
            start = engine.tokens[engine.at].start
        end = max(start, engine.tokens[stop - 1].end if stop else start)
        engine.pop(len(engine.states) - index - 1)
        engine.shift(state, Token("ERROR", start, end, False, depth))
        engine.at = stop
        return True
    return False


def _resume(engine: Engine, state: int, depth: int) -> int | None:
    """Index of the token to go on with after ERROR, at the given depth of brackets."""
    after = engine.tables.actions[state]
    for index in range(engine.at, len(engine.tokens)):
        token = engine.tokens[index]
        inside = token.depth
        if inside < depth:
            return None
        if inside == depth and token.type in after and token.type in STOPS:
            return index
    return None


STOPS = frozenset({"NL", ",", ")", "]", "}", "$END"})

__all__ = ["Span", "recover", "skip"]
