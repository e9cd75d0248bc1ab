"""What an expression can yield while a spec is expanded.

Compile-time values are Python's int, float, bool and str, `ListValue`, `Dim`, initialisers and
layers. Data are `Tensor`s and Python tuples of them. `POISON` stands for what could not be made
because of an error that was reported already; it spreads silently.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from archspec.graph.model import Port
from archspec.ops.base import Op
from archspec.source import Span
from archspec.syntax import ast
from archspec.types.dim import Dim
from archspec.types.tensor import TensorType

if TYPE_CHECKING:
    from archspec.semantics.builder import GraphBuilder, NameScope
    from archspec.semantics.environment import Environment
    from archspec.semantics.modules import Callable_

Value: TypeAlias = object


@dataclass(frozen=True, slots=True)
class ListValue:
    """A list. Applied to data, a list of layers gives each the whole input."""

    items: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Tensor:
    """A port of the graph that is being built."""

    builder: GraphBuilder
    port: Port
    type: TensorType


@dataclass(frozen=True, slots=True)
class Copies:
    """`count` tensors of one type inside a tuple, while a signature is checked by induction."""

    count: Dim
    item: Tensor


class Poison:
    """The result of something that failed and was reported."""

    def __repr__(self) -> str:
        return "POISON"


POISON: Final = Poison()

# ---------------------------------------------------------------------- layers


@dataclass(frozen=True, slots=True)
class Given:
    """One attribute as it was given: by position (`name` is None) or by name."""

    name: str | None
    value: Value
    span: Span


@dataclass(frozen=True, slots=True)
class OpLayer:
    """A primitive op with some of its attributes."""

    op: type[Op]
    given: tuple[Given, ...] = ()
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class BlockLayer:
    """A block, network, rule or preset with some of its attributes."""

    definition: Callable_
    given: tuple[Given, ...] = ()
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Closure:
    """A chain, `for`, or `{..}` with the names around it."""

    expression: ast.Expr
    environment: Environment


@dataclass(frozen=True, slots=True)
class GroupLayer:
    """A layer in parentheses."""

    inner: Value
    span: Span


@dataclass(frozen=True, slots=True)
class LabelledLayer:
    """A layer with a label; `label` is None for `_`, the next number."""

    label: str | None
    inner: Value
    span: Span


@dataclass(frozen=True, slots=True)
class SpreadLayer:
    """`...layer` in a list: its results are spliced in."""

    inner: Value
    span: Span


@dataclass(frozen=True, slots=True)
class AbsentLayer:
    """An `if` that contributes nothing."""


ABSENT: Final = AbsentLayer()


@dataclass(eq=False, slots=True)
class SharedLayer:
    """A layer that is made once: each use takes the same instances."""

    name: str
    inner: Value
    span: Span
    scope: NameScope
    uses: int = 0


@dataclass(frozen=True, slots=True)
class OutputOf:
    """`net.name`: one output of a layer with several."""

    inner: Value
    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class TapLayer:
    """`tap(net, "layer1", ..)`: the outputs of instances inside a block."""

    inner: Value
    paths: tuple[str, ...]
    span: Span


LAYERS: Final = (
    OpLayer,
    BlockLayer,
    Closure,
    GroupLayer,
    LabelledLayer,
    SpreadLayer,
    AbsentLayer,
    SharedLayer,
    OutputOf,
    TapLayer,
)


def is_layer(value: Value) -> bool:
    """Whether it can be applied to data (a list of layers can)."""
    if isinstance(value, ListValue):
        return bool(value.items) and all(is_layer(item) for item in value.items)
    return isinstance(value, LAYERS)


def is_data(value: Value) -> bool:
    """Whether it is a tensor or a tuple with a tensor in it."""
    if isinstance(value, tuple):
        return any(is_data(item) for item in value)
    return isinstance(value, (Tensor, Copies, Poison))


def tensors(data: Value) -> Iterator[Tensor]:
    """The tensors of data, flattened."""
    if isinstance(data, Tensor):
        yield data
    elif isinstance(data, Copies):
        yield data.item
    elif isinstance(data, tuple):
        for item in data:
            yield from tensors(item)


def has_poison(value: Value) -> bool:
    """Whether some part of it failed."""
    if isinstance(value, Poison):
        return True
    if isinstance(value, tuple):
        return any(has_poison(item) for item in value)
    return isinstance(value, ListValue) and any(has_poison(item) for item in value.items)


# ---------------------------------------------------------------------- identity for the memo

_free_names: dict[int, tuple[ast.Expr, frozenset[str]]] = {}


def free_names(expression: ast.Expr) -> frozenset[str]:
    """Every name that occurs in an expression (more than those free in it, which is harmless)."""
    known = _free_names.get(id(expression))
    if known is None:
        found: set[str] = set()
        stack: list[object] = [expression]
        while stack:
            item = stack.pop()
            if isinstance(item, ast.Name):
                found.add(item.text)
            elif isinstance(item, tuple):
                stack.extend(item)
            elif is_dataclass(item) and not isinstance(item, Span):
                stack.extend(getattr(item, entry.name) for entry in fields(item))
        known = (expression, frozenset(found))
        _free_names[id(expression)] = known
    return known[1]


def freeze(value: Value) -> Hashable:
    """A key that is equal exactly for values which expand alike. Spans don't count."""
    freezer = _FREEZERS.get(type(value))
    if freezer is not None:
        return freezer(value)
    return value  # str, Dim, initialisers, conditions: hashable by value


def _freeze_given(given: tuple[Given, ...]) -> Hashable:
    return tuple((item.name, freeze(item.value)) for item in given)


def _freeze_environment(closure: Closure) -> Hashable:
    environment = closure.environment
    return tuple(
        (name, freeze(environment.local(name)))
        for name in sorted(free_names(closure.expression))
        if environment.has_local(name)
    )


def _freeze_number(value: Value) -> Hashable:
    return (type(value).__name__, repr(value))


_FREEZERS: dict[type, Callable[[Any], Hashable]] = {
    bool: _freeze_number,
    int: _freeze_number,
    float: _freeze_number,
    tuple: lambda value: ("tuple", tuple(freeze(item) for item in value)),
    ListValue: lambda value: ("list", tuple(freeze(item) for item in value.items)),
    OpLayer: lambda value: ("op", value.op.name, _freeze_given(value.given)),
    BlockLayer: lambda value: ("block", id(value.definition), _freeze_given(value.given)),
    Closure: lambda value: ("closure", id(value.expression), _freeze_environment(value)),
    GroupLayer: lambda value: ("group", freeze(value.inner)),
    SpreadLayer: lambda value: ("spread", freeze(value.inner)),
    LabelledLayer: lambda value: ("label", value.label, freeze(value.inner)),
    OutputOf: lambda value: ("output", value.name, freeze(value.inner)),
    TapLayer: lambda value: ("tap", value.paths, freeze(value.inner)),
    Copies: lambda value: ("copies", value.count, freeze(value.item)),
    Tensor: lambda value: ("tensor", id(value.builder), value.port),
    SharedLayer: lambda value: ("shared", id(value)),
}
