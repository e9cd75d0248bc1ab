"""Expressions for the sizes of axes that ops change: by windows, padding and steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from archspec.graph.expression import (
    Expression,
    Number,
    Operation,
    has_unknown_sizes,
    simplified,
)
from archspec.graph.model import Node
from archspec.ops.convolution import Conv
from archspec.ops.indexing import Roll, Slice
from archspec.ops.pooling import AvgPool, MaxPool
from archspec.ops.windows import Pad, Unfold
from archspec.types.dim import dim
from archspec_torch.code.products import product, quotient
from archspec_torch.code.sums import difference, total

Resolved: TypeAlias = Callable[[Expression], Expression]
"""Gives an attribute over the names of the block."""

FIRST_AXIS = 2
"""The first axis along which a window slides."""

WINDOWS = (Conv, MaxPool, AvgPool)


def _slides(node: Node, axis: int) -> bool:
    return (
        axis >= FIRST_AXIS and isinstance(node.op, WINDOWS) and not getattr(node.op, "ceil", False)
    )


def _after_window(
    node: Node, axis: int, before: Expression, resolved: Resolved
) -> Expression | None:
    """The size of an axis after a window, `(size + padding - reach) // stride + 1`.

    `before` is that of the input, `resolved` gives expressions over names. None if it is not known.
    """
    op = node.op
    if not isinstance(op, WINDOWS):
        return None
    if op.padding == "same":
        return before
    kernel, dilation = (_part(node, name, axis, resolved) for name in ("kernel", "dilation"))
    stride = kernel if op.stride is None else _part(node, "stride", axis, resolved)
    if kernel is None or dilation is None or stride is None:
        return None
    spread = simplified(Operation("*", (dilation, _without_one(kernel))))
    match op.padding:
        case "valid":
            padding: Expression | None = Number(0)
        case "half":
            padding = simplified(Operation("//", (spread, Number(2))))
        case _:
            padding = _part(node, "padding", axis, resolved)
    if padding is None:
        return None
    if (padding, dilation, kernel) == (Number(0), Number(1), stride):
        return quotient(before, [stride])
    more = difference(simplified(Operation("*", (Number(2), padding))), spread)
    return None if more is None else _counted(before, more, stride)


def _part(node: Node, name: str, axis: int, resolved: Resolved) -> Expression | None:
    """An attribute for one axis; None if its expression is not known."""
    written = node.instance.written.get(name) if node.instance is not None else None
    value = getattr(node.op, name, 1)
    if isinstance(value, tuple):
        value = value[axis - FIRST_AXIS]
        if isinstance(written, Operation) and written.sign == "tuple":
            written = written.operands[axis - FIRST_AXIS]
        elif written is not None:
            return None
    if type(value) is not int:
        return None
    return Number(value) if written is None else resolved(written)


def _without_one(kernel: Expression) -> Expression:
    return simplified(Operation("-", (kernel, Number(1))))


def _counted(before: Expression, more: Expression, stride: Expression) -> Expression | None:
    """`(before + more - 1) // stride + 1`, shorter where that is possible."""
    if more == Number(0):
        one = stride == Number(1)
        return before if one else Operation("ceil_div", (before, stride))
    rest = total([before, more])
    if rest is None or stride == Number(1):
        return rest
    last = difference(rest, Number(1))
    if last is None:
        return None
    return Operation("+", (Operation("//", (last, stride)), Number(1)))


def _pads(node: Node, axis: int) -> bool:
    return isinstance(node.op, Pad) and not _has_unknown(node, "amounts")


def _padded(node: Node, axis: int, before: Expression, resolved: Resolved) -> Expression | None:
    """The size of an axis with what is added at both ends."""
    assert isinstance(node.op, Pad)
    written = node.instance.written.get("amounts") if node.instance is not None else None
    rows = written.operands if isinstance(written, Operation) else ()
    parts = [before]
    for at, (where, *amounts) in enumerate(node.op.amounts):
        if where % len(node.types[0].shape) != axis:
            continue
        row = rows[at] if rows else None
        if isinstance(row, Operation) and row.sign == "tuple":
            parts += map(resolved, row.operands[1:])
            continue
        known = [Number(amount) for amount in amounts if isinstance(amount, int)]
        if row is not None or len(known) < len(amounts):
            return None
        parts += known
    return total(parts)


def _has_unknown(node: Node, attribute: str) -> bool:
    """Whether an attribute has sizes without a name: which ones is not known for sure."""
    written = node.instance.written.get(attribute) if node.instance is not None else None
    return written is not None and has_unknown_sizes(written)


def _steps(node: Node, axis: int) -> bool:
    op = node.op
    if not isinstance(op, Slice) or op.step == 1 or op.start != 0 or op.stop is not None:
        return False
    return op.axis % len(node.types[0].shape) == axis


def _stepped(node: Node, axis: int, before: Expression, resolved: Resolved) -> Expression | None:
    """The size of an axis of which every `step`-th position is taken."""
    assert isinstance(node.op, Slice)
    written = node.instance.written if node.instance is not None else {}
    step = resolved(written["step"]) if "step" in written else Number(node.op.step)
    return simplified(Operation("ceil_div", (before, step)))


def _keeps(node: Node, axis: int) -> bool:
    """Whether an axis has the same size after an op: a roll, or a pad that adds nothing to it.

    The code has no pad then, so what follows is right for sizes only that need none.
    Numbers in its attributes that are equal to the size then belong to other axes.
    """
    if not isinstance(node.op, Pad):
        return isinstance(node.op, Roll)
    rank = node.types[0].rank
    added = [amounts for where, *amounts in node.op.amounts if where % rank == axis]
    return not any(dim(amount).constant != 0 for amounts in added for amount in amounts)


def _kept(node: Node, axis: int, before: Expression, resolved: Resolved) -> Expression | None:
    return before


CHANGES: Sequence[
    tuple[
        Callable[[Node, int], bool],
        Callable[[Node, int, Expression, Resolved], Expression | None],
    ]
] = (
    (_keeps, _kept),
    (_slides, _after_window),
    (_pads, _padded),
    (_steps, _stepped),
)
"""The ops that change the size of an axis or keep it, and the size after them.

The second function is given the node, the axis, its size before the node, and `Resolved`.
"""


def of_windows(channels: Expression | None, node: Node) -> Expression | None:
    """The channels times the positions of a window after `unfold`, or without them after `fold`."""
    written = node.instance.written if node.instance is not None else {}
    side = getattr(node.op, "kernel", None)
    if channels is None or type(side) is not int:
        return None
    kernel = written.get("kernel") or Number(side)
    if isinstance(node.op, Unfold):
        return product([channels, kernel, kernel])
    return quotient(channels, [kernel, kernel])
