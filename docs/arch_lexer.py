"""Colours of `.arch` code on the site."""

from __future__ import annotations

from pygments.lexer import RegexLexer, bygroups, words
from pygments.token import Comment, Keyword, Name, Number, Operator, Punctuation, String, Text

__all__ = ["ArchLexer"]  # where Pygments looks

KEYWORDS = (
    "language use block network rule preset inline input output param buffer shared init draw "
    "assert for in if then else where when and or not transient fixed"
)
TYPES = "int float bool str layer list f32 i64 i32 c64"


class ArchLexer(RegexLexer):
    """A lexer for Pygments; good enough to read by."""

    name = "arch"
    aliases = ("arch",)
    filenames = ("*.arch",)
    tokens = {  # noqa: RUF012  (as Pygments wants it)
        "root": [
            (r"#.*$", Comment.Single),
            (r'"[^"\n]*"', String),
            (
                r"([A-Za-z_]\w*)(\s*:)(?!\s*(?:\w*\[|\w+\s*[=,)]))",
                bygroups(Name.Label, Punctuation),
            ),
            (words(KEYWORDS.split(), prefix=r"\b", suffix=r"\b"), Keyword),
            (words(("true", "false"), prefix=r"\b", suffix=r"\b"), Keyword.Constant),
            (words(TYPES.split(), prefix=r"\b", suffix=r"\b"), Keyword.Type),
            (r"[A-Za-z_]\w*(?=\()", Name.Function),
            (r"[A-Za-z_]\w*", Name),
            (r"\d[\d_]*(?:\.\d+)?(?:[eE][-+]?\d+)?", Number),
            (r"->|=>|\.\.\.?|\*\*|//|[-+*/%=<>!]=?", Operator),
            (r"[()\[\]{},.:]", Punctuation),
            (r"\s+", Text),
        ]
    }
