"""What drawings say about ops and blocks: a call as it would be written, made short."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archspec.graph.model import Graph
from archspec.ops.base import Op
from archspec.types.dim import Dim
from archspec.types.initialiser import Initialiser

WIDEST = 34
"""Characters in one line of a label."""


def op_text(op: Op) -> str:
    """`conv(64, 3, stride=2)`: required attributes by position, then those not at their default."""
    parts: list[str] = []
    positional = True
    for name, field in type(op).model_fields.items():
        value = getattr(op, name)
        if field.is_required() and positional:
            parts.append(_value(value))
            continue
        positional = False
        if field.is_required() or value != field.get_default(call_default_factory=True):
            if isinstance(value, Initialiser) or name in op.regions:
                continue
            parts.append(f"{name}={_value(value)}")
    return shortened(f"{op.name}({', '.join(parts)})" if parts else op.name)


def block_text(graph: Graph) -> str:
    """`bottleneck(64, stride=2)`: the name with those arguments that are numbers or words."""
    shown = [_value(value) for value in graph.arguments.values() if _is_plain(value)]
    return shortened(f"{graph.name}({', '.join(shown)})" if shown else graph.name)


def shortened(text: str, most: int = WIDEST) -> str:
    """A text cut to fit, with its control characters made visible."""
    text = "".join(c if c.isprintable() else "·" for c in text)
    return text if len(text) <= most else text[: most - 1] + "…"


def _is_plain(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return len(value) <= 4 and all(_is_plain(item) for item in value)
    return isinstance(value, (bool, int, float, str, Dim))


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, str):
        return value if value.isidentifier() else f'"{value}"'
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={_value(item)}" for name, item in value.items())
    return str(value)
