"""Expressions, that values were written as, as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archspec.graph.expression import Expression, Name, Number, Operation, Size
from archspec.graph.serde.values import Json, dump, load


def dump_expressions(expressions: Mapping[str, Expression]) -> Json:
    """Expressions by name."""
    return {name: _dump(expression) for name, expression in expressions.items()}


def load_expressions(value: Mapping[str, Any]) -> dict[str, Expression]:
    """Those that `dump_expressions` wrote."""
    return {name: _load(item) for name, item in value.items()}


def _dump(expression: Expression) -> Json:
    match expression:
        case Name(text):
            return ["name", text]
        case Number(number):
            return ["number", dump(number)]
        case Size(size):
            return ["size", size]
    return [expression.sign, *(_dump(operand) for operand in expression.operands)]


def _load(value: list[Any]) -> Expression:
    kind, *rest = value
    match kind:
        case "name":
            return Name(rest[0])
        case "number":
            return Number(load(rest[0]))
        case "size":
            return Size(rest[0])
    return Operation(kind, tuple(map(_load, rest)))
