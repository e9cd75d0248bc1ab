"""The valid sizes of a network, per mode.

Every graph states the needs of its own ops, in the free dimensions of the network, so the condition
of the network is the conjunction over the computed nodes of all graphs below it. Its `where` is
part of the condition: other sizes are invalid, even if they would run.
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
    """The condition on valid sizes, as it was collected."""
    graph = compiled.training if training else compiled.inference
    needs = (need.condition for need in requirements(graph, training=training))
    return conjunction([compiled.where, *needs])


NEAR = 64
"""Maximum distance of the sizes of a report in training from the default sizes."""

FAR = 1024
"""Maximum distance of a proposed size from the default size."""


def reported_sizes(compiled: Compiled, *, training: bool = False) -> Mapping[str, int]:
    """The sizes for a report of a network: its default sizes, if it accepts them.

    Training may need more than inference does, such as two images for the statistics of a batch
    norm; a report in training is then made for the next size of one dim that is enough.

    Raises CompileFailed (E0707) if the network does not accept its default sizes.
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
        f"the sizes for reports, {sizes_text(compiled.sizes)}, are not valid{mode}",
        span,
        reason,
        secondary=list(places.items())[1:4],
        notes=[f"valid are {valid_sizes(compiled, training=training)}"],
        fix=f"use another size: `{near[0]} = {near[1]}`" if near else None,
    )


def valid_sizes(compiled: Compiled, *, training: bool = False) -> ValidSizes:
    """The sizes that the network accepts, in their shortest form."""
    return ValidSizes.of(condition(compiled, training=training))


def require_allowed(where: Condition, sizes: Mapping[str, int]) -> None:
    """Raise ValueError for a size that is impossible under the `where` of a network."""
    zero = zero_allowed(where)
    for name, size in sizes.items():
        if not allowed_size(size, name, zero):
            raise ValueError(f"sizes must be at least {0 if name in zero else 1}, not {size}")


def accepts(compiled: Compiled, sizes: Mapping[str, int], *, training: bool = False) -> bool:
    """Whether the network accepts these sizes; exact, by evaluation.

    Raises KeyError for a relevant free dimension without a size.
    """
    zero = zero_allowed(compiled.where)
    if not all(allowed_size(size, name, zero) for name, size in sizes.items()):
        return False
    return evaluate(condition(compiled, training=training), sizes)
