"""The values that expressions yield during expansion.

Compile-time values are Python's int, float, bool and str, `ListValue`, `Dim`, initialisers and
layers. Data are `Tensor`s and Python tuples of them. `POISON` replaces a value that could not be
made because of an error already reported; it propagates silently.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, TypeAlias, TypeGuard, get_args

from archspec.frozen import frozen
from archspec.graph.expression import Expression
from archspec.ops.base import Op
from archspec.semantics.building.graph_builder import Tensor
from archspec.semantics.building.names import NameScope
from archspec.semantics.program.definitions import Definition, ModuleScope
from archspec.source import Span
from archspec.syntax import ast
from archspec.types.condition import Condition
from archspec.types.dim import Dim
from archspec.types.initialiser import Initialiser

Value: TypeAlias = (
    "int | float | str | Dim | Condition | Initialiser | ListValue | RangeValue | Function | "
    "InitialiserName | Tensor | Copies | Poison | Layer | tuple[Value, ...]"
)
"""Every possible value. A bool is an int; a tuple that contains a tensor is data."""


@frozen
class ListValue:
    """A list. Applied to data, a list of layers passes the whole input to each layer.

    Properties that need a walk through nested lists are computed when the list is made.
    """

    items: tuple[Value, ...]
    weight: int = field(init=False, compare=False, repr=False)
    """Number of elements when written out, including those of nested lists."""
    poisoned: bool = field(init=False, compare=False, repr=False)
    all_layers: bool = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        items = self.items
        object.__setattr__(self, "weight", sum(weight(item) for item in items))
        object.__setattr__(self, "poisoned", any(has_poison(item) for item in items))
        object.__setattr__(self, "all_layers", bool(items) and all(is_layer(i) for i in items))


@frozen
class RangeValue:
    """`a..b` as a value; `stop` is None if the range has no end."""

    start: int
    stop: int | None

    def contains(self, value: Value) -> bool:
        """Whether a number is in the range."""
        if not isinstance(value, (int, float)):
            return False
        return self.start <= value and (self.stop is None or value < self.stop)


@frozen
class Function:
    """A function on values, such as `len`, used as a value."""

    name: str


@frozen
class InitialiserName:
    """An initialiser named where none is expected; calling it makes the initialiser."""

    name: str


@frozen
class Copies:
    """`count` tensors of one type in a tuple, while a signature is checked by induction."""

    count: Dim
    item: Tensor


class Poison:
    """The result of an operation whose failure was reported."""

    def __repr__(self) -> str:
        return "POISON"


POISON: Final = Poison()

# ---------------------------------------------------------------------- names


class Environment:
    """Local names (arguments, bindings, dims), innermost scope first, then those of the file.

    `owner` is the definition of the graph under construction; expressions are recorded in terms of
    its names. `is_body` is true if these are the names of its body. `written` maps other names to
    such expressions: arguments of inline blocks, and bound numbers. `inline_call` is the call if
    these are the names of an inline block.
    """

    __slots__ = ("inline_call", "is_body", "module", "names", "owner", "parent", "spans", "written")

    def __init__(self, module: ModuleScope, parent: Environment | None = None) -> None:
        self.module = module
        self.parent = parent
        self.owner: Definition | None = parent.owner if parent is not None else None
        self.is_body = False
        self.written: dict[str, Expression | ast.Expr | None] | None = None
        self.inline_call: BlockLayer | None = None
        self.names: dict[str, Value] = {}
        self.spans: dict[str, Span] = {}

    def child(self) -> Environment:
        """A new scope inside this one."""
        return Environment(self.module, self)

    def bind(self, name: str, value: Value, span: Span | None = None) -> None:
        """Bind a name here; `_` binds nothing. The caller has checked that the name is free."""
        if name == "_":
            return
        self.names[name] = value
        if span is not None:
            self.spans[name] = span

    def record_expression(self, name: str, written: Expression | ast.Expr) -> None:
        """Record the expression of a name bound here, over names of `owner` or of this scope."""
        if self.written is None:
            self.written = {}
        self.written[name] = written

    @property
    def count(self) -> int:
        """Number of local names in scope."""
        total, scope = 0, self
        while scope.parent is not None:
            total, scope = total + len(scope.names), scope.parent
        return total + len(scope.names)

    def has_local(self, name: str) -> bool:
        """Whether a local name is in scope."""
        scope: Environment | None = self
        while scope is not None:
            if name in scope.names:
                return True
            scope = scope.parent
        return False

    def local(self, name: str) -> Value:
        """The value of a local name. Raises KeyError if it is not in scope."""
        scope: Environment | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.parent
        raise KeyError(name)


# ---------------------------------------------------------------------- layers


@frozen
class Given:
    """One attribute as given: by position (`name` is None) or by name."""

    name: str | None
    value: Value
    span: Span
    node: ast.Expr | None = field(default=None, compare=False, repr=False)
    """The expression as written and its environment, for `written_given`."""
    environment: Environment | None = field(default=None, compare=False, repr=False)


@frozen
class OpLayer:
    """A primitive op with some of its attributes."""

    op: type[Op]
    given: tuple[Given, ...] = ()
    span: Span | None = None


@frozen
class BlockLayer:
    """A block, network, rule or preset with some of its attributes."""

    definition: Definition
    given: tuple[Given, ...] = ()
    span: Span | None = None


@frozen
class Closure:
    """A chain, `for` or `{..}` with the names in scope around it."""

    expression: ast.Expr
    environment: Environment


@frozen
class GroupLayer:
    """A layer in parentheses."""

    inner: Value
    span: Span


@frozen
class LabelledLayer:
    """A layer with a label; `label` is None for `_`, the next number."""

    label: str | None
    inner: Value
    span: Span


@frozen
class SpreadLayer:
    """`...layer` in a list: its results are spliced into the list."""

    inner: Value
    span: Span


@frozen
class AbsentLayer:
    """An `if` that contributes nothing."""


ABSENT: Final = AbsentLayer()


@dataclass(eq=False, slots=True)
class SharedLayer:
    """A layer that is instantiated once: all uses share its instances."""

    name: str
    inner: Value
    span: Span
    scope: NameScope
    start: int | None = None
    """The number that a numbered scope had reached at the first use."""
    frozen: bool = False  # during its first use
    active: bool = False  # while it is being applied


@frozen
class OutputOf:
    """`net.name`: one output of a layer with several outputs."""

    inner: Value
    name: str
    span: Span


@frozen
class TapLayer:
    """`tap(net, "layer1", ..)`: the outputs of instances inside a block."""

    inner: Value
    paths: tuple[str, ...]
    span: Span


@frozen
class FrozenLayer:
    """`frozen(layer)`: always in inference mode, with weights that are not trained."""

    inner: Value
    span: Span


Layer: TypeAlias = (
    OpLayer
    | BlockLayer
    | Closure
    | GroupLayer
    | LabelledLayer
    | SpreadLayer
    | AbsentLayer
    | SharedLayer
    | OutputOf
    | TapLayer
    | FrozenLayer
)
"""Whatever can be applied to data, except a list of layers."""

LAYERS: Final = get_args(Layer)


def is_layer(value: Value) -> TypeGuard[Layer | ListValue]:
    """Whether the value can be applied to data; a list of layers can."""
    if isinstance(value, ListValue):
        return value.all_layers
    return isinstance(value, LAYERS)


def is_data(value: Value) -> bool:
    """Whether the value is a tensor or a tuple that contains one."""
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
    """Whether some part of the value failed."""
    if isinstance(value, Poison):
        return True
    if isinstance(value, tuple):
        return any(has_poison(item) for item in value)
    return isinstance(value, ListValue) and value.poisoned


def weight(value: Value) -> int:
    """Number of parts when written out; lists and tuples include their contents."""
    if isinstance(value, ListValue):
        return 1 + value.weight
    if isinstance(value, tuple):
        return 1 + sum(weight(item) for item in value)
    return 1
