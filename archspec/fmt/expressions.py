"""Layout of expressions: one function per class of the syntax tree."""

from __future__ import annotations

from typing import Any

from archspec.fmt.doc import HARD, LINE, SOFT, Doc, concat, group, join, nest
from archspec.fmt.layout import Layout, Rules
from archspec.syntax import ast

_PARENTHESISED = (ast.Binary, ast.Unary, ast.IfValue, ast.Range)


# ---------------------------------------------------------------------- atoms and postfix


def _source(_p: Layout, node: Any) -> Doc:
    text: str = node.span.text
    return text


def _name(_p: Layout, node: ast.Name) -> Doc:
    return node.text


def _list(p: Layout, node: ast.ListExpr) -> Doc:
    docs = [p.item(item, p.of(item)) for item in node.items]
    plain = all(isinstance(item, ast.Number) for item in node.items)
    if plain and docs and not p.commented(node, *node.items):
        return p.filled("[", docs, "]")
    return p.brackets(node, "[", docs, "]")


def _tuple(p: Layout, node: ast.TupleExpr) -> Doc:
    docs = [p.item(item, p.of(item)) for item in node.items]
    if len(docs) == 1 and not isinstance(node.items[0], ast.Spread):
        return p.brackets(node, "(", [concat(docs[0], ",")], ")", comma="")
    return p.brackets(node, "(", docs, ")")


def _group(p: Layout, node: ast.Group) -> Doc:
    return p.brackets(node, "(", [p.item(node.inner, p.of(node.inner))], ")", comma="")


_HUGGED = (ast.ListExpr, ast.TupleExpr, ast.Comprehension, ast.Anonymous)


def _call(p: Layout, node: ast.Call) -> Doc:
    only = node.arguments[0] if len(node.arguments) == 1 else None
    if (
        only
        and only.name is None
        and isinstance(only.value, _HUGGED)
        and not p.commented(node, only)
    ):
        return concat(p.of(node.function), "(", p.of(only.value), ")")
    docs = [p.item(argument, _argument(p, argument)) for argument in node.arguments]
    return concat(p.of(node.function), p.brackets(node, "(", docs, ")"))


def _argument(p: Layout, node: ast.Argument) -> Doc:
    value = p.of(node.value)
    return value if node.name is None else concat(node.name, "=", value)


def _index(p: Layout, node: ast.Index) -> Doc:
    docs = [p.item(item, p.of(item)) for item in node.indices]
    return concat(p.of(node.base), p.brackets(node, "[", docs, "]"))


def _attribute(p: Layout, node: ast.Attribute) -> Doc:
    return concat(p.of(node.base), ".", node.name)


# ---------------------------------------------------------------------- operators


def _unary(p: Layout, node: ast.Unary) -> Doc:
    sign = "not " if node.operator == "not" else node.operator
    return concat(sign, p.of(node.operand))


def _binary(p: Layout, node: ast.Binary) -> Doc:
    """`a + b + c` breaks after all of its operators or after none."""
    parts: list[Doc] = []
    left: ast.Expr = node
    while isinstance(left, ast.Binary) and _level(left.operator) == _level(node.operator):
        parts[:0] = [" ", left.operator, LINE, p.of(left.right)]
        left = left.left
        if node.operator == "**":
            break
    return group(p.of(left), nest(*parts))


def _level(operator: str) -> str:
    if operator in ("+", "-"):
        return "+"
    return "*" if operator in ("*", "/", "//", "%") else operator


def _range(p: Layout, node: ast.Range) -> Doc:
    start = "" if node.start is None else p.of(node.start)
    return concat(start, "..", "" if node.stop is None else p.of(node.stop))


# ---------------------------------------------------------------------- stages


def _if_value(p: Layout, node: ast.IfValue) -> Doc:
    condition, then, otherwise = p.of(node.condition), p.of(node.then), p.of(node.otherwise)
    return group("if ", condition, nest(LINE, "then ", then), nest(LINE, "else ", otherwise))


def _if_layer(p: Layout, node: ast.IfLayer) -> Doc:
    """All branches on one line, or each on its own lines."""
    parts: list[Doc] = []
    current: ast.IfLayer | None = node
    while current is not None:
        parts += ["if ", p.of(current.condition), " ", p.of(current.then)]
        otherwise, current = current.otherwise, None
        if otherwise is None:
            break
        parts.append(" else ")
        if otherwise.span.text.startswith("{"):
            parts.append(p.of(otherwise))
        else:
            statement = otherwise.statements[0]
            assert isinstance(statement, ast.ExprStmt)
            assert isinstance(statement.value, ast.IfLayer)
            current = statement.value
    return group(*parts)


def _for(p: Layout, node: ast.For) -> Doc:
    return group(
        "for ", _targets(p, node.targets), " in ", p.of(node.iterable), " ", p.of(node.body)
    )


def _targets(p: Layout, targets: tuple[ast.Target, ...]) -> Doc:
    return join(", ", [p.of(target) for target in targets])


def _comprehension(p: Layout, node: ast.Comprehension) -> Doc:
    opener, closer = "()" if node.is_tuple else "[]"
    parts = [SOFT, p.of(node.element), LINE, "for ", _targets(p, node.targets)]
    parts += [" in ", p.of(node.iterable)]
    if node.condition is not None:
        parts += [LINE, "if ", p.of(node.condition)]
    return group(opener, nest(*parts), SOFT, closer)


def _anonymous(p: Layout, node: ast.Anonymous) -> Doc:
    return group(p.of(node.body))


def _chain(p: Layout, node: ast.Chain) -> Doc:
    """A chain breaks before each `->` or before none."""
    parts: list[Doc] = []
    for stage in node.stages[1:]:
        own = p.comments(stage)
        for comment in own.leading:
            parts += [HARD, comment.text]
        parts += [LINE, "-> ", _stage(p, stage), *p.suffixes(own.trailing)]
    first = p.item(node.stages[0], _stage(p, node.stages[0]))
    return group(first, nest(*parts))


def _stage(p: Layout, node: ast.Expr) -> Doc:
    """A stage of a chain, in parentheses if it is an operation, as in `(x * a) -> f`.

    `->` binds loosest, and the parentheses show it.
    """
    if isinstance(node, _PARENTHESISED):
        return group("(", nest(SOFT, p.of(node)), SOFT, ")")
    return p.of(node)


def _labelled(p: Layout, node: ast.Labelled) -> Doc:
    return concat(node.label.span.text, ": ", p.of(node.inner))


def _spread(p: Layout, node: ast.Spread) -> Doc:
    return concat("...", p.of(node.inner))


# ---------------------------------------------------------------------- shapes and targets


def _type(p: Layout, node: ast.TypeExpr) -> Doc:
    docs = [p.item(dim, _dim(p, dim)) for dim in node.dims]
    return concat(node.dtype or "", p.brackets(node, "[", docs, "]"))


def _dim(p: Layout, node: ast.DimExpr) -> Doc:
    value = p.of(node.value)
    return value if node.default is None else concat(value, " = ", p.of(node.default))


def _name_target(p: Layout, node: ast.NameTarget) -> Doc:
    return node.name if node.claim is None else concat(node.name, ": ", p.of(node.claim))


def _rest_target(_p: Layout, node: ast.RestTarget) -> Doc:
    return "..." + node.name


def _nested_target(p: Layout, node: ast.NestedTarget) -> Doc:
    return concat("(", _targets(p, node.items), ")")


RULES: Rules = {
    ast.Name: _name,
    ast.Number: _source,
    ast.Text: _source,
    ast.ListExpr: _list,
    ast.TupleExpr: _tuple,
    ast.Group: _group,
    ast.Call: _call,
    ast.Index: _index,
    ast.Attribute: _attribute,
    ast.Unary: _unary,
    ast.Binary: _binary,
    ast.Range: _range,
    ast.IfValue: _if_value,
    ast.IfLayer: _if_layer,
    ast.For: _for,
    ast.Comprehension: _comprehension,
    ast.Anonymous: _anonymous,
    ast.Chain: _chain,
    ast.Labelled: _labelled,
    ast.Spread: _spread,
    ast.TypeExpr: _type,
    ast.NameTarget: _name_target,
    ast.RestTarget: _rest_target,
    ast.NestedTarget: _nested_target,
}
