"""Short texts of values, for messages and chains of expansions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from archspec.semantics.building.graph_builder import Tensor
from archspec.semantics.values.model import (
    AbsentLayer,
    BlockLayer,
    Closure,
    Copies,
    Environment,
    FrozenLayer,
    Function,
    GroupLayer,
    InitialiserName,
    LabelledLayer,
    ListValue,
    OpLayer,
    OutputOf,
    Poison,
    RangeValue,
    SharedLayer,
    SpreadLayer,
    TapLayer,
    Value,
    is_data,
    is_layer,
)
from archspec.source import Span
from archspec.syntax import ast
from archspec.types.condition import All, AnyOf, Comparison
from archspec.types.dim import Dim
from archspec.types.initialiser import Initialiser


def call_text(name: str, arguments: Mapping[str, Value]) -> str:
    """A shortened call in the notation of specs."""
    if not arguments:
        return name
    return f"{name}({', '.join(show(value) for value in arguments.values())})"


def show(value: Value, depth: int = 0) -> str:
    """A short text of a value."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return f'"{value[:20]}"'
        case Poison():
            return ".."
        case ListValue():
            if depth > 2 and value.items:
                return "[..]"
            shown = [show(item, depth + 1) for item in value.items[:4]]
            return "[" + ", ".join([*shown, ".."] if len(value.items) > 4 else shown) + "]"
        case int() | float() | Dim():
            return str(value)
        case BlockLayer():
            return value.definition.name
        case OpLayer():
            return value.op.name
        case _:
            return "{..}" if is_layer(value) else str(value)


def value_text(value: Value) -> str:
    """A value in the notation of specs; `show` is used for values without one."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return f'"{value}"'
        case ListValue():
            return "[" + ", ".join(map(value_text, value.items)) + "]"
        case int() | float() | Dim() | Initialiser():
            return str(value)
        case OpLayer(span=Span() as span) | BlockLayer(span=Span() as span) if value.given:
            return on_one_line(span)
        case Closure():
            return on_one_line(value.expression.span)
        case _:
            return show(value)


def on_one_line(span: Span) -> str:
    """The text of a span without its line breaks."""
    return " ".join(span.text.split())


def values_in(environment: Environment, expression: ast.Expr) -> tuple[str, ...]:
    """The values of the names in an expression, as notes: `C is 9`."""
    found: dict[str, str] = {}
    stack: list[object] = [expression]
    while stack:
        item = stack.pop()
        if isinstance(item, ast.Name) and environment.has_local(item.text):
            value = environment.local(item.text)
            if isinstance(value, (bool, int, float, str, Dim, ListValue)):
                found.setdefault(item.text, show(value))
        elif isinstance(item, tuple):
            stack.extend(item)
        elif isinstance(item, ast.Node):
            stack.extend(item.parts)
    if not found:
        return ()
    return (", ".join(f"`{name}` is {value}" for name, value in sorted(found.items())),)


def kind_of(value: Value) -> str:  # noqa: C901  (a case for each kind)
    """The kind of a value in the user's words."""
    match value:
        case bool():
            return "a boolean"
        case int():
            return "an integer"
        case float():
            return "a number"
        case str():
            return "a string"
        case Dim():
            return "a dimension"
        case Comparison() | All() | AnyOf():
            return "a condition"
        case ListValue():
            return "a layer" if value.all_layers else "a list"
        case RangeValue():
            return "a range"
        case Function():
            return "a function"
        case Initialiser() | InitialiserName():
            return "an initialiser"
        case tuple():
            return "data" if is_data(value) else "a tuple"
        case Tensor() | Copies() | Poison():
            return "data"
        case (
            OpLayer() | BlockLayer() | Closure() | GroupLayer() | LabelledLayer() | SpreadLayer()
            | AbsentLayer() | SharedLayer() | OutputOf() | TapLayer() | FrozenLayer()
        ):  # fmt: skip
            return "a layer"
        case _:
            assert_never(value)
