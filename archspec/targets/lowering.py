"""Reports ops that targets cannot lower, at their places in the spec."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from archspec.diagnostics.model import Diagnostic, Sink, diagnostic
from archspec.graph.compiled import Compiled
from archspec.graph.model import Graph, Instance, Node
from archspec.source import NOWHERE
from archspec.targets.base import Uncovered

Refusal: TypeAlias = "tuple[Graph, str | Instance | Node, str]"
"""A graph, a part of it that is not lowered (all uses of one instance together), and the reason."""


def unlowered(
    network: Compiled, coverage: Mapping[str, Iterable[Uncovered]]
) -> tuple[Diagnostic, ...]:
    """The diagnostics (E0802) for ops that targets cannot lower, one for each place.

    `coverage` maps each target to the result of `Backend.coverage` for the network. Targets that
    refuse an op for the same reason are named together. An op without a source text is reported
    at the head of the network.
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
    """The names of the targets with the verb: "targets `a` and `b` have"."""
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
