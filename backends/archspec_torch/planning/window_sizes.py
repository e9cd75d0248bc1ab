"""Expressions for the sizes after a window that slides along an axis: convolutions and pools."""

from __future__ import annotations

from collections.abc import Callable

from archspec.graph.expression import Expression, Number, Operation, simplified
from archspec.graph.model import Node
from archspec.ops.convolution import Conv
from archspec.ops.indexing import Roll
from archspec.ops.pooling import AvgPool, MaxPool
from archspec.ops.windows import Pad
from archspec.types.dim import dim
from archspec_torch.code.products import quotient
from archspec_torch.code.sums import difference, total

FIRST_AXIS = 2
"""The first axis along which a window slides."""

WINDOWS = (Conv, MaxPool, AvgPool)


def has_window(node: Node) -> bool:
    """Whether the op of a node is one whose sizes `after_window` knows."""
    return isinstance(node.op, WINDOWS) and not getattr(node.op, "ceil", False)


def keeps_size(node: Node, axis: int) -> bool:
    """Whether an axis has the same size after an op: a roll, or a pad that adds nothing to it.

    Numbers in its attributes that are equal to the size then belong to other axes.
    """
    if not isinstance(node.op, Pad):
        return isinstance(node.op, Roll)
    rank = node.types[0].rank
    added = [amounts for where, *amounts in node.op.amounts if where % rank == axis]
    return not any(dim(amount).constant != 0 for amounts in added for amount in amounts)


def after_window(
    node: Node, axis: int, before: Expression, resolved: Callable[[Expression], Expression]
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


def _part(
    node: Node, name: str, axis: int, resolved: Callable[[Expression], Expression]
) -> Expression | None:
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
