"""Short texts for syntax trees, for comparisons."""

from __future__ import annotations

from typing import Any

from archspec.source import Source
from archspec.syntax import ast, parse


def show(node: Any) -> str:
    """A tree as `Class(field ...)` without locations; names and numbers as they are."""
    match node:
        case None:
            return "-"
        case bool() | str() | int() | float():
            return str(node)
        case tuple():
            return "[" + " ".join(show(item) for item in node) + "]"
        case ast.Name() | ast.NameTarget(claim=None):
            return node.text if isinstance(node, ast.Name) else node.name
        case ast.Number():
            return repr(node.value)
        case ast.Text():
            return (
                '"' + "".join(p if isinstance(p, str) else f"<{show(p)}>" for p in node.parts) + '"'
            )
        case ast.Binary():
            return f"({show(node.left)} {node.operator} {show(node.right)})"
        case ast.Chain():
            return "{" + " -> ".join(show(stage) for stage in node.stages) + "}"
        case ast.Labelled():
            label = "_" if node.label.template is None else show(node.label.template).strip('"')
            return f"{label}: {show(node.inner)}"
    fields = [name for name in node.__match_args__ if name not in ("span", "name_span", "doc")]
    return type(node).__name__ + "(" + " ".join(show(getattr(node, f)) for f in fields) + ")"


def read(text: str) -> ast.Module:
    """The syntax tree of a text without errors."""
    result = parse(Source("test.arch", text))
    assert result.diagnostics == ()
    return result.module


def statement(text: str) -> str:
    """The only statement of a body, as text."""
    (definition,) = read(f"block a {{\n{text}\n}}").definitions
    assert isinstance(definition, ast.BlockDef)
    (only,) = definition.body.statements
    return show(only)


def expression(text: str) -> str:
    """An expression, as text."""
    (definition,) = read(f"rule r() => {text}").definitions
    assert isinstance(definition, ast.RuleClause)
    return show(definition.value)
