"""Python source as data: pieces of code, names, comments, and how they become text.

Lowerings are written with what this package itself exports.
"""

from __future__ import annotations

from archspec_torch.code.pieces import (
    Argument,
    Call,
    Code,
    Hole,
    Quoted,
    call,
    code,
    element,
    keyword,
    listing,
    positional,
)
from archspec_torch.code.text import literal

__all__ = [
    "Argument",
    "Call",
    "Code",
    "Hole",
    "Quoted",
    "call",
    "code",
    "element",
    "keyword",
    "listing",
    "literal",
    "positional",
]
