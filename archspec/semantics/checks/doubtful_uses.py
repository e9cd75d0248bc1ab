"""Warnings about ops whose application is valid, but rarely what was meant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from archspec.diagnostics.model import Severity, Sink, diagnostic
from archspec.graph.compiled import Compiled
from archspec.graph.model import Graph, Node, Port
from archspec.graph.walk import walk
from archspec.ops.advice import Advice, Application, Doubt
from archspec.ops.base import Op
from archspec.shipped import is_library

Callers: TypeAlias = Mapping[Graph, tuple[Graph, Node]]
"""The first call of each block, and the graph that contains it."""


def check_doubtful_uses(compiled: Compiled, sink: Sink) -> None:
    """Report (W0706) applications of ops that the ops themselves doubt."""
    both = (*walk(compiled.inference), *walk(compiled.training))
    graphs = tuple(dict.fromkeys(both))
    callers: dict[Graph, tuple[Graph, Node]] = {}
    for graph in graphs:
        for node in graph.nodes:
            if node.callee is not None:
                callers.setdefault(node.callee, (graph, node))
    for graph in graphs:
        for node in graph.nodes:
            if node.op is not None and type(node.op).doubt is not Advice.doubt:
                doubt = node.op.doubt(_application(graph, node, callers))
                if doubt is not None:
                    _warn(doubt, graph, node, callers, sink)


def _application(graph: Graph, node: Node, callers: Callers) -> Application:
    assert node.instance is not None
    return Application(
        graph.types_read(node),
        lambda index: _source(graph, node.inputs[index], callers),
        node.instance.explicit,
    )


def _source(graph: Graph, port: Port, callers: Callers) -> Op | None:
    """The op that computes a port, in whichever block it is; for an input, in the first caller."""
    while True:
        node = graph.node(port.node)
        if node.op is not None:
            return node.op
        if node.callee is not None:
            graph, port = node.callee, node.callee.output_ports[port.index]
            if graph.node(port.node).is_input:
                return None
        elif graph in callers:
            index = graph.inputs.index(node)
            graph, caller = callers[graph]
            port = caller.inputs[index]
        else:
            return None


def _warn(doubt: Doubt, graph: Graph, node: Node, callers: Callers, sink: Sink) -> None:
    """Warn at the op, or, if it is part of a library, at the call in the spec."""
    place, written = node.origin, node.origin.span
    while is_library(place.span.source.name) and graph in callers:
        graph, caller = callers[graph]
        place = caller.origin
    inside = ((written, "in the library"),) if place is not node.origin else ()
    sink.report(
        diagnostic(
            "W0706",
            doubt.message,
            place.span,
            secondary=inside,
            fix=doubt.fix,
            expansion=place.frames,
            severity=Severity.WARNING,
        )
    )
