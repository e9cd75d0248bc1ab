"""The words of the language. Only the reserved ones cannot be used as names."""

from __future__ import annotations

DEFINITION_WORDS = frozenset({"block", "network", "rule", "preset", "use", "inline", "language"})
"""Keywords at the beginning of a definition."""

FOREIGN_DEFINITIONS = frozenset(
    {"def", "class", "fn", "func", "function", "model", "struct", "module"}
)
"""Words at the beginning of a definition in other languages."""

STATEMENT_WORDS = frozenset(
    {"input", "output", "param", "buffer", "shared", "init", "draw", "tie", "assert"}
)
"""Keywords at the beginning of a statement."""

RESERVED_WORDS = frozenset({"if", "then", "else", "for", "in", "and", "or", "not"})
"""Keywords wherever an expression may stand. As a label or attribute they are names."""

INFIX_WORDS = frozenset({"where", "when", "transient"})
"""Keywords behind something complete."""

TYPE_WORDS = frozenset({"f32", "i32", "i64", "bool", "c64"})
"""What stands in front of a shape, as the type of its elements."""

OPENERS = {"(": ")", "[": "]", "{": "}"}
CLOSERS = {")": "(", "]": "[", "}": "{"}

ENDS_OPERAND = frozenset({"NAME", "WORD", "NUMBER", "STRING", ")", "]", "}", "DOTS_END", "ERROR"})
"""Tokens after which an operand is complete."""
