"""Text to syntax tree, with all syntax errors of the file. Never raises."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from archspec.diagnostics.model import Diagnostic
from archspec.source import Source, Span
from archspec.syntax import ast, limits
from archspec.syntax.brackets import balance, beyond
from archspec.syntax.context import Context
from archspec.syntax.indented import in_braces
from archspec.syntax.layout import Layout
from archspec.syntax.lexer import Token, scan
from archspec.syntax.lexical import clean
from archspec.syntax.reader import Reader
from archspec.syntax.slices import without_slices
from archspec.syntax.targets import report_misplaced_items

VERSION = 1
"""The version of the language."""


@dataclass(frozen=True)
class ParseResult:
    """The tree of a file, `Missing` where it could not be parsed, and its syntax errors."""

    module: ast.Module
    diagnostics: tuple[Diagnostic, ...]
    unread: tuple[Span, ...] = ()
    """Skipped text between definitions that does not look like one."""


def parse(source: Source) -> ParseResult:
    """Parse a file."""
    too_large = limits.check_size(source)
    if too_large:
        return ParseResult(ast.Module(source, None, (), (), ()), (too_large,))
    context = Context(source, lambda start, end: _template(context, start, end))
    raw, comment_tokens = scan(source.text, 0, len(source.text))
    items: list[Any] = []
    tokens = _prepare(context, raw)
    if tokens is not None:
        found = Reader(context, tokens, "module").run(_recover)
        items = found if isinstance(found, list) else []
        report_misplaced_items(context)
    comments = tuple(_comment(context, token) for token in comment_tokens)
    module = _module(context, items, comments)
    faults = sorted(context.diagnostics, key=lambda item: item.sort_key)
    unread = tuple(item.span for item in items if isinstance(item, ast.Missing))
    return ParseResult(module, tuple(faults[: limits.MAX_ERRORS]), unread)


def _recover(reader: Reader) -> bool:
    """Handle a token that does not fit; the code for messages is imported only when needed."""
    from archspec.syntax.recover import recover

    return recover(reader)


def _prepare(context: Context, raw: list[Token]) -> list[Token] | None:
    """Tokens prepared for the parser; None if a limit is exceeded."""
    within = context.tokens <= limits.MAX_TOKENS
    context.tokens += len(raw) + 3
    if context.tokens > limits.MAX_TOKENS:
        if within:
            message = f"the file has more than {limits.MAX_TOKENS:,} tokens"
            fix = "split it into several files and join them with `use`"
            context.error("E0106", message, context.span(raw[-1].start, raw[-1].end), fix=fix)
        return None
    tokens = without_slices(context, clean(context, raw))
    if not _shallow(context, tokens, 16 * limits.MAX_NESTING):
        return None
    tokens = balance(context, in_braces(context, tokens))
    if not _shallow(context, tokens, limits.MAX_NESTING):
        return None
    return Layout(context.source.text, tokens).arrange()


def _shallow(context: Context, tokens: list[Token], limit: int) -> bool:
    """Whether brackets are nested no deeper than `limit`; otherwise an error is reported."""
    token = beyond(tokens, limit)
    if token is not None:
        context.error(
            "E0103",
            f"brackets are nested too deeply; at most {limits.MAX_NESTING} may be open at once",
            context.span(token.start, token.end),
            fix="give the inner parts names",
        )
    return token is None


def _template(context: Context, start: int, end: int) -> ast.Expr:
    """The expression between two offsets inside a string."""
    missing = ast.Missing(Span(context.source, start, end))
    raw, _ = scan(context.source.text, start, end)
    if not raw:
        context.error("E0112", "there is nothing between these braces", missing.span)
        return missing
    tokens = _prepare(context, raw)
    value: ast.Expr | None = Reader(context, tokens, "template").run(_recover) if tokens else None
    return value or missing


def _comment(context: Context, token: Token) -> ast.Comment:
    span = Span(context.source, token.start, token.end)
    return ast.Comment(span, span.text.rstrip(), token.first)


def _module(context: Context, items: list[Any], comments: tuple[ast.Comment, ...]) -> ast.Module:
    language: ast.Language | None = None
    uses: list[ast.Use] = []
    definitions: list[ast.Definition] = []
    docs = _docs(context.source, comments)
    for item in items:
        if isinstance(item, ast.Language):
            language = item
            _check_language(context, item, first=item is items[0])
        elif isinstance(item, ast.Use):
            uses.append(item)
        elif not isinstance(item, ast.Missing):
            doc = docs.get(item.span.line - 1, "")
            definitions.append(replace(item, doc=doc) if doc else item)
    return ast.Module(context.source, language, tuple(uses), tuple(definitions), comments)


def _check_language(context: Context, node: ast.Language, *, first: bool) -> None:
    if not first:
        context.error("E0128", "`language` is the first line of a file", node.span)
    elif node.version != VERSION:
        message = f"this version of archspec supports language {VERSION}, not {node.version}"
        context.error("E0128", message, node.span)


def _docs(source: Source, comments: tuple[ast.Comment, ...]) -> dict[int, str]:
    """The text of each run of `#` lines without the signs, by its last line."""
    runs: dict[int, list[str]] = {}
    for comment in comments:
        if comment.own_line:
            line = comment.span.line
            words = comment.text.lstrip("#").removeprefix(" ")
            runs[line] = [*runs.pop(line - 1, []), words]
    return {line: "\n".join(words) for line, words in runs.items()}
