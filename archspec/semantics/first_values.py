"""What `init` statements reach: known when a network is whole."""

from __future__ import annotations

from collections.abc import Iterator

from archspec.diagnostics.model import Diagnostic, Sink, diagnostic
from archspec.graph.compiled import Compiled
from archspec.graph.model import Graph, InitRule, walk
from archspec.ops.base import Parameter
from archspec.ops.registry import all_ops
from archspec.semantics.environment import did_you_mean


def check_init_rules(compiled: Compiled, sink: Sink) -> None:
    """Report statements that name no parameter, or whose initialiser cannot fill one."""
    seen: set[int] = set()
    for top in (compiled.training, compiled.inference):
        for graph in walk(top):
            if id(graph) not in seen:
                seen.add(id(graph))
                for rule in graph.init_rules:
                    _check(rule, graph, sink)


def _check(rule: InitRule, graph: Graph, sink: Sink) -> None:
    parameters = list(_parameters(rule.op, graph))
    reached = [item for item in parameters if item.name == rule.parameter]
    for item in reached:
        fault = rule.initialiser.misfit(item.shape)
        if fault:
            fault = f"{fault} (`{item.name}` of `{rule.op}`)"
            sink.report(_at(rule, "E0301", fault))
            return
    names = {item.name for item in parameters}
    fields = all_ops()[rule.op].model_fields
    if names and rule.parameter not in names and f"{rule.parameter}_init" not in fields:
        message = f"`{rule.op}` has no parameter `{rule.parameter}`"
        sink.report(_at(rule, "E0302", message, did_you_mean(rule.parameter, names)))


def _parameters(op: str, top: Graph) -> Iterator[Parameter]:
    """What ops of this name own, in a graph and all below it."""
    for graph in walk(top):
        for node in graph.nodes:
            if node.op is not None and node.op.name == op:
                types = tuple(graph.type_of(port) for port in node.inputs)
                yield from node.op.parameters(*types)


def _at(rule: InitRule, code: str, message: str, fix: str | None = None) -> Diagnostic:
    origin = rule.origin
    return diagnostic(code, message, origin.span, expansion=origin.frames, fix=fix)
