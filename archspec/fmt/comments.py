"""Attaches each comment to a node, so that it moves with that node.

A comment at the end of a line belongs to the node before it; a comment on its own line to the node
after it. Only statements, definitions, and the items of brackets and chains can own comments; a
comment in the middle of an expression moves to the nearest of these.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from archspec.syntax import ast
from archspec.syntax.visit import path_to, walk


@dataclass(slots=True)
class Attached:
    """Comments of one node: above it, after it, and inside its brackets at the start and the end.

    `apart` holds comments in the header of a definition: directly above it they would document it.
    """

    leading: list[ast.Comment] = field(default_factory=list)
    trailing: list[ast.Comment] = field(default_factory=list)
    head: list[ast.Comment] = field(default_factory=list)
    tail: list[ast.Comment] = field(default_factory=list)
    apart: list[ast.Comment] = field(default_factory=list)


NONE = Attached()


def _definitions(node: ast.Module) -> tuple[Any, ...]:
    parts = [*node.uses, *node.definitions, *([node.language] if node.language else [])]
    return tuple(sorted(parts, key=lambda part: part.span.start))


_ITEMS: dict[type, Callable[[Any], tuple[Any, ...] | None]] = {
    # the `else` of an `else if` has no braces of its own
    ast.Body: lambda node: node.statements if node.span.text.startswith("{") else None,
    ast.ListExpr: lambda node: node.items,
    ast.TupleExpr: lambda node: node.items,
    ast.Group: lambda node: (node.inner,),
    ast.Call: lambda node: node.arguments or None,
    ast.Index: lambda node: node.indices or None,
    ast.TypeExpr: lambda node: node.dims or None,
    ast.Chain: lambda node: node.stages,
    ast.Use: lambda node: node.names or None,
    ast.BlockDef: lambda node: node.parameters or None,
    ast.RuleClause: lambda node: node.parameters or None,
    ast.Signature: lambda node: node.parameters or None,
    ast.Module: _definitions,
}


def items(node: Any) -> tuple[Any, ...] | None:
    """The parts of a node that comments can be attached to; None if it is not a container."""
    parts = _ITEMS.get(type(node))
    return parts(node) if parts else None


def _slots(node: Any) -> tuple[Any, ...]:
    """The parts that can own a comment inside them.

    The first stage of a chain cannot: other code may precede it on its line.
    """
    parts = items(node) or ()
    return parts[1:] if isinstance(node, ast.Chain) else parts


def attach(module: ast.Module) -> dict[int, Attached]:
    """The comments of each node, by the id of the node."""
    found: dict[int, Attached] = {}
    slots = {id(part) for node in walk(module) for part in _slots(node)}
    top = {id(part) for part in items(module) or ()}
    for comment in module.comments:
        for node in reversed([module, *path_to(module, comment.span.start)]):
            parts = items(node)
            if isinstance(node, ast.Chain) and comment.span.start < node.stages[0].span.end:
                continue
            if parts is not None:
                _among(found, comment, node, parts)
                break
            if id(node) in slots:
                entry = found.setdefault(id(node), Attached())
                above = entry.apart if id(node) in top else entry.leading
                (above if comment.own_line else entry.trailing).append(comment)
                break
    for key, entry in found.items():
        # a line has room for one comment at its end
        (entry.apart if key in top else entry.leading).extend(entry.trailing[:-1])
        del entry.trailing[:-1]
    return found


def _among(
    found: dict[int, Attached], comment: ast.Comment, node: Any, parts: tuple[Any, ...]
) -> None:
    """Attach a comment that is between the parts of a node."""
    before = [part for part in parts if part.span.end <= comment.span.start]
    after = [part for part in parts if part.span.start >= comment.span.end]
    if not comment.own_line and before and _ends_on_line(before[-1], comment):
        found.setdefault(id(before[-1]), Attached()).trailing.append(comment)
    elif not comment.own_line and not before and not isinstance(node, ast.Module):
        found.setdefault(id(node), Attached()).head.append(comment)
    elif after:
        found.setdefault(id(after[0]), Attached()).leading.append(comment)
    else:
        found.setdefault(id(node), Attached()).tail.append(comment)


def _ends_on_line(part: Any, comment: ast.Comment) -> bool:
    span = part.span
    between = span.source.text[span.end : comment.span.start]
    return "\n" not in between
