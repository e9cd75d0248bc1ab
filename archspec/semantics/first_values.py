"""What `init` statements reach: known when a network is whole."""

from __future__ import annotations

from collections.abc import Iterator

from archspec.diagnostics.model import Sink, diagnostic
from archspec.graph.compiled import Compiled
from archspec.graph.model import Graph, InitRule, walk
from archspec.ops.base import Parameter


def check_init_rules(compiled: Compiled, sink: Sink) -> None:
    """Report statements whose initialiser cannot fill what it reaches."""
    seen: set[int] = set()
    for top in (compiled.training, compiled.inference):
        for graph in walk(top):
            if id(graph) not in seen:
                seen.add(id(graph))
                for rule in graph.init_rules:
                    _check(rule, graph, sink)


def _check(rule: InitRule, graph: Graph, sink: Sink) -> None:
    for item in _parameters(rule.op, graph):
        reached = rule.parameter in (item.name, item.stands_for or item.name)
        fault = rule.initialiser.misfit(item.shape) if reached else None
        if fault:
            message = f"{fault} (`{item.name}` of `{rule.op}`)"
            origin = rule.origin
            sink.report(diagnostic("E0301", message, origin.span, expansion=origin.frames))
            return


def _parameters(op: str, top: Graph) -> Iterator[Parameter]:
    """What ops of this name own, in a graph and all below it."""
    for graph in walk(top):
        for node in graph.nodes:
            if node.op is not None and node.op.name == op:
                types = tuple(graph.type_of(port) for port in node.inputs)
                yield from node.op.parameters(*types)
