"""The formatter: text to text, with the same meaning."""

from __future__ import annotations

from archspec.diagnostics.model import CompileFailed
from archspec.fmt.check import FormatterFault, same, same_comments
from archspec.fmt.comments import attach
from archspec.fmt.definitions import module
from archspec.fmt.doc import render
from archspec.fmt.expressions import Layout
from archspec.source import Source
from archspec.syntax import ast, parse

WIDTH = 100
"""Characters of a line, where that is possible."""


def format_source(source: Source) -> str:
    """The text of a file in archspec's one style: two spaces, lines of 100, comments kept.

    Raises `CompileFailed` for a file with syntax errors, `FormatterFault` rather than giving back
    a text that means something else or would be formatted differently again.
    """
    before = _parse(source)
    text = _layout(before)
    formatted = Source(source.name, text)
    result = parse(formatted)
    if result.diagnostics or not same(before, result.module):
        raise FormatterFault(f"formatting {source.name} would change what it means")
    if not same_comments(before, result.module):
        raise FormatterFault(f"formatting {source.name} would lose a comment")
    if _layout(result.module) != text:
        raise FormatterFault(f"formatting {source.name} twice gives another text")
    return text


def _parse(source: Source) -> ast.Module:
    result = parse(source)
    if result.diagnostics:
        raise CompileFailed(result.diagnostics)
    return result.module


def _layout(tree: ast.Module) -> str:
    text = render(module(Layout(attach(tree)), tree), WIDTH)
    return text + "\n" if text else ""
