"""Layout of bodies and statements."""

from __future__ import annotations

from typing import Any

from archspec.fmt.doc import BLANK, HARD, LINE, Doc, concat, group, join, nest
from archspec.fmt.layout import Layout, Rules
from archspec.syntax import ast


def body(p: Layout, node: ast.Body, *, whole_lines: bool = False) -> Doc:
    """A body: `{ one expression }` on one line if it fits; anything else line by line."""
    own = p.comments(node)
    if not node.statements and not own.head and not own.tail:
        return "{}"
    simple = len(node.statements) == 1 and isinstance(node.statements[0], ast.ExprStmt)
    docs = [p.item(item, p.of(item)) for item in node.statements]
    line = LINE if simple and not own.tail and not whole_lines else HARD
    inside = p.suffixes(own.head)
    for at, doc in enumerate(docs):
        if at and separated(p, node.statements[at - 1], node.statements[at]):
            inside.append(BLANK)
        inside += [line, doc]
    inside += tail(p, node, node.statements)
    return concat("{", nest(*inside), line, "}")


def tail(p: Layout, node: Any, parts: tuple[Any, ...]) -> list[Doc]:
    """The comments at the end of a node that is laid out in lines."""
    docs: list[Doc] = []
    end = end_of(p, parts[-1]) if parts else None
    for comment in p.comments(node).tail:
        if end is not None and _apart(comment.span.source.text[end : comment.span.start]):
            docs.append(BLANK)
        docs += [HARD, comment.text]
        end = comment.span.end
    return docs


def end_of(p: Layout, part: Any) -> int:
    """The offset where a part and its trailing comments end."""
    trailing = p.comments(part).trailing
    end: int = max(part.span.end, trailing[-1].span.end) if trailing else part.span.end
    return end


def start_of(p: Layout, part: Any) -> int:
    """The offset where a part and the comments above it begin."""
    leading = p.comments(part).leading
    start: int = min(part.span.start, leading[0].span.start) if leading else part.span.start
    return start


def separated(p: Layout, before: Any, after: Any) -> bool:
    """Whether the author left an empty line between two parts."""
    return _apart(before.span.source.text[end_of(p, before) : start_of(p, after)])


def _apart(between: str) -> bool:
    lines = between.split("\n")
    return any(not line.strip() for line in lines[1:-1])


# ---------------------------------------------------------------------- statements


def _expression(p: Layout, node: ast.ExprStmt) -> Doc:
    return p.of(node.value)


def _bind(p: Layout, node: ast.Bind) -> Doc:
    targets = join(", ", [p.of(target) for target in node.targets])
    return concat(targets, " = ", p.of(node.value))


def _input(p: Layout, node: ast.Input) -> Doc:
    items = [
        concat("..." if i.rest else "", i.name, *([": ", p.of(i.type)] if i.type else []))
        for i in node.items
    ]
    joined = join(concat(",", LINE), items)
    listed = nest(joined) if len(items) > 1 else joined
    return group("input ", listed, nest(*where(p, node.where), *_when(p, node.when)))


def where(p: Layout, conditions: tuple[ast.Expr, ...]) -> list[Doc]:
    """The document of ` where a, b`, empty without conditions."""
    if not conditions:
        return []
    return [
        LINE,
        group("where ", nest(join(concat(",", LINE), [p.of(item) for item in conditions]))),
    ]


def _when(p: Layout, condition: ast.Expr | None) -> list[Doc]:
    return [] if condition is None else [LINE, "when ", p.of(condition)]


def _output(p: Layout, node: ast.Output) -> Doc:
    names = f"{', '.join(node.names)} = " if node.names else ""
    return group("output ", names, p.of(node.value), nest(*_when(p, node.when)))


def _param(p: Layout, node: ast.ParamDecl) -> Doc:
    value = [] if node.init is None else [" = ", p.of(node.init)]
    end = " fixed" if node.fixed else ""
    return concat("param ", node.name, ": ", p.of(node.type), *value, end)


def _buffer(p: Layout, node: ast.BufferDecl) -> Doc:
    end = " transient" if node.transient else ""
    return concat("buffer ", node.name, ": ", p.of(node.type), " = ", p.of(node.value), end)


def _shared(p: Layout, node: ast.Shared) -> Doc:
    return concat("shared ", node.name, " = ", p.of(node.value))


def _init(p: Layout, node: ast.InitDecl) -> Doc:
    return concat("init ", node.op, ".", node.parameter, " = ", p.of(node.value))


def _draw(p: Layout, node: ast.DrawDecl) -> Doc:
    return concat("draw ", node.name, " = ", p.of(node.value))


def _tie(p: Layout, node: ast.TieDecl) -> Doc:
    return concat("tie ", p.of(node.name), " = ", p.of(node.source))


def _assert(p: Layout, node: ast.Assert) -> Doc:
    message: list[Doc] = [] if node.message is None else [",", LINE, p.of(node.message)]
    return group("assert ", p.of(node.condition), nest(*message))


RULES: Rules = {
    ast.Body: body,
    ast.ExprStmt: _expression,
    ast.Bind: _bind,
    ast.Input: _input,
    ast.Output: _output,
    ast.ParamDecl: _param,
    ast.BufferDecl: _buffer,
    ast.Shared: _shared,
    ast.InitDecl: _init,
    ast.DrawDecl: _draw,
    ast.TieDecl: _tie,
    ast.Assert: _assert,
}
