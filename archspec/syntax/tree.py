"""Productions to syntax tree, from the leaves to the root.

There is no recursion, so the depth of the input does not matter. Each part carries the depth of its
tree, and trees deeper than `limits.MAX_DEPTH` are rejected. The tree is built after parsing, so
nothing is built for items that the parser takes back.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

from archspec.source import Span
from archspec.syntax import ast, build_def, build_expr, build_list, build_stmt, limits
from archspec.syntax.context import Context
from archspec.syntax.grammar import Leaf, Value
from archspec.syntax.operators import Part, climb, negative, operation

_NESTING = (
    *(ast.Group, ast.TupleExpr, ast.ListExpr, ast.Comprehension, ast.Anonymous, ast.For),
    *(ast.Call, ast.Index, ast.Attribute, ast.Unary, ast.Binary, ast.Range, ast.Spread),
    *(ast.IfValue, ast.IfLayer, ast.Labelled, ast.Chain),
)
"""Expressions that contain others; if too deep, they are replaced by `Missing`."""

Action = Callable[[Context, Span, list[Any]], Any]


def _functions(*modules: ModuleType) -> dict[str, Any]:
    """Public functions of the building modules, by their names in the grammar."""
    return {
        name.rstrip("_"): value
        for module in modules
        for name, value in vars(module).items()
        if getattr(value, "__module__", "") == module.__name__ and not name.startswith("_")
    }


_NODES: dict[str, Action] = _functions(build_expr, build_stmt, build_def)
_LISTS: dict[str, Callable[[list[Any]], Any]] = _functions(build_list)
_FLAT: dict[str, Callable[[list[Part]], list[Part]]] = {
    "negative": negative,
    "operation": operation,
}

PRODUCTIONS = frozenset({*_NODES, *_LISTS, *_FLAT, "climbed"})
"""The names that the grammar may use."""


def build(k: Context, root: Value) -> Any:
    """The node or list built from `root`."""
    order: list[Any] = []
    todo: list[Any] = [root]
    while todo:
        node = todo.pop()
        order.append(node)
        if type(node) is not Leaf:
            todo += node.children
    parts: list[Part] = []
    for node in reversed(order):
        if type(node) is Leaf:
            token = node.token
            parts.append((token, token.start, token.end, 0))
            continue
        size = len(node.children)
        end = parts[-1][2] if parts else 0
        taken = parts[len(parts) - size :]
        del parts[len(parts) - size :]
        parts.append(_produce(k, node.data, taken, taken[0][1] if taken else end, end))
    return parts[0][0]


def _produce(k: Context, name: str, taken: list[Part], start: int, end: int) -> Part:
    """The part that a production makes of its parts."""
    action = _NODES.get(name)
    if action is not None:
        span = Span(k.source, start, end)
        value = action(k, span, [part[0] for part in taken])
        depth = max([part[3] for part in taken]) + 1
        if depth > limits.MAX_DEPTH and isinstance(value, _NESTING):
            return _too_deep(k, span), start, end, 0
        return value, start, end, depth
    merge = _LISTS.get(name)
    if merge is not None:
        depth = max([part[3] for part in taken]) if taken else 0
        return merge([part[0] for part in taken]), start, end, depth
    if name == "climbed":
        return climb(taken[0], partial(_node, k))
    return _FLAT[name](taken), start, end, 0


def _node(
    k: Context,
    kind: type[ast.Unary | ast.Binary],
    fields: list[Any],
    start: int,
    end: int,
    depth: int,
) -> Part:
    span = Span(k.source, start, end)
    if depth > limits.MAX_DEPTH:
        return _too_deep(k, span), start, end, 0
    return kind(span, *fields), start, end, depth


def _too_deep(k: Context, span: Span) -> ast.Missing:
    if not k.too_deep:
        k.too_deep = True
        k.error(
            "E0104",
            f"this is nested too deeply; at most {limits.MAX_DEPTH} levels are allowed",
            Span(span.source, span.start, span.start + 1),
            fix="bind parts of it to names",
        )
    return ast.Missing(span)
