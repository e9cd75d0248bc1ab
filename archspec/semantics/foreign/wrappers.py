"""Layers of Keras around another layer that are attributes here, or not needed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol, TypeVar

from archspec.semantics.foreign.call_text import path_of
from archspec.syntax import ast

BOTH_WAYS, EACH_STEP = "Bidirectional", "TimeDistributed"


class _Written(Protocol):
    """A call in the notation of specs."""

    @property
    def text(self) -> str:
        """The text."""

    @property
    def op(self) -> str:
        """The op that is called."""


Found = TypeVar("Found", bound=_Written)


def unwrapped(node: ast.Call, rewrite: Callable[[ast.Call], Found | None]) -> Found | None:
    """`Bidirectional(LSTM(64))` and `TimeDistributed(Dense(4))`; None if it is something else.

    `rewrite` writes the layer inside in the notation of specs.
    """
    path = path_of(node.function)
    if not path or path[-1] not in (BOTH_WAYS, EACH_STEP) or not node.arguments:
        return None
    layer = node.arguments[0].value
    inner = rewrite(layer) if isinstance(layer, ast.Call) else None
    if inner is None:
        return None
    if path[-1] == EACH_STEP:
        return inner if inner.op == "linear" else None
    if inner.op not in ("lstm", "gru") or not inner.text.endswith(")"):
        return None
    text = f"{inner.text[:-1]}, bidirectional=true)"
    return replace(inner, text=text)  # type: ignore[type-var]


def message(name: str, op: str) -> str:
    """What the message about such a call says."""
    if name.rpartition(".")[2] == BOTH_WAYS:
        return f"there is no `{name}` here: both directions are an attribute of `{op}`"
    return f"there is no `{name}` here: `{op}` works on the last axis of any tensor"
