"""Generic walks over a syntax tree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from archspec.source import Span
from archspec.syntax import ast


def children(node: Any) -> Iterator[Any]:
    """The nodes directly below a node, in the order of its fields."""
    for name in node.__match_args__:
        value = getattr(node, name)
        if isinstance(value, tuple):
            yield from (item for item in value if _is_node(item))
        elif _is_node(value):
            yield value


def walk(node: Any) -> Iterator[Any]:
    """A node and all nodes below it, in pre-order."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        stack.extend(reversed(list(children(current))))


def target_names(targets: Iterable[ast.Target]) -> Iterator[str]:
    """The names that targets bind, without dims of claims."""
    for target in targets:
        if isinstance(target, ast.NestedTarget):
            yield from target_names(target.items)
        else:
            yield target.name


def path_to(module: ast.Module, offset: int) -> list[Any]:
    """The nodes whose text contains an offset, from the definition down to the innermost one."""
    path: list[Any] = []
    below: list[Any] = [*children(module)]
    while True:
        inside = [node for node in below if node.span.start <= offset < node.span.end]
        if not inside:
            return path
        path.append(inside[0])
        below = [*children(inside[0])]


def _is_node(value: object) -> bool:
    return hasattr(value, "span") and not isinstance(value, Span | ast.Comment)
