"""The syntax tree of expressions. Import these from `archspec.syntax.ast`."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from archspec.frozen import frozen
from archspec.source import Span
from archspec.syntax.node import Node

if TYPE_CHECKING:
    from archspec.syntax.ast import Body, Target


@frozen
class Name(Node):
    """A bare word: variable, definition, op, `true`, `false`, `half` and so on."""

    span: Span
    text: str


@frozen
class Number(Node):
    """A literal number; integers are exact."""

    span: Span
    value: int | float


@frozen
class Text(Node):
    """A string. Its parts are literal text or interpolated expressions."""

    span: Span
    parts: tuple[str | Expr, ...]


@frozen
class ListExpr(Node):
    """`[a, b]`: a parallel layer if its items are layers, otherwise a list of values."""

    span: Span
    items: tuple[Expr, ...]


@frozen
class TupleExpr(Node):
    """`(a, b)`, `(a,)`, `(...t)`, `()`."""

    span: Span
    items: tuple[Expr, ...]


@frozen
class Group(Node):
    """`(x)`: grouping only; if labelled, a numbered scope."""

    span: Span
    inner: Expr


@frozen
class Argument(Node):
    """One argument. `name` is set for `name=value`; a label before the value is part of `value`."""

    span: Span
    value: Expr
    name: str | None = None
    name_span: Span | None = None


@frozen
class Call(Node):
    """`f(a, b=c)`: attributes, never data."""

    span: Span
    function: Expr
    arguments: tuple[Argument, ...]


@frozen
class Index(Node):
    """`t[i]` or, with a `Range`, `t[a..b]`. `indices` has the items in the brackets."""

    span: Span
    base: Expr
    indices: tuple[Expr, ...]


@frozen
class Attribute(Node):
    """`base.name`."""

    span: Span
    base: Expr
    name: str


@frozen
class Unary(Node):
    """`-x` or `not x`."""

    span: Span
    operator: str
    operand: Expr


@frozen
class Binary(Node):
    """`+ - * / // % **`, comparisons, `and`, `or`."""

    span: Span
    operator: str
    left: Expr
    right: Expr


@frozen
class Range(Node):
    """`a..b` excludes b; `a..` has no end; `..b` begins at 0."""

    span: Span
    start: Expr | None
    stop: Expr | None


@frozen
class IfValue(Node):
    """`if c then a else b`."""

    span: Span
    condition: Expr
    then: Expr
    otherwise: Expr


@frozen
class IfLayer(Node):
    """`if c { .. } else { .. }`; `else if` nests in `otherwise`."""

    span: Span
    condition: Expr
    then: Body
    otherwise: Body | None


@frozen
class For(Node):
    """`for targets in iterable { .. }`: iterations in sequence."""

    span: Span
    targets: tuple[Target, ...]
    iterable: Expr
    body: Body


@frozen
class Comprehension(Node):
    """`[e for t in i if c]` (values or layers) or `(e for t in i if c)` (data)."""

    span: Span
    element: Expr
    targets: tuple[Target, ...]
    iterable: Expr
    condition: Expr | None
    is_tuple: bool


@frozen
class Anonymous(Node):
    """`{ .. }` as an expression: an anonymous inline block."""

    span: Span
    body: Body


@frozen
class Chain(Node):
    """`a -> b -> c`, with two or more stages."""

    span: Span
    stages: tuple[Expr, ...]


@frozen
class Label(Node):
    """The label before `:`. `template` is None for `_`, the next number."""

    span: Span
    template: Text | None


@frozen
class Labelled(Node):
    """`label: expr`; applies to one stage."""

    span: Span
    label: Label
    inner: Expr


@frozen
class Spread(Node):
    """`...x` inside a list, tuple or argument."""

    span: Span
    inner: Expr


@frozen
class Missing(Node):
    """An expression that could not be parsed, which was reported."""

    span: Span


Expr: TypeAlias = (
    "Name | Number | Text | ListExpr | TupleExpr | Group | Call | Index | Attribute | Unary | "
    "Binary | Range | IfValue | IfLayer | For | Comprehension | Anonymous | Chain | Labelled | "
    "Spread | Missing"
)
