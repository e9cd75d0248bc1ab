"""Fixes for images of different sizes whose convolutions and pools differ in their padding."""

from __future__ import annotations

import re
from collections.abc import Sequence

from archspec.diagnostics.model import Edit, Fix
from archspec.frozen import frozen
from archspec.ops.base import Check, OpError
from archspec.semantics.building.graph_builder import Tensor
from archspec.semantics.expansion.alignment_faults import called
from archspec.source import Span
from archspec.types.dim import Dim
from archspec.types.tensor import TensorType

_AMOUNT = r"padding\s*=\s*(?:\w+|\"\w*\")"
_PADDING = re.compile(rf",\s*{_AMOUNT}|(?<=\(){_AMOUNT},?\s*")


@frozen
class _Padded:
    """An op with half of its kernel as padding: its call, and the sizes of its result."""

    place: Span
    text: str
    sizes: tuple[Dim, ...]


def padded(inputs: Sequence[Tensor]) -> Fix | None:
    """The fix for inputs that have equal sizes if all their windows are padded by half."""
    if len(inputs) < 2 or any(item.type.rank < 3 for item in inputs):
        return None
    sizes = [item.type.shape[2:] for item in inputs]
    changed = [_by_half(item) for item in inputs]
    meant = {one.sizes if one else size for one, size in zip(changed, sizes, strict=True)}
    found = [one for one in changed if one is not None]
    if len(meant) != 1 or not found:
        return None
    edits = tuple(Edit(one.place, one.text) for one in found)
    listed = " and ".join(dict.fromkeys(f"`{one.text}`" for one in found))
    return Fix(f"they differ in padding: for equal sizes write {listed}", edits)


def _by_half(item: Tensor) -> _Padded | None:
    """The op that computes an input, with another padding; None if it cannot be changed."""
    node = item.builder.nodes[item.port.node]
    op = node.instance.op if node.instance is not None else None
    kernel, dilation = getattr(op, "kernel", None), getattr(op, "dilation", 1)
    if op is None or len(node.inputs) != 1 or "padding" not in type(op).model_fields:
        return None
    if not isinstance(kernel, int) or kernel % 2 == 0 or not isinstance(dilation, int):
        return None
    half, default = dilation * (kernel - 1) // 2, type(op).model_fields["padding"].default
    (port,) = node.inputs
    given = item.builder.nodes[port.node].types[port.index]
    try:
        result = op.derived(padding=half).infer(Check(), given)
    except (OpError, ValueError):
        return None
    place = node.origin.span
    if not isinstance(result, TensorType) or result.shape == item.type.shape:
        return None
    if called(place) != op.name or not place.text.endswith(")") or "\n" in place.text:
        return None
    text = _PADDING.sub("", place.text)
    if default != "half":
        joined = "" if text.endswith("(") else ", "
        text = f"{text[:-1].rstrip()}{joined}padding={half})"
    return _Padded(place, text, result.shape[2:])
