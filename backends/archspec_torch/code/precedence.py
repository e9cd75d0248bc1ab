"""Whether an expression needs parentheses between other code."""

from __future__ import annotations

import ast
import re
from functools import lru_cache

GRADES: dict[type[ast.AST], int] = {
    ast.Add: 1,
    ast.Sub: 1,
    ast.Mult: 2,
    ast.Div: 2,
    ast.FloorDiv: 2,
    ast.Mod: 2,
    ast.Pow: 4,
}
"""The precedence of binary operators; that of a sign is between those of `*` and `**`."""

LOOSEST, SIGN, ATOM = 0, 3, 5

COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")

SIGNS = {"+": 1, "-": 1, "*": 2, "/": 2, "//": 2, "%": 2, "**": 4}
SIGNS |= dict.fromkeys(COMPARISONS, LOOSEST)

BEFORE = re.compile(r"(\*\*|//|[<>=!]=|[-+*/%<>]) $")
AFTER = re.compile(r"^ (\*\*|//|[<>=!]=|[-+*/%<>]) ")
ENCLOSING = re.compile(r"(^|[(\[{:,=]|\b(return|if)) ?$")
"""What may stand before an expression as a whole."""


@lru_cache(maxsize=4096)
def grade(text: str) -> int:
    """The precedence of the loosest operator of an expression, outside of brackets."""
    match ast.parse(text, mode="eval").body:
        case ast.BinOp(op=operator):
            return GRADES.get(type(operator), LOOSEST)
        case ast.UnaryOp(op=ast.USub()):
            return SIGN
        case ast.Constant() | ast.Name() | ast.Attribute() | ast.Call() | ast.Subscript():
            return ATOM
        case ast.Tuple() | ast.List() | ast.Dict():
            return ATOM
    return LOOSEST


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
    tighter = SIGNS[left[1]] if left is not None else LOOSEST
    follows = SIGNS[right[1]] if right is not None else LOOSEST
    loose = own == LOOSEST and (left is not None or right is not None)
    power = own == follows == SIGNS["**"]
    return loose or power or (left is not None and own <= tighter) or own < follows
