"""The formatter: converts text to text with the same meaning."""

from __future__ import annotations

from archspec.diagnostics.failure import CompileFailed
from archspec.fmt import expressions, statements
from archspec.fmt.check import FormatterFault, same, same_comments
from archspec.fmt.comments import attach
from archspec.fmt.definitions import module
from archspec.fmt.doc import render
from archspec.fmt.layout import Layout
from archspec.source import Source
from archspec.syntax import ast, parse

RULES = {**expressions.RULES, **statements.RULES}

_ROUNDS = 5
"""Maximum number of passes. Several are needed if a comment in the middle of an expression moves to
its end: then the expression may fit on a line."""


def format_source(source: Source) -> str:
    """The text of a file in the archspec style: indent 2, line length 100, comments kept.

    Raises `CompileFailed` for a file with syntax errors, and `FormatterFault` if the result would
    have another meaning or not be stable.
    """
    before = _parse(source)
    text, tree = source.text, before
    for _ in range(_ROUNDS):
        earlier, text = text, _layout(tree)
        if text == earlier:
            return text
        tree = _check(before, Source(source.name, text))
    raise FormatterFault(f"formatting {source.name} again gives another text each time")


def _check(before: ast.Module, formatted: Source) -> ast.Module:
    """The tree of the formatted text. Raises FormatterFault if meaning or comments differ."""
    result = parse(formatted)
    if result.diagnostics or not same(before, result.module):
        raise FormatterFault(f"formatting {formatted.name} would change its meaning")
    if not same_comments(before, result.module):
        raise FormatterFault(f"formatting {formatted.name} would lose a comment")
    return result.module


def _parse(source: Source) -> ast.Module:
    result = parse(source)
    if result.diagnostics:
        raise CompileFailed(result.diagnostics)
    return result.module


def _layout(tree: ast.Module) -> str:
    text = render(module(Layout(attach(tree), RULES), tree))
    return text + "\n" if text else ""
