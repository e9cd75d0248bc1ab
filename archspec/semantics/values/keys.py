"""Keys of values for the memos of rules and blocks: values that expand alike have equal keys.

Each composite value gets a number, and equal values get the same one. So a key is small however
large the value, and a value that another contains twice is traversed once. Spans are ignored.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import TypeAlias, assert_never

from archspec.semantics.building.graph_builder import Tensor
from archspec.semantics.values.model import (
    AbsentLayer,
    BlockLayer,
    Closure,
    Copies,
    FrozenLayer,
    Function,
    Given,
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
)
from archspec.syntax import ast
from archspec.types.condition import All, AnyOf, Comparison
from archspec.types.dim import Dim
from archspec.types.initialiser import Initialiser

Composite: TypeAlias = (
    "tuple[Value, ...] | ListValue | OpLayer | BlockLayer | Closure | GroupLayer | SpreadLayer | "
    "LabelledLayer | OutputOf | TapLayer | FrozenLayer | Copies | Tensor | SharedLayer"
)
"""Values composed of others, or compared by identity."""

_BY_VALUE = (
    str,
    Initialiser,
    Comparison,
    All,
    AnyOf,
    RangeValue,
    Function,
    InitialiserName,
    Poison,
    AbsentLayer,
)
"""Hashable by value."""


class Keys:
    """The numbers assigned in one compilation."""

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}
        self._known: dict[int, tuple[Value, int, int]] = {}
        self._names: dict[int, tuple[ast.Expr | ast.Body, tuple[str, ...]]] = {}

    def of(self, value: Value) -> Hashable:
        """A key; two keys are equal exactly if their values expand alike."""
        kind = type(value)
        if isinstance(value, int):
            return (kind, value)  # in Python, 1 and true are equal
        if isinstance(value, float):
            return (kind, repr(value))  # Python has 0.0 == -0.0 and nan != nan
        if isinstance(value, Dim):
            return ("dim", value)  # a constant Dim equals a number
        if isinstance(value, _BY_VALUE):
            return value
        seen = _visible_names(value)
        known = self._known.get(id(value))
        if known is not None and known[1] == seen:
            return known[2]
        number = self.number(self._parts(value))
        self._known[id(value)] = (value, seen, number)  # kept, so that its id is not reused
        return number

    def _parts(self, value: Composite) -> Hashable:  # noqa: C901  (a case for each kind)
        """The parts that identify a composite value."""
        match value:
            case tuple():
                return ("tuple", self.all_of(value))
            case ListValue():
                return ("list", self.all_of(value.items))
            case OpLayer():
                return ("op", value.op.name, self.given(value.given))
            case BlockLayer():
                return ("block", value.definition, self.given(value.given))
            case Closure():
                return ("closure", id(value.expression), self.surroundings(value))
            case GroupLayer():
                return ("group", self.of(value.inner))
            case SpreadLayer():
                return ("spread", self.of(value.inner))
            case LabelledLayer():
                return ("label", value.label, self.of(value.inner))
            case OutputOf():
                return ("output", value.name, self.of(value.inner))
            case TapLayer():
                return ("tap", value.paths, self.of(value.inner))
            case FrozenLayer():
                return ("frozen", self.of(value.inner))
            case Copies():
                return ("copies", value.count, self.of(value.item))
            case Tensor():
                return ("tensor", value.builder, value.port)
            case SharedLayer():
                return ("shared", value)
            case _:
                assert_never(value)

    def number(self, parts: Hashable) -> int:
        """A number for these parts, small and quick to compare."""
        return self._numbers.setdefault(parts, len(self._numbers))

    def all_of(self, values: tuple[Value, ...]) -> Hashable:
        """The keys of several values."""
        return tuple(self.of(value) for value in values)

    def given(self, given: tuple[Given, ...]) -> Hashable:
        """The key of attributes."""
        return tuple((item.name, self.of(item.value)) for item in given)

    def surroundings(self, closure: Closure) -> Hashable:
        """The key of the values that a closure reads from its environment."""
        environment = closure.environment
        return tuple(
            (name, self.of(environment.local(name)))
            for name in self.names_in(closure.expression)
            if environment.has_local(name)
        )

    def names_in(self, expression: ast.Expr | ast.Body) -> tuple[str, ...]:
        """Every name in an expression, including the names it binds, which is harmless."""
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


def _visible_names(value: Value) -> int:
    """Number of names in scope of a closure, which grows while its body is expanded."""
    return value.environment.count if isinstance(value, Closure) else 0
