"""Attributes in PyTorch's order, with the intended call as a fix.

In PyTorch the number of input channels is first, `nn.Conv2d(3, 64, 3)`; here it is inferred.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pydantic import ValidationError

from archspec.diagnostics.model import Edit, Fix, Severity
from archspec.diagnostics.wording import counted
from archspec.graph.model import Region
from archspec.ops.base import Op
from archspec.semantics.arguments.refused_calls import INFERRED
from archspec.semantics.building.graph_builder import Tensor
from archspec.semantics.program.op_attributes import attribute_names, positional, with_comma
from archspec.semantics.values.context import Context, Reported, SpecError
from archspec.semantics.values.model import (
    Given,
    ListValue,
    OpLayer,
    Value,
    has_poison,
    tensors,
)
from archspec.source import Span


def too_many(context: Context, layer: OpLayer, item: Given, data: Value) -> SpecError:
    """The error for a surplus positional attribute `item`, with a fix."""
    if has_poison(item.value):
        return Reported()
    op, order = layer.op, positional(layer.op)
    takes, named = counted(len(order), "attribute"), attribute_names(op)[len(order) :]
    how = f"{takes}{' by position' if named else ''}, and this is one too many"
    if named and not order:
        how = "its attributes by name only"
    if not order and not named:
        how = "no attributes"
    notes = [INFERRED] if op.inferred is not None else []
    written = [one for one in layer.given if one.name is None]
    place, channels = item.span, _channels_in(op, written, data)
    if channels is not None and order and len(written) == len(order) + 1:
        place, how = channels.span, f"{takes} by position, and this is the number of channels"
    if named:
        notes.append(f"its keyword arguments are {', '.join(named)}")
    return context.error(
        "E0303",
        f"`{op.name}` takes {how}",
        place,
        notes=tuple(notes),
        fix=op.instead_of("") or _as_written_here(layer, data),
    )


def _as_written_here(layer: OpLayer, data: Value) -> Fix | None:
    """A fix that removes the number of input channels, and adds names where they are needed."""
    op, order = layer.op, positional(layer.op)
    given = [item for item in layer.given if item.name is None]
    if not attribute_names(op):
        return _without_attributes(op, given)
    taken = {item.name for item in layer.given} | {*order}
    if len({item.span for item in given}) < len(given):
        return None  # several from one `...list`
    words, edits = [], []
    if (channels := _channels_in(op, given, data)) is not None:
        given.remove(channels)
        edits.append(Edit(with_comma(channels.span), ""))
        words.append(f"remove the number of channels, `{channels.span.text}`")
    for item in given[len(order) :]:
        free = (name for name in attribute_names(op) if name not in taken)
        name = next((name for name in free if _fits(op, name, item.value)), None)
        if name is None:
            return None
        taken.add(name)
        edits.append(Edit(Span(item.span.source, item.span.start, item.span.start), f"{name}="))
        words.append(f"give `{name}` by name")
    return Fix(" and ".join(words), tuple(edits))


def _without_attributes(op: type[Op], given: Sequence[Given]) -> Fix:
    """`relu(true)`, in place in PyTorch, as `relu`."""
    is_bool = all(isinstance(item.value, bool) for item in given)
    words = "there are no in-place operations: write" if is_bool else "write"
    place = given[0].span
    whole = Span(place.source, place.start - 1, place.end + 1)
    edits = (Edit(whole, ""),) if len(given) == 1 and whole.text == f"({place.text})" else ()
    return Fix(f"{words} `{op.name}`", edits)


def _channels_in(op: type[Op], given: Sequence[Given], data: Value) -> Given | None:
    """The positional attribute that is probably the number of input channels."""
    meant = op.position_of_channels([item.value for item in given])
    at = op.inferred if meant is None else meant
    first = len(positional(op))
    if at is None or at >= len(given):
        return None
    item, names = given[at], attribute_names(op)
    value = item.value
    if isinstance(value, ListValue) and len(value.items) == 1:
        value = value.items[0]  # as in `nn.LayerNorm([768])`
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    if value in _channels(data):
        return item
    small = at >= first and abs(value) < _rank(data)
    fits = first < len(names) and _fits(op, names[first], given[first].value)
    return None if small or (fits and at < first) else item


def _channels(data: Value) -> set[int]:
    """Possible numbers of input channels, for either position of the axis in the first input."""
    shape = next((item.type.shape for item in tensors(data)), ())
    sizes = [shape[axis].constant for axis in (1, -1)] if len(shape) > 1 else []
    return {size for size in sizes if size is not None}


def _rank(data: Value) -> int:
    return next((item.type.rank for item in tensors(data)), 0)


def _fits(op: type[Op], name: str, value: Value) -> bool:
    """Whether the attribute accepts a value of this kind."""
    try:
        op.model_validate({name: value})
    except ValidationError as error:
        return all(detail["loc"][:1] != (name,) for detail in error.errors())
    return True


# ---------------------------------------------------------------------- patterns

_COMPACT = re.compile(r'"([a-zA-Z]{2,}(?:,[ ]*[a-zA-Z]+)*)[ ]*->[ ]*([a-zA-Z]*)"')


def with_separated_letters(place: Span) -> Fix | None:
    """The fix for `"bnd,de->bne"`: a word is the name of one axis, so letters are separated."""
    found = _COMPACT.fullmatch(place.text)
    if found is None:
        return None
    inputs = ", ".join(" ".join(one.strip()) for one in found[1].split(","))
    written = f'"{inputs} -> {" ".join(found[2])}"'
    return Fix(f"a word names one axis: write `{written}`", (Edit(place, written),))


# ---------------------------------------------------------------------- recurrence


def warn_of_no_state(
    context: Context, op: Op, inputs: Sequence[Tensor], regions: Sequence[Region], span: Span
) -> None:
    """Warn (W0302) if a scan has no state, and the cell in it begins each step with zeros."""
    if getattr(op, "sequences", None) != len(inputs):
        return
    for region in regions:
        for node in region.graph.nodes:
            cell = node.instance.op if node.instance is not None else None
            if cell is None or not cell.over_sequence or len(node.inputs) > 1:
                continue
            warning = context.error(
                "W0302",
                f"`{op.name}` has no state here, so `{cell.name}` starts with zeros at each step",
                span,
                notes=(f"a state is a further input: `(x, h) -> {op.name}(..)`",),
                fix=f"for a whole sequence write `{cell.over_sequence}`",
                severity=Severity.WARNING,
            )
            context.session.report(warning)
            return


# ---------------------------------------------------------------------- amounts of padding


def amounts_here(value: object, span: Span) -> Fix | None:
    """The amounts of `pad` for those of PyTorch, `[left, right, top, bottom]`, or of NumPy.

    PyTorch counts axes from the last one, NumPy has a pair for each axis.
    """
    if isinstance(value, ListValue):
        value = value.items
    if not isinstance(value, tuple):
        if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
            return None
        return _amounts(
            [(2, value, value), (3, value, value)], span, "the same on each side of an image"
        )
    items = [one.items if isinstance(one, ListValue) else one for one in value]
    if all(isinstance(one, int) for one in items) and len(items) % 2 == 0:
        pairs = [*zip(items[::2], items[1::2], strict=True)]
        listed = [(-at, *pair) for at, pair in enumerate(pairs, start=1)]
        return _amounts(listed[::-1], span, "PyTorch's order, from the last axis backwards,")
    if all(isinstance(one, tuple) and len(one) == 2 for one in items):
        return _amounts(
            [(at, *pair) for at, pair in enumerate(items)],
            span,
            "a pair for each axis, as in NumPy,",
        )
    return None


def _amounts(listed: Sequence[tuple[object, ...]], span: Span, what: str) -> Fix | None:
    kept = [one for one in listed if any(one[1:])]
    inside = ", ".join(f"({', '.join(map(str, one))})" for one in kept)
    if not kept or any(not isinstance(number, int) for one in kept for number in one):
        return None
    written = f"[{inside}]"
    edits = (Edit(span, written),) if "=" not in span.text else ()
    return Fix(f"{what} is written `pad({written})` here", edits)


# ---------------------------------------------------------------------- convolutions


LARGE = 10
"""From this size on, kernels that keep the number of channels are rare."""


def warn_of_channels(
    context: Context, layer: OpLayer, op: Op, inputs: Sequence[Tensor], span: Span
) -> None:
    """Warn (W0301) if `conv(3, 64, 3)` on 3 channels is a kernel of 64 with stride 3."""
    if op.inferred != 0 or positional(layer.op)[1:3] != ("kernel", "stride"):
        return
    given = [item for item in layer.given if item.name is None][:3]
    if len(given) == 2 and len(layer.given) == 2:
        _warn_of_missing_kernel(context, op, inputs[0], span)
    if len(given) < 3 or not _reads_as_torch(op, inputs[0]):
        return
    width, kernel, stride = (item.value for item in given)
    written = all(item.span.text == str(item.value) for item in given[:2])
    warning = context.error(
        "W0301",
        f"`{op.name}` has a kernel of {kernel} and stride {_first(stride)} here, "
        f"and as many output channels as input channels, {width}",
        span,
        notes=(INFERRED, "if this is intended, give `stride` by name"),
        fix=Fix(
            f"for {kernel} channels and a kernel of {_first(stride)}, remove the {width}",
            (Edit(with_comma(given[0].span), ""),) if written else (),
        ),
        severity=Severity.WARNING,
    )
    context.session.report(warning)


def _warn_of_missing_kernel(context: Context, op: Op, x: Tensor, span: Span) -> None:
    """Warn if `conv(3, 64)` on 3 channels is a kernel of 64."""
    width, kernel = (getattr(op, name) for name in ("width", "kernel"))
    if not isinstance(kernel, int) or kernel % 2 or kernel < LARGE:
        return
    if x.type.rank < 4 or x.type.shape[1].constant != width:
        return
    warning = context.error(
        "W0301",
        f"`{op.name}` has a kernel of {kernel} here, and as many output channels as input "
        f"channels, {width}",
        span,
        notes=(INFERRED, "if this is intended, give `kernel` by name"),
        fix=f"for {kernel} channels, write `{op.name}({kernel}, size)` with the size of the kernel",
        severity=Severity.WARNING,
    )
    context.session.report(warning)


def _reads_as_torch(op: Op, x: Tensor) -> bool:
    """Whether width, kernel and stride look like input channels, output channels and kernel."""
    width, kernel, stride = (getattr(op, name) for name in ("width", "kernel", "stride"))
    stride = _first(stride)
    if not isinstance(kernel, int) or not isinstance(stride, int) or kernel < 6:
        return False
    if x.type.rank < 3 or x.type.shape[1].constant != width:
        return False
    patches = stride % 2 == 0 and kernel in (stride, 2 * stride)
    return not patches and (kernel % 2 == 0 or kernel >= LARGE)


def _first(value: object) -> object:
    return value[0] if isinstance(value, tuple) and value else value
