"""The sizes that a network takes, per mode.

Every graph states what its own ops need, in the free dimensions of the network, so what the
network needs is the conjunction over all graphs below it. What its `where` promises is part of
it: other sizes are not what the spec speaks of, even where they would run.
"""

from __future__ import annotations

from collections.abc import Mapping

from archspec.graph.compiled import Compiled
from archspec.graph.model import Graph, Requirement, walk
from archspec.types.condition import Condition, conjunction, evaluate
from archspec.types.sizes import ValidSizes


def requirements(graph: Graph, *, training: bool) -> tuple[Requirement, ...]:
    """What a graph needs with all that it calls, each condition once, where it is first met."""
    found: dict[Condition, Requirement] = {}
    for item in reversed(walk(graph)):
        for need in item.requirements:
            if training or not need.training_only:
                found.setdefault(need.condition, need)
    return tuple(found.values())


def condition(compiled: Compiled, *, training: bool = False) -> Condition:
    """What sizes must satisfy, as it was collected."""
    graph = compiled.training if training else compiled.inference
    needs = (need.condition for need in requirements(graph, training=training))
    return conjunction([compiled.where, *needs])


def valid_sizes(compiled: Compiled, *, training: bool = False) -> ValidSizes:
    """The sizes that the network takes, in their shortest form."""
    return ValidSizes.of(condition(compiled, training=training))


def accepts(compiled: Compiled, sizes: Mapping[str, int], *, training: bool = False) -> bool:
    """Whether the network takes these sizes; exact, by evaluation.

    Raises KeyError for a free dimension that matters and has no size.
    """
    if any(size < 1 for size in sizes.values()):
        return False
    return evaluate(condition(compiled, training=training), sizes)
