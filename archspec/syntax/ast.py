"""The syntax tree: one frozen class for each construct, with its span.

The grammar has one rule for all items in braces, parentheses and brackets; they are sorted into
these classes afterwards, so that errors can be described in the user's terms. The meaning of names
is not known here.
"""

from __future__ import annotations

from typing import TypeAlias

from archspec.frozen import frozen
from archspec.source import Source, Span
from archspec.syntax.ast_expressions import Anonymous as Anonymous
from archspec.syntax.ast_expressions import Argument as Argument
from archspec.syntax.ast_expressions import Attribute as Attribute
from archspec.syntax.ast_expressions import Binary as Binary
from archspec.syntax.ast_expressions import Call as Call
from archspec.syntax.ast_expressions import Chain as Chain
from archspec.syntax.ast_expressions import Comprehension as Comprehension
from archspec.syntax.ast_expressions import Expr as Expr
from archspec.syntax.ast_expressions import For as For
from archspec.syntax.ast_expressions import Group as Group
from archspec.syntax.ast_expressions import IfLayer as IfLayer
from archspec.syntax.ast_expressions import IfValue as IfValue
from archspec.syntax.ast_expressions import Index as Index
from archspec.syntax.ast_expressions import Label as Label
from archspec.syntax.ast_expressions import Labelled as Labelled
from archspec.syntax.ast_expressions import ListExpr as ListExpr
from archspec.syntax.ast_expressions import Missing as Missing
from archspec.syntax.ast_expressions import Name as Name
from archspec.syntax.ast_expressions import Number as Number
from archspec.syntax.ast_expressions import Range as Range
from archspec.syntax.ast_expressions import Spread as Spread
from archspec.syntax.ast_expressions import Text as Text
from archspec.syntax.ast_expressions import TupleExpr as TupleExpr
from archspec.syntax.ast_expressions import Unary as Unary
from archspec.syntax.node import Node as Node

# ---------------------------------------------------------------------- shapes and targets


@frozen
class DimExpr(Node):
    """One entry of a shape: a name, `_` or a claim; `default` is 224 in `H = 224`."""

    span: Span
    value: Expr
    default: Expr | None = None


@frozen
class TypeExpr(Node):
    """`f32[B, N]`, `[B, N]` (without an element type) or `f32[]`."""

    span: Span
    dtype: str | None
    dims: tuple[DimExpr, ...]


@frozen
class NameTarget(Node):
    """A name to bind (`_` binds nothing), with an optional claim about its shape."""

    span: Span
    name: str
    claim: TypeExpr | None = None


@frozen
class RestTarget(Node):
    """`...name`: the remaining parts."""

    span: Span
    name: str


@frozen
class NestedTarget(Node):
    """`(a, b)` inside targets."""

    span: Span
    items: tuple[Target, ...]


Target: TypeAlias = "NameTarget | RestTarget | NestedTarget"

# ---------------------------------------------------------------------- statements


@frozen
class InputItem(Node):
    """One input of an `input` statement; `rest` is true for `...taps`."""

    span: Span
    name: str
    type: TypeExpr | None = None
    rest: bool = False


@frozen
class Input(Node):
    """`input x: [..], y where c, d when e`."""

    span: Span
    items: tuple[InputItem, ...]
    where: tuple[Expr, ...] = ()
    when: Expr | None = None


@frozen
class Output(Node):
    """`output name = expr when c`, `output a, b = expr`; no `names` for `output expr`."""

    span: Span
    names: tuple[str, ...]
    value: Expr
    when: Expr | None = None


@frozen
class ParamDecl(Node):
    """`param p: f32[..] = init`, `param p: .. = init fixed`."""

    span: Span
    name: str
    type: TypeExpr
    init: Expr | None
    fixed: bool = False


@frozen
class BufferDecl(Node):
    """`buffer b: i64[..] = expr`, `buffer b: .. = expr transient`."""

    span: Span
    name: str
    type: TypeExpr
    value: Expr
    transient: bool = False


@frozen
class Shared(Node):
    """`shared f = label: layer`: a layer instantiated once."""

    span: Span
    name: str
    value: Expr


@frozen
class InitDecl(Node):
    """`init conv.weight = kaiming_normal(mode=fan_out)`."""

    span: Span
    op: str
    parameter: str
    value: Expr


@frozen
class DrawDecl(Node):
    """`draw column = mixed(...)`: the policy of a shared random draw."""

    span: Span
    name: str
    value: Expr


@frozen
class TieDecl(Node):
    """`tie "head.weight" = "embed.weight"`: one tensor of weights with two names."""

    span: Span
    name: Expr
    source: Expr


@frozen
class Assert(Node):
    """`assert condition, "message"`."""

    span: Span
    condition: Expr
    message: Expr | None = None


@frozen
class Bind(Node):
    """`a, b: [..], ...rest = expr`."""

    span: Span
    targets: tuple[Target, ...]
    value: Expr


@frozen
class ExprStmt(Node):
    """An expression statement: the point-free body, or part of a damaged one."""

    span: Span
    value: Expr


Statement: TypeAlias = (
    "Input | Output | ParamDecl | BufferDecl | Shared | InitDecl | DrawDecl | TieDecl | Assert | "
    "Bind | ExprStmt"
)


@frozen
class Body(Node):
    """The statements in braces."""

    span: Span
    statements: tuple[Statement, ...]


# ---------------------------------------------------------------------- definitions
# `damaged` marks a definition whose head has a syntax error, which was reported: its name is known,
# but not all of its parameters.


@frozen
class ParamType(Node):
    """`int`, `float`, `bool`, `str`, `layer`, `init`, `list[int]`."""

    span: Span
    name: str
    argument: ParamType | None = None


@frozen
class Parameter(Node):
    """A parameter of a definition; in a rule's head `pattern` may be a literal instead."""

    span: Span
    name: str | None
    pattern: Number | Text | Name | None = None  # a Name is `true` or `false` here
    type: ParamType | None = None
    domain: Expr | None = None
    default: Expr | None = None


@frozen
class Use(Node):
    """`use std.cnn { conv_bn_relu }`, `use resnet { resnet }`; without braces, all names."""

    span: Span
    path: tuple[str, ...]
    names: tuple[Name, ...] | None


@frozen
class BlockDef(Node):
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


@frozen
class RuleClause(Node):
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


@frozen
class Signature(Node):
    """`rule name(c: int, width: int): [B, C] -> c * [B, width]`; the sides are not yet sorted."""

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


@frozen
class Preset(Node):
    """`preset name = network(..)`."""

    span: Span
    name: str
    name_span: Span
    value: Expr
    doc: str = ""
    damaged: bool = False


@frozen
class Language(Node):
    """`language 1`."""

    span: Span
    version: int


Definition: TypeAlias = "BlockDef | RuleClause | Signature | Preset"


@frozen
class Comment(Node):
    """A `#` comment; `own_line` is true if it is first on its line."""

    span: Span
    text: str
    own_line: bool


@frozen
class Module(Node):
    """One file."""

    source: Source
    language: Language | None
    uses: tuple[Use, ...]
    definitions: tuple[Definition, ...]
    comments: tuple[Comment, ...]
