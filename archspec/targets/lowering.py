"""Ops that targets cannot lower, said where they stand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from archspec.diagnostics.model import Diagnostic, Sink, diagnostic
from archspec.graph.compiled import Compiled
from archspec.graph.model import Graph, Instance, Node
from archspec.source import NOWHERE
from archspec.targets.base import Uncovered

Refusal: TypeAlias = "tuple[Graph, str | Instance | Node, str]"
"""What stands in a graph, all uses of one instance together, with the reason."""


def unlowered(
    network: Compiled, coverage: Mapping[str, Iterable[Uncovered]]
) -> tuple[Diagnostic, ...]:
    """What there is to say (E0802) of ops that targets cannot lower: each place of one, once.

    `coverage` has for each target what `Backend.coverage` tells of the network. Targets that
    refuse an op for the same reason are named together. An op that was made without text is
    reported at the head of the network.
    """
    nodes: dict[Refusal, Node] = {}
    targets: dict[Refusal, list[str]] = {}
    for target, uncovered in coverage.items():
        for one in uncovered:
            refusal = one.graph, _owner(one.node), one.reason
            nodes.setdefault(refusal, one.node)
            names = targets.setdefault(refusal, [])
            if target not in names:
                names.append(target)
    sink = Sink()
    for refusal, node in nodes.items():
        sink.report(_at_its_place(network, node, _named(targets[refusal]), refusal[-1]))
    return sink.diagnostics


def _owner(node: Node) -> str | Instance | Node:
    return node if node.instance is None else node.instance.key or node.instance


def _named(targets: Sequence[str]) -> str:
    """Their names with the verb: "targets `a` and `b` have"."""
    *first, last = (f"`{target}`" for target in targets)
    return f"targets {', '.join(first)} and {last} have" if first else f"target {last} has"


def _at_its_place(network: Compiled, node: Node, targets: str, reason: str) -> Diagnostic:
    title, origin = node.name, node.origin
    if node.instance is not None:
        title, origin = node.instance.title, node.instance.origin
    if origin.span is NOWHERE:
        origin = network.inference.origin
    message = f"{targets} no lowering for `{title}`: {reason}"
    return diagnostic("E0802", message, origin.span, expansion=origin.frames)
