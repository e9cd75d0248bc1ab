"""Fixes for ops that work along another axis than the one that is meant.

`split(3)` of [B, N, 30] divides N; a convolution of [B, N, 64] takes N for the channels.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from archspec.diagnostics.model import Edit, Fix
from archspec.ops.base import Op
from archspec.semantics.building.graph_builder import Tensor
from archspec.semantics.expansion.alignment_faults import aligned, called, shape_text
from archspec.semantics.expansion.padding_faults import padded
from archspec.semantics.values.model import Environment, OpLayer
from archspec.source import Span
from archspec.types.dim import ONE
from archspec.types.tensor import TensorType


def channels_last(op: Op, layer: OpLayer, inputs: Sequence[Tensor], span: Span) -> Fix | None:
    """The fix for an op that needs channels on axis 1, on data whose channels may be last."""
    x = inputs[0]
    if x.type.rank < 3 or "axis" in type(op).model_fields or layer.op.inferred is None:
        return None
    if op.category in _SEQUENCES:
        return _channels_first(op, x, span)
    is_input = x.builder.nodes[x.port.node].is_input
    if is_input and all(size.constant is None for size in x.type.shape[1:]):
        return _no_channels(op, x, span)
    if x.type.rank > 3 and is_input:
        return _declared_first(x) if _is_last(x.type) else None
    return _transposed(op, x.type, span) if _is_last(x.type) else None


_SEQUENCES = ("recurrent", "attention")
"""Categories of ops that take the channels last."""


def _channels_first(op: Op, x: Tensor, span: Span) -> Fix | None:
    """The fix for a recurrent layer or attention on [B, C, T]."""
    if x.type.rank != 3 or x.type.shape[1].constant is None or x.type.shape[2].constant is not None:
        return None
    name = called(span)
    call = span.text if name and len(span.text) <= 40 and "\n" not in span.text else op.name
    edits = () if not name or _is_labelled(span) else (Edit(span, f"transpose(1, 2) -> {call}"),)
    words = f"`{op.name}` takes the channels last, [B, T, C]: write `transpose(1, 2) -> {call}`"
    return Fix(words, edits)


def _declared_first(x: Tensor) -> Fix | None:
    """The declaration of an image with its channels on axis 1; None if its sizes are not listed."""
    place = x.builder.nodes[x.port.node].origin.span
    found = re.search(r":[^\[]*\[([^\[\](){}]*)\]", place.text)
    sizes = [size.strip() for size in found[1].split(",")] if found is not None else []
    if found is None or len(sizes) != x.type.rank or "..." in found[1]:
        return None
    order = ", ".join((sizes[0], sizes[-1], *sizes[1:-1]))
    written = Span(place.source, place.start + found.start(1), place.start + found.end(1))
    is_of_network = "=" in found[1]  # else its callers have their channels last, too
    edits = (Edit(written, order),) if is_of_network else ()
    return Fix(f"channels are on axis 1: declare the input as `[{order}]`", edits)


def _no_channels(op: Op, x: Tensor, span: Span) -> Fix:
    """The fix for an input whose axes are all free, so that none of them can be the channels."""
    name = called(span)
    call = span.text if name and len(span.text) <= 40 and "\n" not in span.text else op.name
    edits = () if not name or _is_labelled(span) else (Edit(span, f"unsqueeze(1) -> {call}"),)
    words = (
        f"`{x.type}` has no axis of channels: declare one, `[B = 1, 1, ..]` for one channel, or "
        f"write `unsqueeze(1) -> {call}`"
    )
    return Fix(words, edits)


def integers_declared(inputs: Sequence[Tensor]) -> Fix | None:
    """The declaration of an input of a network with integers, for an op that takes no floats."""
    for item in inputs:
        node = item.builder.nodes[item.port.node]
        place = node.origin.span
        found = re.search(r":\s*(f32)\b", place.text) if node.is_input else None
        if found is not None and item.type.dtype.is_float:
            start = place.start + found.start(1)
            edit = Edit(Span(place.source, start, start + 3), "i64")
            name = place.text[: found.start()].strip()
            return Fix(f"declare integers: `{name}: i64[..]`", (edit,))
    return None


def axis_meant(
    op: Op, explicit: frozenset[str], inputs: Sequence[Tensor], span: Span, place: Environment
) -> Fix | None:
    """The fix for an op that does not fit its inputs along the axis where it works, if any fits.

    `place` has the names that are visible where the op is written.
    """
    types = [item.type for item in inputs]
    if not types:
        return None
    if (meant := aligned(op, inputs, span, place)) is not None:
        return meant
    if op.category in ("merge", "arithmetic") and (paddings := padded(inputs)) is not None:
        return paddings
    if op.name == "concat" and (other := _expanded(op, types) or _joined(op, types, span)):
        return other
    fields = type(op).model_fields
    if any(one.rank < 3 or one.rank != types[0].rank for one in types):
        return None
    if "axis" in fields and "axis" not in explicit:
        return _other_axis(op, types, span)
    return _without_axis(op, types[0], span) if "axis" in fields else None


def _without_axis(op: Op, x: TensorType, span: Span) -> Fix | None:
    """`batch_norm(axis=-1)` of Keras, where channels are last, without the axis."""
    axis, default = getattr(op, "axis", None), type(op).model_fields["axis"].default
    if default != 1 or axis not in (-1, x.rank - 1) or x.shape[1].constant is None:
        return None
    if x.shape[-1].constant is not None:
        return None
    given = re.search(r",?\s*\baxis\s*=\s*-?\d+\s*|\(\s*-?\d+\s*(?=\))", span.text)
    rest = ""
    if given is not None and called(span):
        rest = span.text[: given.start()] + span.text[given.end() :]
        rest = rest.replace("(, ", "(").removesuffix("()")
    edits = (Edit(span, rest),) if rest.count("(") == rest.count(")") and rest else ()
    return Fix(f"channels are on axis 1, the default: write `{rest or op.name}`", edits)


def _expanded(op: Op, types: Sequence[TensorType]) -> Fix | None:
    """A size of 1 that `concat` does not broadcast, as of a class token for each of a batch."""
    axis = getattr(op, "axis", 1)
    if len(types) != 2 or types[0].rank != types[1].rank or not isinstance(axis, int):
        return None
    one, other = (item.shape for item in types)
    if ONE in other and ONE not in one:
        one, other = other, one
    sizes = ["-1"] * len(one)
    for at, (size, new) in enumerate(zip(one, other, strict=True)):
        if size != new and at != axis % len(one):
            if size != ONE:
                return None
            sizes[at] = str(new)
    if all(size == "-1" for size in sizes):
        return None
    how = f"`-> expand({', '.join(sizes)})` after {shape_text(one)}"
    return Fix(f"`concat` does not repeat an axis of size 1: write {how}")


def _joined(op: Op, types: Sequence[TensorType], span: Span) -> Fix | None:
    """The axis along which inputs of `concat` differ, if that is a single one."""
    first, axis = types[0], getattr(op, "axis", 1)
    if any(one.rank != first.rank for one in types):
        return None
    differ = {
        at
        for one in types
        for at, (size, other) in enumerate(zip(one.shape, first.shape, strict=True))
        if size != other
    }
    if len(differ) != 1 or differ == {axis % first.rank}:
        return None
    (at,) = differ
    written = "concat" if at == 1 else f"concat(axis={at})"
    what = "; channels are on axis 1" if at == 1 and first.rank > 2 else ""
    edits = (Edit(span, written),) if called(span) == "concat" else ()
    return Fix(f"they differ on axis {at} only{what}: write `{written}`", edits)


def _is_last(x: TensorType) -> bool:
    """Whether only the last axis can be that of the channels."""
    return x.shape[-1].constant is not None and x.shape[1].constant is None


def _other_axis(op: Op, types: Sequence[TensorType], span: Span) -> Fix | None:
    """The same call with an `axis`, for a default axis that does not fit."""
    default = type(op).model_fields["axis"].default
    x = types[0]
    if default == 1 and (x.shape[-1].constant is not None and _fits(op, types)):
        axis = -1
    elif default == -1 and x.shape[1].constant is not None and x.shape[-1].constant is None:
        axis = 1
    else:
        return None
    name = called(span)
    written = f"{name or op.name}(axis={axis})"
    edits: tuple[Edit, ...] = ()
    if name and span.text.endswith(")"):
        inside = span.text[:-1].rstrip().rstrip(",")
        joined = "" if inside.endswith("(") else ", "
        written = f"{inside}{joined}axis={axis})"
    if name:
        edits = (Edit(span, written),)
    if len(written) > 60 or "\n" in written:
        written = f"{name or op.name}(.., axis={axis})"
    words = (
        f"`{op.name}` works along axis 1 by default; for the last axis write `{written}`"
        if axis == -1
        else f"`{op.name}` works along the last axis by default; for channels on axis 1 write "
        f"`{written}`"
    )
    return Fix(words, edits)


def _fits(op: Op, types: Sequence[TensorType]) -> bool:
    """Whether the op fits along the last axis, as far as its sizes show."""
    x = types[0]
    parts = getattr(op, "parts", None)
    if isinstance(parts, int):
        return (x.shape[-1].constant or 1) % parts == 0
    if isinstance(parts, tuple):
        sizes = [one for one in parts if isinstance(one, int)]
        return len(sizes) == len(parts) and sum(sizes) == x.shape[-1].constant
    if len(types) > 1:
        return all(one.shape[:-1] == x.shape[:-1] for one in types)
    return _is_last(x)


def _transposed(op: Op, x: TensorType, span: Span) -> Fix:
    """The call between two transpositions, for channels on the last axis."""
    there = "transpose(1, 2)"
    back = there
    if x.rank > 3:
        spatial = range(1, x.rank - 1)
        there = f"permute({', '.join(map(str, (0, x.rank - 1, *spatial)))})"
        back = f"permute({', '.join(map(str, (0, *range(2, x.rank), 1)))})"
    name = called(span)
    call = span.text if name and len(span.text) <= 40 and "\n" not in span.text else op.name
    words = f"channels are on axis 1; if those of `{x}` are last, write `{there} -> {call}"
    edits = (
        () if not name or _is_labelled(span) else (Edit(span, f"{there} -> {span.text} -> {back}"),)
    )
    return Fix(f"{words} -> {back}`", edits)


_LABEL = re.compile(r"(?:\w|\")[ ]*:\s*\Z")


def _is_labelled(span: Span) -> bool:
    return _LABEL.search(span.source.text[max(0, span.start - 80) : span.start]) is not None
