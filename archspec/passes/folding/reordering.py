"""Permutations of axes that cancel each other, with maps of channels between them."""

from __future__ import annotations

from archspec.frozen import frozen
from archspec.graph.model import Node, Port
from archspec.passes.folding.changes import chained, is_longer
from archspec.passes.folding.draft import Draft
from archspec.passes.folding.patterns import Parts, parts_of, spare_of
from archspec.passes.folding.steps import IDENTITY, Change

_LONGEST = 64
"""Limits: nodes between two permutations, and maps that they consist of."""


@frozen
class Reordered:
    """A port as one map of the channels of another port with the same axes.

    `nodes` are the nodes in between, the last one first; `spare` counts, by owner, numbers that are
    not needed if they are removed.
    """

    source: Port
    parts: Parts
    nodes: tuple[Node, ...]
    spare: dict[str, int]


def order_of(draft: Draft, node: Node) -> tuple[int, ...] | None:
    """For each axis of the output the axis of the input, if the node only permutes axes."""
    if node.op is None or len(node.inputs) != 1:
        return None
    return node.op.permutation(draft.type_of(node.inputs[0]).rank)


def reordered(draft: Draft, node: Node) -> Reordered | None:
    """The map between a permutation and an earlier one that it undoes, if there is nothing else."""
    order = order_of(draft, node)
    if order is None:
        return None
    port = node.inputs[0]
    change: Change = IDENTITY
    axis: int | None = None
    nodes, spare = [node], dict[str, int]()
    while len(nodes) < _LONGEST and not is_longer(change, _LONGEST):
        draft.effort.left -= 1
        if order == tuple(range(len(order))):
            return Reordered(port, Parts(((0, change),), axis), tuple(nodes), spare)
        before = draft.node(port.node)
        first, parts = order_of(draft, before), parts_of(draft, before)
        if draft.reads(port) != 1:
            return None
        if first is not None:
            order, port = tuple(first[place] for place in order), before.inputs[0]
        elif parts is not None and len(parts.terms) == 1:
            own = order.index(parts.axis) if parts.axis is not None else axis
            if axis not in (None, own):
                return None
            ((at, step),) = parts.terms
            axis, port, change = own, before.inputs[at], chained(step, change)
            spare |= spare_of(parts)
        else:
            return None
        nodes.append(before)
    return None
