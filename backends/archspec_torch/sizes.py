"""Symbolic sizes as variables of Python."""

from __future__ import annotations

from archspec.graph.codegen.demand import is_flag
from archspec_torch.names import KEYWORDS, TAKEN
from archspec_torch.prelude import helper_names


def size_variable(symbol: str) -> str:
    """A symbol as a variable of generated code, whose own names it may not hide.

    Two symbols never become the same. None begins with `__`, for which Python and TorchScript have
    rules of their own.
    """
    if symbol.startswith("__"):
        return f"size{symbol}"
    base = symbol.rstrip("_")
    kept = base in TAKEN or base in KEYWORDS or base in helper_names() or is_flag(base)
    return f"{symbol}_" if kept else symbol
