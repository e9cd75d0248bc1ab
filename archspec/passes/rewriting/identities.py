"""Rules for ops that change nothing in inference."""

from __future__ import annotations

from archspec.graph.model import Port
from archspec.passes.rewriting.pattern import Match, Pattern, Rule, Site


def order_of(site: Site) -> tuple[int, ...] | None:
    """For each axis of the output the axis of the input, if the op only reorders axes."""
    return site.op.permutation(site.types[0].rank) if len(site.node.inputs) == 1 else None


def returns_its_input(site: Site) -> bool:
    """Whether an op returns its input unchanged in inference, and owns no tensors."""
    order = order_of(site)
    return order is not None and order == tuple(range(len(order))) and not site.owns


def _reorders(site: Site) -> bool:
    return order_of(site) is not None


def _undone(match: Match) -> Port | None:
    first = match.inside["first"]
    order, before = order_of(match.site), order_of(first)
    if order is None or before is None or [before[axis] for axis in order] != [*range(len(order))]:
        return None
    return first.node.inputs[0]


def _again(match: Match) -> Port | None:
    first = match.inside["first"]
    return Port(first.node.id) if first.op == match.site.op else None


def _idempotent(site: Site) -> bool:
    return site.op.idempotent and len(site.node.inputs) == 1


HANDED_ON = Rule(
    "ops that return their input",
    Pattern(where=returns_its_input),
    lambda match: match.site.node.inputs[0],
)
UNDONE = Rule(
    "permutations that cancel each other",
    Pattern(where=_reorders, inputs=(Pattern(where=_reorders, read_once=True, name="first"),)),
    _undone,
)
AGAIN = Rule(
    "idempotent ops applied twice",
    Pattern(where=_idempotent, inputs=(Pattern(where=_idempotent, name="first"),)),
    _again,
)
