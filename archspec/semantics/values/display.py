"""Values in a few characters, for messages and chains of expansions."""

from __future__ import annotations

from collections.abc import Mapping

from archspec.semantics.values.model import (
    BlockLayer,
    Environment,
    ListValue,
    Value,
    is_data,
    is_layer,
)
from archspec.syntax import ast
from archspec.types.condition import All, AnyOf, Comparison
from archspec.types.dim import Dim


def call_text(name: str, arguments: Mapping[str, Value]) -> str:
    """A call as the reader would write it, shortened."""
    if not arguments:
        return name
    return f"{name}({', '.join(show(value) for value in arguments.values())})"


def show(value: Value, depth: int = 0) -> str:
    """A value in a few characters."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value[:20]}"'
    if isinstance(value, ListValue):
        if depth > 2 and value.items:
            return "[..]"
        shown = [show(item, depth + 1) for item in value.items[:4]]
        return "[" + ", ".join([*shown, ".."] if len(value.items) > 4 else shown) + "]"
    if isinstance(value, (int, float, Dim)):
        return str(value)
    if isinstance(value, BlockLayer):
        return value.definition.name
    inner = getattr(value, "op", None)
    return str(inner.name) if inner is not None else "{..}" if is_layer(value) else str(value)


def values_in(environment: Environment, expression: ast.Expr) -> tuple[str, ...]:
    """What the names in an expression stand for, as notes: `C is 9`."""
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


def kind_of(value: Value) -> str:
    """What a value is, in the reader's words."""
    if isinstance(value, bool):
        return "a truth value"
    if isinstance(value, int):
        return "an integer"
    for kinds, words in _KINDS:
        if isinstance(value, kinds):
            return words
    if is_data(value):
        return "data"
    if is_layer(value):
        return "a layer"
    return "a list" if isinstance(value, ListValue) else "a tuple"


_KINDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (float, "a number"),
    (str, "a string"),
    (Dim, "a dimension"),
    ((Comparison, All, AnyOf), "a condition"),
)
