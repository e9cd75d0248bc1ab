"""The precedence of Python's operators, and whether code needs parentheses between other code."""

from __future__ import annotations

import ast
import re
from functools import lru_cache

PRECEDENCE = {
    **dict.fromkeys(("or",), -3),
    **dict.fromkeys(("and",), -2),
    **dict.fromkeys(("not",), -1),
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">="), 0),
    **dict.fromkeys(("+", "-"), 1),
    **dict.fromkeys(("*", "/", "//", "%"), 2),
    "neg": 3,
    "**": 4,
}
"""The precedence of operators; calls and names have the highest."""

ATOM, LOOSEST = 5, -4

COMPARISON = PRECEDENCE["=="]
"""Operators of this precedence and below it are enclosed next to all others."""

BINARY: dict[type[ast.AST], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
}

BEFORE = re.compile(r"(\*\*|//|[<>=!]=|[-+*/%<>]) $")
AFTER = re.compile(r"^ (\*\*|//|[<>=!]=|[-+*/%<>]) ")
ENCLOSING = re.compile(r"(^|[(\[{:,=]|\b(return|if)) ?$")
"""What may stand before an expression as a whole."""


@lru_cache(maxsize=4096)
def grade(text: str) -> int:
    """The precedence of the loosest operator outside of brackets, at least that of comparisons."""
    match ast.parse(text, mode="eval").body:
        case ast.BinOp(op=operator):
            return PRECEDENCE.get(BINARY.get(type(operator), ""), COMPARISON)
        case ast.UnaryOp(op=ast.USub()):
            return PRECEDENCE["neg"]
        case ast.Constant() | ast.Name() | ast.Attribute() | ast.Call() | ast.Subscript():
            return ATOM
        case ast.Tuple() | ast.List() | ast.Dict():
            return ATOM
    return COMPARISON


def needs_parentheses(text: str, before: str, after: str) -> bool:
    """Whether an expression needs them between the code before it and after it."""
    own = grade(text)
    if own == ATOM:
        return False
    if after[:1] in (".", "[", "("):
        return True
    left, right = BEFORE.search(before), AFTER.search(after)
    if left is None and not ENCLOSING.search(before):
        return True
    if right is None and after[:1] not in ("", ")", "]", "}", ",", ":"):
        return True
    tighter = PRECEDENCE[left[1]] if left is not None else COMPARISON
    follows = PRECEDENCE[right[1]] if right is not None else COMPARISON
    loose = own == COMPARISON and (left is not None or right is not None)
    power = own == follows == PRECEDENCE["**"]
    return loose or power or (left is not None and own <= tighter) or own < follows
