"""The words of the language. Only the reserved ones cannot be used as names."""

from __future__ import annotations

DEFINITION_WORDS = frozenset({"block", "network", "rule", "preset", "use", "inline", "language"})
"""Keywords at the beginning of a definition."""

FOREIGN_DEFINITIONS = frozenset(
    {"def", "class", "fn", "func", "function", "model", "struct", "module", "layer", "net"}
)
"""Words that begin a definition in other languages."""

STATEMENT_WORDS = frozenset(
    {"input", "output", "param", "buffer", "shared", "init", "draw", "tie", "assert"}
)
"""Keywords at the beginning of a statement."""

RESERVED_WORDS = frozenset({"if", "then", "else", "for", "in", "and", "or", "not"})
"""Keywords wherever an expression may be. As labels or attributes they are names."""

INFIX_WORDS = frozenset({"where", "when", "transient", "fixed"})
"""Keywords after a complete expression."""

TYPE_WORDS = frozenset({"f32", "i32", "i64", "bool", "c64"})
"""Element types, which precede a shape."""

PARAMETER_TYPES = frozenset(
    {"int", "float", "bool", "str", "layer", "init", "dim", "value", "string", "list"}
)
"""Types of parameters, and `string`."""

OPENERS = {"(": ")", "[": "]", "{": "}"}
CLOSERS = {")": "(", "]": "[", "}": "{"}

ENDS_OPERAND = frozenset({"NAME", "WORD", "NUMBER", "STRING", ")", "]", "}", "DOTS_END", "ERROR"})
"""Tokens after which an operand is complete."""
