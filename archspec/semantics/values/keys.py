"""Which values expand alike: what the memos of rules and blocks go by.

Values that are made of others get a number: equal values the same one. So a key is small, however
large the value, and a value that holds another twice is looked through once. Spans don't count.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from archspec.semantics.building.graph_builder import Tensor
from archspec.semantics.values.model import (
    BlockLayer,
    Closure,
    Copies,
    FrozenLayer,
    Given,
    GroupLayer,
    LabelledLayer,
    ListValue,
    OpLayer,
    OutputOf,
    SharedLayer,
    SpreadLayer,
    TapLayer,
    Value,
)
from archspec.syntax import ast
from archspec.types.dim import Dim


class Keys:
    """The numbers of one compilation."""

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}
        self._known: dict[int, tuple[Value, int, int]] = {}
        self._names: dict[int, tuple[ast.Expr | ast.Body, tuple[str, ...]]] = {}

    def of(self, value: Value) -> Hashable:
        """A key that is equal exactly for values which expand alike."""
        kind = type(value)
        if kind is int or kind is bool:
            return (kind, value)  # 1 and true are equal to Python
        if kind is float:
            return (kind, repr(value))  # 0.0 and -0.0 are, and nan is not
        if isinstance(value, Dim):
            return ("dim", value)  # equal to a number when it is one
        parts = _PARTS.get(kind)
        if parts is None:
            return value  # strings, initialisers, conditions: hashable by value
        seen = _names_in_sight(value)
        known = self._known.get(id(value))
        if known is not None and known[1] == seen:
            return known[2]
        number = self.number(parts(self, value))
        self._known[id(value)] = (value, seen, number)  # kept, so that the id stays its own
        return number

    def number(self, parts: Hashable) -> int:
        """A number that stands for these parts: small, and quick to compare."""
        return self._numbers.setdefault(parts, len(self._numbers))

    def all_of(self, values: tuple[Value, ...]) -> Hashable:
        """The keys of several."""
        return tuple(self.of(value) for value in values)

    def given(self, given: tuple[Given, ...]) -> Hashable:
        """The key of attributes."""
        return tuple((item.name, self.of(item.value)) for item in given)

    def surroundings(self, closure: Closure) -> Hashable:
        """The key of what a closure reads from where it was written."""
        environment = closure.environment
        return tuple(
            (name, self.of(environment.local(name)))
            for name in self.names_in(closure.expression)
            if environment.has_local(name)
        )

    def names_in(self, expression: ast.Expr | ast.Body) -> tuple[str, ...]:
        """Every name that occurs in an expression (also those it binds, which is harmless)."""
        known = self._names.get(id(expression))
        if known is not None:
            return known[1]
        found: set[str] = set()
        stack: list[object] = [expression]
        while stack:
            item = stack.pop()
            if isinstance(item, ast.Name):
                found.add(item.text)
            elif isinstance(item, tuple):
                stack.extend(item)
            elif isinstance(item, ast.Node):
                stack.extend(item.parts)
        names = tuple(sorted(found))
        self._names[id(expression)] = (expression, names)
        return names


def _names_in_sight(value: Value) -> int:
    """How many names a closure can see: a body that goes on binds more."""
    return value.environment.count if isinstance(value, Closure) else 0


_PARTS: dict[type, Callable[[Keys, Any], Hashable]] = {
    tuple: lambda keys, value: ("tuple", keys.all_of(value)),
    ListValue: lambda keys, value: ("list", keys.all_of(value.items)),
    OpLayer: lambda keys, value: ("op", value.op.name, keys.given(value.given)),
    BlockLayer: lambda keys, value: ("block", id(value.definition), keys.given(value.given)),
    Closure: lambda keys, value: ("closure", id(value.expression), keys.surroundings(value)),
    GroupLayer: lambda keys, value: ("group", keys.of(value.inner)),
    SpreadLayer: lambda keys, value: ("spread", keys.of(value.inner)),
    LabelledLayer: lambda keys, value: ("label", value.label, keys.of(value.inner)),
    OutputOf: lambda keys, value: ("output", value.name, keys.of(value.inner)),
    TapLayer: lambda keys, value: ("tap", value.paths, keys.of(value.inner)),
    FrozenLayer: lambda keys, value: ("frozen", keys.of(value.inner)),
    Copies: lambda keys, value: ("copies", value.count, keys.of(value.item)),
    Tensor: lambda keys, value: ("tensor", id(value.builder), value.port),
    SharedLayer: lambda keys, value: ("shared", id(value)),
}
