"""Converts syntax nodes with their comments to documents."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from archspec.fmt.comments import NONE, Attached
from archspec.fmt.doc import BLANK, HARD, LINE, SOFT, Choice, Doc, Suffix, concat, group, nest
from archspec.syntax import ast

Rules: TypeAlias = "Mapping[type, Callable[[Layout, Any], Doc]]"
"""The layout function for each class of node."""


class Layout:
    """Converts nodes to documents, given the comments attached to them."""

    def __init__(self, attached: dict[int, Attached], rules: Rules) -> None:
        self.attached = attached
        self.rules = rules

    def of(self, node: Any) -> Doc:
        """The document of an expression, target, body or statement, without its own comments."""
        return self.rules[type(node)](self, node)

    # -- comments ------------------------------------------------------------------------

    def comments(self, node: Any) -> Attached:
        """The comments of a node."""
        return self.attached.get(id(node), NONE)

    def commented(self, *nodes: Any) -> bool:
        """Whether a comment is attached to any of the nodes."""
        return any(id(node) in self.attached for node in nodes)

    def item(self, node: Any, doc: Doc) -> Doc:
        """An item with its comments above and after it."""
        own = self.comments(node)
        return concat(*self.above(own.leading, node), doc, *self.suffixes(own.trailing))

    @staticmethod
    def above(comments: list[ast.Comment], node: Any) -> list[Doc]:
        """Comments on the lines above a node; empty lines after them are kept."""
        docs: list[Doc] = []
        for at, comment in enumerate(comments):
            following = comments[at + 1].span if at + 1 < len(comments) else node.span
            between = comment.span.source.text[comment.span.end : following.start]
            docs += [comment.text, *([BLANK] if _has_empty_line(between) else []), HARD]
        return docs

    @staticmethod
    def suffixes(comments: list[ast.Comment]) -> list[Doc]:
        """Comments at the end of the line."""
        return [Suffix("  " + comment.text) for comment in comments]

    def brackets(
        self,
        node: Any,
        opener: str,
        docs: list[Doc],
        closer: str,
        *,
        comma: str = ",",
        pad: bool = False,
    ) -> Doc:
        """Items in brackets, on one line or one per line with trailing commas."""
        own = self.comments(node)
        if not docs and not own.head and not own.tail:
            return opener + closer
        edge = LINE if pad else SOFT
        inside = self.suffixes(own.head)
        for at, doc in enumerate(docs):
            inside += [LINE if at else edge, doc, "," if at + 1 < len(docs) else Choice(comma, "")]
        for comment in own.tail:
            inside += [HARD, comment.text]
        return group(opener, nest(*inside), edge, closer)

    def filled(self, opener: str, docs: list[Doc], closer: str) -> Doc:
        """Short items in brackets, as many per line as fit."""
        inside: list[Doc] = [SOFT, docs[0]]
        for doc in docs[1:]:
            inside += [",", group(LINE, doc)]
        return group(opener, nest(*inside), Choice(",", ""), SOFT, closer)


def _has_empty_line(between: str) -> bool:
    return any(not line.strip() for line in between.split("\n")[1:-1])
