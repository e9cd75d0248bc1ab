"""Sorts operators by precedence: the grammar parses `-a * b + c` as a flat list.

With a grammar rule for each level, a bare number would pass through all of them. There is no
recursion here: a sum may have as many terms as fit in a file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from archspec.syntax import ast
from archspec.syntax.lexer import Token

_PRECEDENCE = {"or": 1, "and": 2, "+": 3, "-": 3, "*": 4, "/": 4, "//": 4, "%": 4, "**": 6}
_SIGN = 5
"""A minus sign: `-a ** b` is `-(a ** b)`, `-a * b` is `(-a) * b`."""

Part: TypeAlias = tuple[Any, int, int, int]
"""A token or tree, its start and end, and the depth of its tree."""

Make = Callable[[type[ast.Unary | ast.Binary], list[Any], int, int, int], Part]
"""Makes a part from the class, fields, start, end and depth of a node."""


class Terms(list[Part]):
    """Operands, and the operators between and before them."""


class Signed(list[Part]):
    """An operand and the minus signs before it, from right to left."""


def negative(parts: list[Part]) -> Signed:
    """`- x`."""
    sign, operand = parts
    signed = operand[0] if isinstance(operand[0], Signed) else Signed([operand])
    signed.append(sign)
    return signed


def operation(parts: list[Part]) -> Terms:
    """`x + y` or `x and y`; `x` may itself be such a list."""
    left, operator, right = parts
    terms = left[0] if isinstance(left[0], Terms) else Terms(_terms(left))
    terms.append(operator)
    terms.extend(_terms(right))
    return terms


def _terms(part: Part) -> Iterable[Part]:
    return reversed(part[0]) if isinstance(part[0], Signed) else (part,)


def climb(part: Part, make: Make) -> Part:
    """The tree of a list of operands and operators."""
    waiting: list[tuple[int, Part]] = []
    operands: list[Part] = []
    complete = False
    for item in part[0] if isinstance(part[0], Terms) else _terms(part):
        value = item[0]
        if not isinstance(value, Token):
            operands.append(item)
            complete = True
        elif complete:
            level = _PRECEDENCE[value.type]
            least = level + (value.type == "**")  # `**` associates to the right
            while waiting and waiting[-1][0] >= least:
                _apply(waiting.pop(), operands, make)
            waiting.append((level, item))
            complete = False
        else:
            waiting.append((_SIGN, item))
    while waiting:
        _apply(waiting.pop(), operands, make)
    return operands[0]


def _apply(waiting: tuple[int, Part], operands: list[Part], make: Make) -> None:
    """Make a node from an operator and the last operands."""
    level, (sign, start, _, _) = waiting
    right, _, end, depth = operands.pop()
    if level == _SIGN:
        operands.append(make(ast.Unary, [sign.type, right], start, end, depth + 1))
        return
    left, start, _, other = operands.pop()
    fields = [sign.type, left, right]
    operands.append(make(ast.Binary, fields, start, end, max(depth, other) + 1))
