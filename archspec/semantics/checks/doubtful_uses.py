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
            if node.op is None:
                continue
            doubt = _other_axis(graph, node, node.op, callers)
            if doubt is None and type(node.op).doubt is not Advice.doubt:
                doubt = node.op.doubt(_application(graph, node, callers))
            if doubt is not None:
                _warn(doubt, graph, node, callers, sink)


def _other_axis(graph: Graph, node: Node, op: Op, callers: Callers) -> Doubt | None:
    """A sequence whose channels are on axis 1 where they should be last, or vice versa."""
    where = op.channel_axis
    if not where or not node.inputs:
        return None
    x = graph.types_read(node)[0]
    if x.rank != 3:
        return None
    before = _origin(graph, node.inputs[0], callers)
    if before is None or before.channel_axis in ("", where):
        return None
    takes = "[B, C, T]" if where == "first" else "[B, T, C]"
    axis = "axis 1" if before.channel_axis == "first" else "the last axis"
    return Doubt(
        f"`{op.name}` takes {takes}, but `{x}` comes from `{before.name}`, whose channels are on "
        f"{axis}",
        f"write `transpose(1, 2) -> {op.name}`",
    )


def _application(graph: Graph, node: Node, callers: Callers) -> Application:
    assert node.instance is not None
    return Application(
        graph.types_read(node),
        lambda index: _source(graph, node.inputs[index], callers),
        lambda index: _origin(graph, node.inputs[index], callers),
        node.instance.explicit,
    )


def _source(graph: Graph, port: Port, callers: Callers) -> Op | None:
    """The op that computes a port, in whichever block it is; for an input, in the first caller."""
    found = _computed_by(graph, port, callers)
    return found[1].op if found is not None else None


_PASSED_OVER = ("activation", "normalisation", "random")
"""Categories of ops that leave the axes of their input as they are."""

MOST_PASSED = 50
"""Number of ops passed over; a search through longer chains would take quadratic time."""


def _origin(graph: Graph, port: Port, callers: Callers) -> Op | None:
    """The op from which a port comes, before activations, norms and dropout."""
    found = _computed_by(graph, port, callers)
    for _ in range(MOST_PASSED):
        if found is None:
            return None
        graph, node = found
        assert node.op is not None
        if node.op.category not in _PASSED_OVER or len(node.inputs) != 1:
            return node.op
        found = _computed_by(graph, node.inputs[0], callers)
    return None


def _computed_by(graph: Graph, port: Port, callers: Callers) -> tuple[Graph, Node] | None:
    """The node of the op that computes a port, with its graph."""
    while True:
        node = graph.node(port.node)
        if node.op is not None:
            return graph, node
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
