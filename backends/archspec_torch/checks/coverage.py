"""Ops that have no lowering to PyTorch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from archspec.graph.compiled import Compiled
from archspec.graph.model import Graph
from archspec.ops.base import Op
from archspec.targets.base import Uncovered

OWN_OPS = "archspec.ops."
"""The package of ops that are part of archspec: every one of them has a lowering."""


def unsupported_ops(network: Compiled) -> Mapping[str, str]:
    """Ops of the network that have no lowering, with the reason."""
    graphs = network.graphs
    if not _has_ops_of_others(graphs):
        return {}
    from archspec_torch.lowering import lowerings, unsupported  # noqa: PLC0415  (a third of a check)

    names = {one.op.name for graph in graphs for one in graph.instances if one.op is not None}
    missing, reasons = sorted(names - lowerings().keys()), unsupported()
    return {name: reasons.get(name, "no lowering to PyTorch is known") for name in missing}


def uncovered(network: Compiled) -> Iterator[Uncovered]:
    """The nodes of such ops."""
    reasons = unsupported_ops(network)
    for graph in network.graphs if reasons else ():
        for node in graph.nodes:
            if node.op is not None and node.op.name in reasons:
                yield Uncovered(graph, node, reasons[node.op.name])


def _has_ops_of_others(graphs: Iterable[Graph]) -> bool:
    kinds = {type(instance.op) for graph in graphs for instance in graph.instances}
    return any(issubclass(kind, Op) and not kind.__module__.startswith(OWN_OPS) for kind in kinds)
