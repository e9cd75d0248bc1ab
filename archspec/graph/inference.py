"""The types and needs of an op for its inputs and layers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from archspec.graph.model import Origin, Region, Requirement
from archspec.ops.base import Check, Need, Op, OpError
from archspec.types.condition import Condition
from archspec.types.solver import VerdictKind, decide
from archspec.types.tensor import TensorType

Types = tuple[TensorType, ...]


def own_inputs(regions: Sequence[Region], types: Types) -> Types:
    """The types of an op's own inputs, without the captures of its layers."""
    return types[: len(types) - sum(region.captured for region in regions)]


def inferred(op: Op, regions: Sequence[Region], types: Types) -> tuple[Types, tuple[Need, ...]]:
    """The result types of an op for its own inputs, and its needs on their sizes.

    Raises OpError if it does not accept them.
    """
    check = Check()
    yields = {region.name: region.graph.output_types for region in regions}
    found = op.infer_regions(check, types, yields)
    return (found if isinstance(found, tuple) else (found,)), tuple(check.needs)


def kept_needs(needs: Sequence[Need], given: Condition, origin: Origin) -> tuple[Requirement, ...]:
    """The needs that do not hold for all sizes that `given` allows.

    Raises OpError if one holds for none of them.
    """
    kept: list[Requirement] = []
    for need in needs:
        kind = decide(need.condition, given).kind
        if kind is VerdictKind.NEVER and not need.training_only:
            raise OpError(need.reason)
        if kind is not VerdictKind.ALWAYS:
            kept.append(
                Requirement(need.condition, need.reason, origin, need.training_only, need.chosen)
            )
    return tuple(kept)


def other_needs(
    needs: Iterable[Requirement], known: Sequence[Requirement]
) -> tuple[Requirement, ...]:
    """The needs that are not known.

    In long chains there are many, and no two are equal: so their places are compared before the
    conditions.
    """
    places: dict[int, list[Requirement]] = {}
    for item in known:
        places.setdefault(item.origin.span.start, []).append(item)
    return tuple(item for item in needs if item not in places.get(item.origin.span.start, ()))
