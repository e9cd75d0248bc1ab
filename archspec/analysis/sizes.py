"""The sizes that a network takes, per mode.

Every graph states what its own ops need, in the free dimensions of the network, so what the
network needs is the conjunction over what is computed of all graphs below it. What its `where`
promises is part of it: other sizes are not what the spec speaks of, even where they would run.
"""

from __future__ import annotations

from collections.abc import Mapping

from archspec.analysis.number_format import sizes_text
from archspec.diagnostics.failure import CompileFailed
from archspec.diagnostics.model import Diagnostic, diagnostic
from archspec.graph.compiled import Compiled
from archspec.graph.walk import requirements
from archspec.source import Span
from archspec.types.condition import (
    Condition,
    allowed_size,
    conjunction,
    evaluate,
    zero_allowed,
)
from archspec.types.sizes import ValidSizes, next_size


def condition(compiled: Compiled, *, training: bool = False) -> Condition:
    """What sizes must satisfy, as it was collected."""
    graph = compiled.training if training else compiled.inference
    needs = (need.condition for need in requirements(graph, training=training))
    return conjunction([compiled.where, *needs])


NEAR = 64
"""How far the sizes of a report in training may be from those of the spec."""

FAR = 1024
"""How far a size that is proposed may be from that of the spec."""


def reported_sizes(compiled: Compiled, *, training: bool = False) -> Mapping[str, int]:
    """The sizes to report a network at: those that the spec says, where it takes them.

    Training may need more than inference does, such as two images for the statistics of a batch
    norm; a report in training is then made for the next size of one dim that is enough.

    Raises CompileFailed (E0707) where the network does not take the sizes that the spec says.
    """
    sizes = compiled.sizes
    needs = requirements(compiled.training if training else compiled.inference, training=False)
    failing = [need for need in needs if not evaluate(need.condition, sizes)]
    if failing:
        places = {need.origin.span: need.reason for need in reversed(failing)}
        only = training and evaluate(condition(compiled), sizes)
        raise CompileFailed([_not_taken(compiled, dict(reversed(places.items())), training=only)])
    return _next_in_training(compiled) if training else sizes


def _next_in_training(compiled: Compiled) -> Mapping[str, int]:
    """The reported sizes, or the nearest that differ in one dim and that training takes."""
    sizes, needed = compiled.sizes, condition(compiled, training=True)
    if evaluate(needed, sizes):
        return sizes
    near = next_size(needed, sizes, NEAR)
    if near is None:
        raise CompileFailed([_not_taken(compiled, {}, training=True)])
    return {**sizes, near[0]: near[1]}


def _not_taken(
    compiled: Compiled, places: Mapping[Span, str], *, training: bool = False
) -> Diagnostic:
    mode = " in training" if training else ""
    span, reason = next(iter(places.items()), (None, ""))
    near = next_size(condition(compiled, training=training), compiled.sizes, FAR)
    return diagnostic(
        "E0707",
        f"reports use {sizes_text(compiled.sizes)}, which the network does not take{mode}",
        span,
        reason,
        secondary=list(places.items())[1:4],
        notes=[f"valid are {valid_sizes(compiled, training=training)}"],
        fix=f"give the dim another size: `{near[0]} = {near[1]}`" if near else None,
    )


def valid_sizes(compiled: Compiled, *, training: bool = False) -> ValidSizes:
    """The sizes that the network takes, in their shortest form."""
    return ValidSizes.of(condition(compiled, training=training))


def require_allowed(where: Condition, sizes: Mapping[str, int]) -> None:
    """Raise ValueError for a size that no dimension has under what a network promises."""
    zero = zero_allowed(where)
    for name, size in sizes.items():
        if not allowed_size(size, name, zero):
            raise ValueError(f"sizes are from {0 if name in zero else 1} on, not {size}")


def accepts(compiled: Compiled, sizes: Mapping[str, int], *, training: bool = False) -> bool:
    """Whether the network takes these sizes; exact, by evaluation.

    Raises KeyError for a free dimension that matters and has no size.
    """
    zero = zero_allowed(compiled.where)
    if not all(allowed_size(size, name, zero) for name, size in sizes.items()):
        return False
    return evaluate(condition(compiled, training=training), sizes)
