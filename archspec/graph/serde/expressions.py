"""Expressions of values as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archspec.graph.expression import Expression, Name, Number, Operation, Outside, Size
from archspec.graph.serde.values import Json, dump, load


def dump_expressions(expressions: Mapping[str, Expression]) -> Json:
    """Expressions by name."""
    return {name: dump_expression(expression) for name, expression in expressions.items()}


def load_expressions(value: Mapping[str, Any]) -> dict[str, Expression]:
    """Read the result of `dump_expressions`."""
    return {name: load_expression(item) for name, item in value.items()}


def dump_expression(expression: Expression) -> Json:
    """One expression."""
    match expression:
        case Name(text):
            return ["name", text]
        case Number(number):
            return ["number", dump(number)]
        case Outside(number):
            return ["outside", dump(number)]
        case Size(size):
            return ["size", size]
    return [expression.sign, *(dump_expression(operand) for operand in expression.operands)]


def load_expression(value: list[Any]) -> Expression:
    """The one that `dump_expression` wrote."""
    kind, *rest = value
    match kind:
        case "name":
            return Name(rest[0])
        case "number":
            return Number(load(rest[0]))
        case "outside":
            return Outside(load(rest[0]))
        case "size":
            return Size(rest[0])
    return Operation(kind, tuple(map(load_expression, rest)))
