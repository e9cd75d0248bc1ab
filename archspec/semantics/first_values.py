"""What `init` statements reach: known when a network is whole."""

from __future__ import annotations

from collections.abc import Iterator

from archspec.diagnostics.model import Sink, diagnostic
from archspec.graph.compiled import Compiled
from archspec.graph.model import Graph, InitRule, rule_for, walk
from archspec.ops.base import Op, Parameter


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
    for op, item in _parameters(rule.op, graph):
        reached = rule_for((rule,), op, item) is not None
        fault = rule.initialiser.misfit(item.shape) if reached else None
        if fault:
            message = f"{fault} (`{item.name}` of `{op.name}`)"
            origin = rule.origin
            sink.report(diagnostic("E0301", message, origin.span, expansion=origin.frames))
            return


def _parameters(name: str, top: Graph) -> Iterator[tuple[Op, Parameter]]:
    """What ops of this name own, or that have such a layer inside, in a graph and all below it."""
    for graph in walk(top):
        for node in graph.nodes:
            op = node.op
            if op is not None and (op.name == name or name in op.inner_layers.values()):
                types = tuple(graph.type_of(port) for port in node.inputs)
                yield from ((op, item) for item in op.parameters(*types))
