"""The syntax tree: one frozen class per construct, each with its span.

The parser reads everything in braces, parentheses and brackets with one item grammar and sorts
it into these classes afterwards, so what is wrong is said in the reader's words. Nothing here
knows what a name means.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from archspec.source import Source, Span

# ---------------------------------------------------------------------- expressions


@dataclass(frozen=True, slots=True)
class Name:
    """A bare word: variable, definition, op, `true`, `false`, `half`, ..."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Number:
    """A literal number; integers are exact."""

    span: Span
    value: int | float


@dataclass(frozen=True, slots=True)
class Text:
    """A string. Parts are literal text or interpolated expressions."""

    span: Span
    parts: tuple[str | Expr, ...]


@dataclass(frozen=True, slots=True)
class ListExpr:
    """`[a, b]`: of layers a parallel layer, of values a list."""

    span: Span
    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class TupleExpr:
    """`(a, b)`, `(a,)`, `(...t)`, `()`."""

    span: Span
    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """`(x)`: grouping only; with a label a numbered scope."""

    span: Span
    inner: Expr


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument. `name` is set for `name=value`; a label in front stays in `value`."""

    span: Span
    value: Expr
    name: str | None = None
    name_span: Span | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """`f(a, b=c)`: attributes, never data."""

    span: Span
    function: Expr
    arguments: tuple[Argument, ...]


@dataclass(frozen=True, slots=True)
class Index:
    """`t[i]` or, with a `Range`, `t[a..b]`. `indices` has what stood in the brackets."""

    span: Span
    base: Expr
    indices: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Attribute:
    """`base.name`."""

    span: Span
    base: Expr
    name: str


@dataclass(frozen=True, slots=True)
class Unary:
    """`-x` or `not x`."""

    span: Span
    operator: str
    operand: Expr


@dataclass(frozen=True, slots=True)
class Binary:
    """`+ - * / // % **`, comparisons, `and`, `or`."""

    span: Span
    operator: str
    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True)
class Range:
    """`a..b` leaves b out; `a..` has no end; `..b` begins at 0."""

    span: Span
    start: Expr | None
    stop: Expr | None


@dataclass(frozen=True, slots=True)
class IfValue:
    """`if c then a else b`."""

    span: Span
    condition: Expr
    then: Expr
    otherwise: Expr


@dataclass(frozen=True, slots=True)
class IfLayer:
    """`if c { .. } else { .. }`; `else if` nests in `otherwise`."""

    span: Span
    condition: Expr
    then: Body
    otherwise: Body | None


@dataclass(frozen=True, slots=True)
class For:
    """`for targets in iterable { .. }`: its turns in sequence."""

    span: Span
    targets: tuple[Target, ...]
    iterable: Expr
    body: Body


@dataclass(frozen=True, slots=True)
class Comprehension:
    """`[e for t in i if c]` (values or layers) or `(e for t in i if c)` (data)."""

    span: Span
    element: Expr
    targets: tuple[Target, ...]
    iterable: Expr
    condition: Expr | None
    is_tuple: bool


@dataclass(frozen=True, slots=True)
class Anonymous:
    """`{ .. }` as an expression: an anonymous inline block."""

    span: Span
    body: Body


@dataclass(frozen=True, slots=True)
class Chain:
    """`a -> b -> c`, two stages or more."""

    span: Span
    stages: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Label:
    """What stands before `:`. `template` is None for `_`, the next number."""

    span: Span
    template: Text | None


@dataclass(frozen=True, slots=True)
class Labelled:
    """`label: expr`; binds one stage."""

    span: Span
    label: Label
    inner: Expr


@dataclass(frozen=True, slots=True)
class Spread:
    """`...x` inside a list, tuple or argument."""

    span: Span
    inner: Expr


@dataclass(frozen=True, slots=True)
class Missing:
    """Where an expression could not be read; an error was reported there."""

    span: Span


Expr: TypeAlias = (
    "Name | Number | Text | ListExpr | TupleExpr | Group | Call | Index | Attribute | Unary | "
    "Binary | Range | IfValue | IfLayer | For | Comprehension | Anonymous | Chain | Labelled | "
    "Spread | Missing"
)

# ---------------------------------------------------------------------- shapes and targets


@dataclass(frozen=True, slots=True)
class DimExpr:
    """One entry of a shape: a name, `_`, a claim; `default` for `H = 224`."""

    span: Span
    value: Expr
    default: Expr | None = None


@dataclass(frozen=True, slots=True)
class TypeExpr:
    """`f32[B, N]`, `[B, N]` (no element type said) or `f32[]`."""

    span: Span
    dtype: str | None
    dims: tuple[DimExpr, ...]


@dataclass(frozen=True, slots=True)
class NameTarget:
    """A name to bind (`_` binds nothing), with an optional claim on its shape."""

    span: Span
    name: str
    claim: TypeExpr | None = None


@dataclass(frozen=True, slots=True)
class RestTarget:
    """`...name`: what is left."""

    span: Span
    name: str


@dataclass(frozen=True, slots=True)
class NestedTarget:
    """`(a, b)` inside targets."""

    span: Span
    items: tuple[Target, ...]


Target: TypeAlias = "NameTarget | RestTarget | NestedTarget"

# ---------------------------------------------------------------------- statements


@dataclass(frozen=True, slots=True)
class InputItem:
    """One input of an `input` statement. `rest` for `...taps`."""

    span: Span
    name: str
    type: TypeExpr | None = None
    rest: bool = False


@dataclass(frozen=True, slots=True)
class Input:
    """`input x: [..], y where c, d when e`."""

    span: Span
    items: tuple[InputItem, ...]
    where: tuple[Expr, ...] = ()
    when: Expr | None = None


@dataclass(frozen=True, slots=True)
class Output:
    """`output name = expr when c`; `name` is None for `output expr`."""

    span: Span
    name: str | None
    value: Expr
    when: Expr | None = None


@dataclass(frozen=True, slots=True)
class ParamDecl:
    """`param p: f32[..] = init`."""

    span: Span
    name: str
    type: TypeExpr
    init: Expr | None


@dataclass(frozen=True, slots=True)
class BufferDecl:
    """`buffer b: i64[..] = expr`, `buffer b: .. = expr transient`."""

    span: Span
    name: str
    type: TypeExpr
    value: Expr
    transient: bool = False


@dataclass(frozen=True, slots=True)
class Shared:
    """`shared f = label: layer`: one instance."""

    span: Span
    name: str
    value: Expr


@dataclass(frozen=True, slots=True)
class InitDecl:
    """`init conv.weight = kaiming_normal(mode=fan_out)`."""

    span: Span
    op: str
    parameter: str
    value: Expr


@dataclass(frozen=True, slots=True)
class DrawDecl:
    """`draw column = mixed(...)`: the policy of a shared random draw."""

    span: Span
    name: str
    value: Expr


@dataclass(frozen=True, slots=True)
class Assert:
    """`assert condition, "message"`."""

    span: Span
    condition: Expr
    message: Expr | None = None


@dataclass(frozen=True, slots=True)
class Bind:
    """`a, b: [..], ...rest = expr`."""

    span: Span
    targets: tuple[Target, ...]
    value: Expr


@dataclass(frozen=True, slots=True)
class ExprStmt:
    """An expression standing alone: the point-free body, or part of a damaged one."""

    span: Span
    value: Expr


Statement: TypeAlias = (
    "Input | Output | ParamDecl | BufferDecl | Shared | InitDecl | DrawDecl | Assert | Bind | "
    "ExprStmt"
)


@dataclass(frozen=True, slots=True)
class Body:
    """What stands in braces."""

    span: Span
    statements: tuple[Statement, ...]


# ---------------------------------------------------------------------- definitions
# `damaged` marks a definition whose head could not be read: its name is known, its parameters are
# not; an error was reported there.


@dataclass(frozen=True, slots=True)
class ParamType:
    """`int`, `float`, `bool`, `str`, `layer`, `init`, `list[int]`."""

    span: Span
    name: str
    argument: ParamType | None = None


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a definition; in a rule's head `pattern` may be a literal instead."""

    span: Span
    name: str | None
    pattern: Number | Text | Name | None = None  # a Name is `true` or `false` here
    type: ParamType | None = None
    domain: Expr | None = None
    default: Expr | None = None


@dataclass(frozen=True, slots=True)
class Use:
    """`use std.cnn { conv_bn_relu }`, `use resnet { resnet }`; no braces: all names."""

    span: Span
    path: tuple[str, ...]
    names: tuple[Name, ...] | None


@dataclass(frozen=True, slots=True)
class BlockDef:
    """`[inline] block name(params) { .. }` or `network name(params) { .. }`."""

    span: Span
    name: str
    name_span: Span
    parameters: tuple[Parameter, ...]
    body: Body
    inline: bool = False
    is_network: bool = False
    doc: str = ""
    damaged: bool = False


@dataclass(frozen=True, slots=True)
class RuleClause:
    """`[inline] rule name(patterns) if guard => expr`; a braced right side is `Anonymous`."""

    span: Span
    name: str
    name_span: Span
    parameters: tuple[Parameter, ...]
    guard: Expr | None
    value: Expr
    inline: bool = False
    doc: str = ""
    damaged: bool = False


@dataclass(frozen=True, slots=True)
class Signature:
    """`rule name(c: int, width: int): [B, C] -> c * [B, width]`, sides unsorted."""

    span: Span
    name: str
    name_span: Span
    parameters: tuple[Parameter, ...]
    inputs: Expr
    outputs: Expr
    where: tuple[Expr, ...] = ()
    inline: bool = False
    doc: str = ""
    damaged: bool = False


@dataclass(frozen=True, slots=True)
class Preset:
    """`preset name = network(..)`."""

    span: Span
    name: str
    name_span: Span
    value: Expr
    doc: str = ""
    damaged: bool = False


@dataclass(frozen=True, slots=True)
class Language:
    """`language 1`."""

    span: Span
    version: int


Definition: TypeAlias = "BlockDef | RuleClause | Signature | Preset"


@dataclass(frozen=True, slots=True)
class Comment:
    """A `#` comment. `own_line` when nothing stands before it on its line."""

    span: Span
    text: str
    own_line: bool


@dataclass(frozen=True, slots=True)
class Module:
    """One file."""

    source: Source
    language: Language | None
    uses: tuple[Use, ...]
    definitions: tuple[Definition, ...]
    comments: tuple[Comment, ...]
