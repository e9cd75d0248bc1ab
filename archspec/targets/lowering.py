"""Ops that targets cannot lower, said where they stand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from archspec.diagnostics.model import Diagnostic, Sink, diagnostic
from archspec.graph.compiled import Compiled
from archspec.graph.model import Instance
from archspec.source import NOWHERE


def unlowered(
    network: Compiled, unsupported: Mapping[str, Mapping[str, str]]
) -> tuple[Diagnostic, ...]:
    """What there is to say (E0802) of ops that targets cannot lower: each place of one, once.

    `unsupported` has for each target what `Backend.unsupported` tells of the network. Targets that
    refuse an op for the same reason are named together. An op that was made without text is
    reported at the head of the network.
    """
    refusals = _refusals(unsupported)
    sink = Sink()
    for graph in network.graphs if refusals else ():
        for instance in graph.instances:
            if instance.op is not None and instance.op.name in refusals:
                sink.extend(_at_its_place(network, instance, refusals[instance.op.name]))
    return sink.diagnostics


def _refusals(unsupported: Mapping[str, Mapping[str, str]]) -> dict[str, list[str]]:
    """For each op the messages about it, one for each reason."""
    found: dict[tuple[str, str], list[str]] = {}
    for target, ops in unsupported.items():
        for op, reason in ops.items():
            found.setdefault((op, reason), []).append(target)
    messages: dict[str, list[str]] = {}
    for (op, reason), targets in found.items():
        message = f"{_named(targets)} no lowering for `{op}`: {reason}"
        messages.setdefault(op, []).append(message)
    return messages


def _named(targets: Sequence[str]) -> str:
    """Their names with the verb: "targets `a` and `b` have"."""
    *first, last = (f"`{target}`" for target in targets)
    return f"targets {', '.join(first)} and {last} have" if first else f"target {last} has"


def _at_its_place(
    network: Compiled, instance: Instance, messages: Sequence[str]
) -> Iterator[Diagnostic]:
    origin = instance.origin
    if origin.span is NOWHERE:
        origin = network.inference.origin
    for message in messages:
        yield diagnostic("E0802", message, origin.span, expansion=origin.frames)
