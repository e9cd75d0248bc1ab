"""Checks on every formatted file: the same meaning, the same comments."""

from __future__ import annotations

from typing import Any

from archspec.source import Span
from archspec.syntax import ast


class FormatterFault(RuntimeError):
    """The formatter would have changed a file's meaning or was unstable: a bug in archspec."""


def same(before: Any, after: Any) -> bool:
    """Whether two trees are equal except for spans and parentheses that `fmt` adds."""
    before, after = _bare(before), _bare(after)
    if isinstance(before, tuple):
        return (
            isinstance(after, tuple)
            and len(before) == len(after)
            and all(same(a, b) for a, b in zip(before, after, strict=True))
        )
    if isinstance(before, Span):
        return True
    if type(before) is not type(after):
        return False
    if not hasattr(before, "__match_args__"):
        return bool(before == after)
    names = [name for name in before.__match_args__ if name not in ("source", "comments")]
    return all(same(getattr(before, name), getattr(after, name)) for name in names)


def _bare(node: Any) -> Any:
    """A chain with its stages stripped of parentheses that only show how `->` binds."""
    if not isinstance(node, ast.Chain):
        return node
    stages = tuple(
        stage.inner
        if isinstance(stage, ast.Group)
        and isinstance(stage.inner, ast.Binary | ast.Unary | ast.IfValue | ast.Range)
        else stage
        for stage in node.stages
    )
    return ast.Chain(node.span, stages)


def same_comments(before: ast.Module, after: ast.Module) -> bool:
    """Whether no comment was lost or duplicated."""
    return sorted(c.text for c in before.comments) == sorted(c.text for c in after.comments)
