"""Check of `init` statements against the weights they apply to, in a complete network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archspec.diagnostics.model import Sink, diagnostic
from archspec.graph.compiled import Compiled
from archspec.graph.init_rules import rule_for
from archspec.graph.model import Graph, InitRule
from archspec.graph.walk import walk
from archspec.ops.base import Op, Parameter


def check_init_rules(compiled: Compiled, sink: Sink) -> None:
    """Report statements whose initialiser does not fit a weight it applies to."""
    for graph in dict.fromkeys((*walk(compiled.training), *walk(compiled.inference))):
        rules = [rule for rule in graph.init_rules if rule.initialiser.is_particular]
        if rules:
            _check(rules, graph, sink)


def _check(rules: Sequence[InitRule], graph: Graph, sink: Sink) -> None:
    """Report faulty statements of a graph, each for the first tensor that it does not fit."""
    faults: dict[int, str] = {}
    for op, item in _parameters({rule.op for rule in rules}, graph):
        for number, rule in enumerate(rules):
            if number not in faults and rule_for((rule,), op, item) is not None:
                fault = rule.initialiser.shape_error(item.shape)
                if fault:
                    faults[number] = f"{fault} (`{item.name}` of `{op.name}`)"
    for number in sorted(faults):
        origin = rules[number].origin
        sink.report(diagnostic("E0301", faults[number], origin.span, expansion=origin.frames))


def _parameters(names: set[str], top: Graph) -> Iterator[tuple[Op, Parameter]]:
    """Parameters of ops with these names, or with such inner layers, in a graph and below it."""
    for graph in walk(top):
        for node in graph.nodes:
            op = node.op
            if op is None:
                continue
            if op.name in names or not names.isdisjoint(op.inner_layers.values()):
                yield from ((op, item) for item in graph.parameters_of(node))
