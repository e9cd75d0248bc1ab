"""Attaches each comment to a node, so that it moves with what it belongs to.

A comment behind something on its line belongs to that; one on a line of its own to what follows.
What follows or stands before is looked for among statements, definitions, and the items of
brackets and chains: a comment in the middle of an expression moves to the nearest of these.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from archspec.syntax import ast
from archspec.syntax.visit import path_to, walk

_DEFINITIONS = (ast.BlockDef, ast.RuleClause, ast.Signature)


@dataclass(slots=True)
class Attached:
    """Comments of one node: above it, behind it; for what has brackets, at its open and its end."""

    leading: list[ast.Comment] = field(default_factory=list)
    trailing: list[ast.Comment] = field(default_factory=list)
    head: list[ast.Comment] = field(default_factory=list)
    tail: list[ast.Comment] = field(default_factory=list)


NONE = Attached()


def items(node: Any) -> tuple[Any, ...] | None:
    """The parts of a node that comments can be attached to; None if it is no container."""
    match node:
        case ast.Body():
            braced = node.span.text.startswith("{")
            return node.statements if braced else None
        case ast.ListExpr() | ast.TupleExpr():
            return node.items
        case ast.Group():
            return (node.inner,)
        case ast.Call():
            return node.arguments or None
        case ast.Index():
            return node.indices or None
        case ast.TypeExpr():
            return node.dims or None
        case ast.Chain():
            return node.stages
        case ast.Use():
            return node.names or None
        case ast.BlockDef() | ast.RuleClause() | ast.Signature():
            return node.parameters or None
        case ast.Module():
            parts = [*node.uses, *node.definitions, *([node.language] if node.language else [])]
            return tuple(sorted(parts, key=lambda part: part.span.start))
    return None


def attach(module: ast.Module) -> dict[int, Attached]:
    """Comments by the identity of the node that they belong to."""
    found: dict[int, Attached] = {}
    slots = {id(part) for node in walk(module) for part in items(node) or ()}
    for comment in module.comments:
        for node in reversed([module, *path_to(module, comment.span.start)]):
            parts = items(node)
            if parts is not None:
                _among(found, comment, node, parts)
                break
            if id(node) in slots:
                entry = found.setdefault(id(node), Attached())
                (entry.leading if comment.own_line else entry.trailing).append(comment)
                break
    return found


def _among(
    found: dict[int, Attached], comment: ast.Comment, node: Any, parts: tuple[Any, ...]
) -> None:
    """Attach a comment that stands between the parts of a node."""
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
