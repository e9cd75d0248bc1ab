"""Python source as data: pieces of code, names, comments, and their conversion to text.

Lowerings use the exports of this package.
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
