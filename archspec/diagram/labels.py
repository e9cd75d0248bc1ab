"""What drawings say about ops and blocks: a call as it would be written, made short.

Numbers have four digits: `p=0.01818` says enough.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice, takewhile
from typing import Any

from archspec.graph.model import Graph, Region
from archspec.ops.base import Op
from archspec.types.dim import Dim
from archspec.types.initialiser import Initialiser

WIDEST = 44
"""Characters in one line of a label."""


def op_text(op: Op, regions: Sequence[Region] = ()) -> str:
    """`conv(64, 3, stride=2)`: required attributes by position, then those not at their default.

    Layers that the op holds stand first: `scan(cell, axis=1)`.
    """
    parts: list[str] = [region.graph.name for region in regions]
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
    """`bottleneck(64, 2)`: the name with its first arguments, as far as they are numbers.

    `frozen(resnet50)` where it does not learn.
    """
    shown = list(islice(takewhile(_is_number, graph.arguments.values()), 2))
    text = f"{graph.name}({', '.join(_value(value) for value in shown)})" if shown else graph.name
    return shortened(f"frozen({text})" if graph.frozen else text)


def key_text(key: str, name: str) -> str:
    """The label of an instance, unless it only repeats the name of its op or block.

    Of a long one the end is kept: labels that begin alike differ there.
    """
    plain = key == name or (key.startswith(name + "_") and key[len(name) + 1 :].isdecimal())
    return "" if plain else shortened(key[::-1], 24)[::-1]


def shortened(text: str, most: int = WIDEST) -> str:
    """A text cut to fit, with its control characters made visible."""
    text = "".join(c if c.isprintable() else "·" for c in text)
    return text if len(text) <= most else text[: most - 1] + "…"


def _is_number(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return len(value) <= 4 and all(_is_number(item) for item in value)
    return isinstance(value, (int, float, Dim)) and not isinstance(value, bool)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value if value.isidentifier() else f'"{value}"'
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={_value(item)}" for name, item in value.items())
    return str(value)
