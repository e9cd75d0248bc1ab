"""Productions to syntax tree: expressions.

Each function builds the result of the productions that name it in `arch.lark`; `c` has the results
of their symbols (tokens for signs and words).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from archspec.diagnostics.model import Edit, Fix
from archspec.source import Span
from archspec.syntax import ast
from archspec.syntax.context import Context, Dots, Equation, Item
from archspec.syntax.lexer import Token
from archspec.syntax.strings import read_string
from archspec.syntax.targets import label_word, plain

_T = TypeVar("_T")


def _text(k: Context, token: Token) -> str:
    return k.source.text[token.start : token.end]


def _bracketed(build: Callable[[Context, Span, list[Any]], _T]) -> Callable[..., _T | ast.Missing]:
    """Builds `Missing` if the closing bracket was inserted (width 0): its place is uncertain."""

    @wraps(build)
    def checked(k: Context, span: Span, c: list[Any]) -> _T | ast.Missing:
        closer: Token = c[-1]
        return ast.Missing(span) if closer.start == closer.end else build(k, span, c)

    return checked


# ---------------------------------------------------------------------- items


def missing(_k: Context, span: Span, _c: list[Any]) -> ast.Missing:
    """A placeholder for unreadable text."""
    return ast.Missing(span)


def equation(_k: Context, span: Span, c: list[Any]) -> Equation:
    """`left = right`."""
    return Equation(span, c[0], c[2])


def spread(_k: Context, span: Span, c: list[Any]) -> ast.Spread:
    """`...x`."""
    return ast.Spread(span, c[1])


def spread_equation(_k: Context, span: Span, c: list[Any]) -> Equation:
    """`...rest = right`."""
    return Equation(span, c[1], c[3], spread=True)


def dots(_k: Context, span: Span, _c: list[Any]) -> Dots:
    """`...`."""
    return Dots(span)


def joined(_k: Context, span: Span, c: list[Any]) -> ast.Chain:
    """`a -> b`."""
    return ast.Chain(span, tuple(c[0]))


# ---------------------------------------------------------------------- stages


def label_name(k: Context, span: Span, c: list[Any]) -> ast.Label:
    """`name:` or `_:`."""
    text = _text(k, c[0])
    place = k.span(c[0].start, c[0].end)
    return ast.Label(place, None if text == "_" else ast.Text(place, (text,)))


def label_text(k: Context, _span: Span, c: list[Any]) -> ast.Label:
    """`"name.{i}":`."""
    text = read_string(k, c[0])
    return ast.Label(text.span, text)


def labelled(_k: Context, span: Span, c: list[Any]) -> ast.Labelled:
    """`label: stage`."""
    return ast.Labelled(span, c[0], c[1])


def if_layer(_k: Context, span: Span, c: list[Any]) -> ast.IfLayer:
    """`if c { .. }`."""
    return ast.IfLayer(span, c[1], c[2], None)


def if_else_layer(_k: Context, span: Span, c: list[Any]) -> ast.IfLayer:
    """`if c { .. } else { .. }`."""
    return ast.IfLayer(span, c[1], c[2], c[4])


def if_else_if_layer(_k: Context, span: Span, c: list[Any]) -> ast.IfLayer:
    """`if c { .. } else if d { .. }`."""
    inner = c[4]
    body = ast.Body(inner.span, (ast.ExprStmt(inner.span, inner),))
    return ast.IfLayer(span, c[1], c[2], body)


def if_value(_k: Context, span: Span, c: list[Any]) -> ast.IfValue:
    """`if c then a else b`."""
    return ast.IfValue(span, c[1], c[3], c[5])


def for_(_k: Context, span: Span, c: list[Any]) -> ast.For:
    """`for targets in iterable { .. }`."""
    return ast.For(span, tuple(c[1]), c[3], c[4])


def name_target(k: Context, span: Span, c: list[Any]) -> ast.NameTarget:
    """`i`."""
    return ast.NameTarget(span, _text(k, c[0]))


def rest_target(k: Context, span: Span, c: list[Any]) -> ast.RestTarget:
    """`...rest`."""
    return ast.RestTarget(span, _text(k, c[1]))


def nested_target(_k: Context, span: Span, c: list[Any]) -> ast.NestedTarget:
    """`(a, b)`."""
    return ast.NestedTarget(span, tuple(c[1]))


# ---------------------------------------------------------------------- operators


def binary(_k: Context, span: Span, c: list[Any]) -> ast.Binary:
    """`a + b` and other binary operators."""
    return ast.Binary(span, c[1].type, c[0], c[2])


def not_in(_k: Context, span: Span, c: list[Any]) -> ast.Binary:
    """`a not in b`."""
    return ast.Binary(span, "not in", c[0], c[3])


def unary(_k: Context, span: Span, c: list[Any]) -> ast.Unary:
    """`-x`, `not x`."""
    return ast.Unary(span, c[0].type, c[1])


def range_(_k: Context, span: Span, c: list[Any]) -> ast.Range:
    """`a..b`."""
    return ast.Range(span, c[0], c[2])


def range_from(_k: Context, span: Span, c: list[Any]) -> ast.Range:
    """`a..`."""
    return ast.Range(span, c[0], None)


def range_to(_k: Context, span: Span, c: list[Any]) -> ast.Range:
    """`..b`."""
    return ast.Range(span, None, c[1])


# ---------------------------------------------------------------------- postfix


@_bracketed
def call_empty(_k: Context, span: Span, c: list[Any]) -> ast.Call:
    """`f()`."""
    return ast.Call(span, c[0], ())


@_bracketed
def call(k: Context, span: Span, c: list[Any]) -> ast.Call:
    """`f(a, b=c)`."""
    return ast.Call(span, c[0], tuple(_argument(k, item) for item in c[2]))


def _argument(k: Context, item: Item) -> ast.Argument:
    if not isinstance(item, Equation):
        return _positional(k, plain(k, item, "an argument"))
    if isinstance(item.left, ast.Name) and not item.spread:
        return ast.Argument(item.span, item.right, item.left.text, item.left.span)
    if not isinstance(item.left, ast.Missing):
        k.error(
            "E0123",
            "an attribute name is a single word: `name=value`",
            item.left.span,
            fix="write `==` to compare" if not item.spread else None,
        )
    return ast.Argument(item.span, ast.Missing(item.span))


def _positional(k: Context, value: ast.Expr) -> ast.Argument:
    if isinstance(value, ast.Labelled) and isinstance(value.inner, ast.Number | ast.Text):
        word = label_word(value.label) or "name"
        given = value.inner.span.text
        k.error(
            "E0123",
            "`:` labels a layer; an attribute is given with `=`",
            value.span,
            fix=Fix(f"write `{word}={given}`", (Edit(value.span, f"{word}={given}"),)),
        )
        return ast.Argument(value.span, ast.Missing(value.span), word, value.label.span)
    return ast.Argument(value.span, value)


@_bracketed
def index_empty(k: Context, span: Span, c: list[Any]) -> ast.Index:
    """`f32[]`."""
    node = ast.Index(span, c[0], ())
    k.raw_items[id(node)] = (node, [])
    return node


@_bracketed
def index(k: Context, span: Span, c: list[Any]) -> ast.Index:
    """`t[i]`, or a shape such as `f32[B, N]`."""
    node = ast.Index(span, c[0], _loose(c[2]))
    _keep(k, node, c[2])
    return node


def attribute(k: Context, span: Span, c: list[Any]) -> ast.Attribute:
    """`base.name`."""
    return ast.Attribute(span, c[0], _text(k, c[2]))


def _loose(items: list[Item]) -> tuple[ast.Expr, ...]:
    """Items as expressions; until a shape claims them, `B = 1` is `B`, and `...` is a name."""
    loose: list[ast.Expr] = []
    for item in items:
        if isinstance(item, Equation):
            loose.append(item.left)
        elif isinstance(item, Dots):
            loose.append(ast.Name(item.span, "..."))
        else:
            loose.append(item)
    return tuple(loose)


def _keep(k: Context, node: ast.ListExpr | ast.Index, items: list[Item]) -> None:
    if any(isinstance(item, Equation | Dots) for item in items):
        k.raw_items[id(node)] = (node, items)


# ---------------------------------------------------------------------- atoms


def name(k: Context, span: Span, c: list[Any]) -> ast.Name:
    """A word."""
    return ast.Name(span, _text(k, c[0]))


def number(k: Context, span: Span, c: list[Any]) -> ast.Number:
    """`3`, `0.5`, `1e-3`."""
    text = _text(k, c[0])
    return ast.Number(span, int(text) if text.isdigit() else float(text))


def string(k: Context, _span: Span, c: list[Any]) -> ast.Text:
    """`"b h w c"`."""
    return read_string(k, c[0])


@_bracketed
def tuple_empty(_k: Context, span: Span, _c: list[Any]) -> ast.TupleExpr:
    """`()`."""
    return ast.TupleExpr(span, ())


@_bracketed
def paren(k: Context, span: Span, c: list[Any]) -> ast.Group | ast.TupleExpr:
    """`(x)`, `(a, b)`, `(...t)`."""
    items = tuple(plain(k, item, "a tuple") for item in c[1])
    if len(items) == 1 and not isinstance(items[0], ast.Spread):
        return ast.Group(span, items[0])
    return ast.TupleExpr(span, items)


@_bracketed
def tuple_(k: Context, span: Span, c: list[Any]) -> ast.TupleExpr:
    """`(a,)`."""
    return ast.TupleExpr(span, tuple(plain(k, item, "a tuple") for item in c[1]))


@_bracketed
def list_empty(_k: Context, span: Span, _c: list[Any]) -> ast.ListExpr:
    """`[]`."""
    return ast.ListExpr(span, ())


@_bracketed
def list_(k: Context, span: Span, c: list[Any]) -> ast.ListExpr:
    """`[a, b]`, or a shape."""
    node = ast.ListExpr(span, _loose(c[1]))
    _keep(k, node, c[1])
    return node


@_bracketed
def list_comprehension(k: Context, span: Span, c: list[Any]) -> ast.Comprehension:
    """`[e for t in i]`."""
    element = plain(k, c[1], "a list")
    return ast.Comprehension(span, element, tuple(c[3]), c[5], None, False)


@_bracketed
def list_comprehension_if(k: Context, span: Span, c: list[Any]) -> ast.Comprehension:
    """`[e for t in i if c]`."""
    element = plain(k, c[1], "a list")
    return ast.Comprehension(span, element, tuple(c[3]), c[5], c[7], False)


@_bracketed
def tuple_comprehension(k: Context, span: Span, c: list[Any]) -> ast.Comprehension:
    """`(e for t in i)`."""
    element = plain(k, c[1], "a tuple")
    return ast.Comprehension(span, element, tuple(c[3]), c[5], None, True)


@_bracketed
def tuple_comprehension_if(k: Context, span: Span, c: list[Any]) -> ast.Comprehension:
    """`(e for t in i if c)`."""
    element = plain(k, c[1], "a tuple")
    return ast.Comprehension(span, element, tuple(c[3]), c[5], c[7], True)


def anonymous(_k: Context, span: Span, c: list[Any]) -> ast.Anonymous:
    """`{ .. }` as a layer."""
    return ast.Anonymous(span, c[0])
