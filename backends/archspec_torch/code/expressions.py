"""Expressions of a spec for numbers, as Python."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce

from archspec.graph.expression import Expression, Name, Operation, evaluated
from archspec_torch.code.pieces import Code, call, code
from archspec_torch.code.precedence import ATOM, LOOSEST, PRECEDENCE
from archspec_torch.code.text import flat, literal

OF_MATH = ("sqrt", "log", "exp", "ceil", "floor")


def expression_code(
    expression: Expression, spelled: Callable[[str], Code], scripted: bool = False
) -> Code:
    """`(channels // heads) ** -0.5`; `spelled` returns the code that reads a name.

    In TorchScript (`scripted`), integer powers are products, because `n ** 2` is not an int there.
    """
    return _code(_without_powers(expression) if scripted else expression, spelled)[0]


def is_scriptable(expression: Expression) -> bool:
    """Whether its powers have fractions, or small numbers, as exponents."""
    if not isinstance(expression, Operation):
        return True
    if expression.sign == "**":
        exponent = evaluated(expression.operands[1], {})
        if not isinstance(exponent, float) and exponent not in WHOLE_POWERS:
            return False
    return all(map(is_scriptable, expression.operands))


WHOLE_POWERS = (2, 3, 4)


def _without_powers(expression: Expression) -> Expression:
    if not isinstance(expression, Operation):
        return expression
    operands = tuple(map(_without_powers, expression.operands))
    exponent = evaluated(operands[-1], {}) if expression.sign == "**" else None
    if type(exponent) is not int or exponent not in WHOLE_POWERS:
        return Operation(expression.sign, operands)
    return reduce(lambda left, right: Operation("*", (left, right)), [operands[0]] * exponent)


def _code(expression: Expression, spelled: Callable[[str], Code]) -> tuple[Code, int]:
    match expression:
        case Name(text):
            source = spelled(text)
            return source, ATOM if len(source) == 1 and " " not in flat(source) else LOOSEST
        case Operation(sign, operands):
            return _operation(sign, [_code(one, spelled) for one in operands])
    value = expression.value
    assert value is not None, "what has a free size has no value, and is not written"
    negative = not isinstance(value, str) and value < 0
    return code(literal(value)), PRECEDENCE["neg"] if negative else ATOM


def _operation(sign: str, operands: list[tuple[Code, int]]) -> tuple[Code, int]:
    if sign in ("neg", "not"):
        mark = "-" if sign == "neg" else "not "
        return code(mark, _at_least(operands[0], PRECEDENCE[sign])), PRECEDENCE[sign]
    if sign == "if":
        condition, then = (_at_least(one, LOOSEST + 1) for one in operands[:2])
        return code(then, " if ", condition, " else ", operands[2][0]), LOOSEST
    if sign == "ceil_div":
        above, below = _at_least(operands[0], PRECEDENCE["neg"]), _at_least(operands[1], ATOM)
        return code("-(-", above, " // ", below, ")"), PRECEDENCE["neg"]
    if sign == "tuple":
        parts = [part for operand, _ in operands for part in (", ", operand)][1:]
        return code("(", *parts, ",)" if len(operands) == 1 else ")"), ATOM
    if sign not in PRECEDENCE:
        name = f"math.{sign}" if sign in OF_MATH else sign
        return call(name, *(operand for operand, _ in operands)), ATOM
    grade = PRECEDENCE[sign]
    left_grade, right_grade = (grade + 1, grade - 1) if sign == "**" else (grade, grade + 1)
    left, right = _at_least(operands[0], left_grade), _at_least(operands[1], right_grade)
    return code(left, f" {sign} ", right), grade


def _at_least(operand: tuple[Code, int], grade: int) -> Code:
    source, own = operand
    return source if own >= grade else code("(", source, ")")
