"""Which axes of the inputs of an op have the size of an axis of its result: not equal numbers."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress

from archspec.graph.inference import inferred, own_inputs
from archspec.graph.model import Graph, Node
from archspec.ops.base import OpError
from archspec.types.atoms import OutsideFragment
from archspec.types.condition import FALSE
from archspec.types.tensor import TensorType

REFUSALS = (
    ArithmeticError,
    LookupError,
    NotImplementedError,
    OpError,
    OutsideFragment,
    TypeError,
    ValueError,
)
"""What an op, or code for it, raises for a value that it does not take at its place."""


def is_kept(
    graph: Graph, node: Node, places: Collection[tuple[int, int]], output: int, axis: int
) -> bool | None:
    """Whether an axis of a result has the size of these axes of inputs: it grows with them.

    `places` are the numbers of inputs with axes. None if the op takes no larger sizes there.
    """
    if node.op is None or node.instance is None:
        return None
    changed = list(graph.types_read(node))
    for at, where in places:
        changed[at] = _longer(changed[at], where)
    regions = node.instance.regions
    with suppress(*REFUSALS):
        types, needs = inferred(node.op, regions, own_inputs(regions, tuple(changed)))
        if any(need.condition == FALSE for need in needs):
            return None
        shape = types[output].shape
        return all(shape[axis] == changed[at].shape[where] for at, where in places)
    return None


def _longer(kind: TensorType, axis: int) -> TensorType:
    """The type with a larger size of an axis."""
    shape = [size * 2 if at == axis else size for at, size in enumerate(kind.shape)]
    return TensorType(kind.dtype, tuple(shape))
