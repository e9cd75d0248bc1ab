"""Weights that no output of a network needs, in neither mode: a warning where they are written."""

from __future__ import annotations

from collections.abc import Iterator

from archspec.diagnostics.model import Severity, Sink, diagnostic
from archspec.graph.compiled import Compiled
from archspec.graph.model import Node, Port, needed, walk
from archspec.graph.ties import tied_instances
from archspec.graph.usage import EVERYTHING, Part, Usage, Used

NOTE = "such weights stay in the state dict and count as parameters, but get no gradient"


def check_usage(compiled: Compiled, sink: Sink) -> None:
    """Report (W0701) layers whose weights nothing uses.

    Where the result, or what is made of it, has a name that begins with `_`, that is meant.
    """
    graphs = (compiled.inference, compiled.training)
    if all(item.is_read for graph in graphs for item in walk(graph)):
        return  # the usual case
    usage = Usage(compiled)
    tied = tied_instances(item for graph in graphs for item in walk(graph))
    for used in usage.below():
        for part in used.parts:
            for node in _dead_layers(part, used, usage):
                if id(node.instance) not in tied:
                    _warn_of_layer(node, usage.owned(part.graph, node), sink)
            for node in part.graph.nodes:
                if node.callee is not None and node.id in part.asked:
                    _check_call(part, node, used, usage, sink)


def _dead_layers(part: Part, used: Used, usage: Usage) -> Iterator[Node]:
    """Layers with weights that nothing computed reads, the last of each sequence of them."""
    graph = part.graph
    if len(graph.computed) == len(graph.nodes):
        return
    meant = needed(graph, (node.id for node in graph.nodes if node.discarded))
    elsewhere = used.parameters.keys() | used.calls.keys()  # of an op with layers, those below it
    before: set[int] = set()  # what such layers need
    for node in reversed(graph.nodes):
        if node.is_input or node.id in graph.computed:
            continue
        path = part.path(node)
        used_elsewhere = any(f"{name}.".startswith(f"{path}.") for name in elsewhere)
        dead = not used_elsewhere and usage.owned(graph, node) > 0
        if dead and node.id not in meant and node.id not in before:
            yield node
        if dead or node.id in before:
            before.update(port.node for port in node.inputs)


def _warn_of_layer(node: Node, elements: int, sink: Sink) -> None:
    assert node.instance is not None
    key, title = node.instance.key, node.instance.title
    what = f"what this `{title}` yields, so its weights are never trained"
    if title == "param":
        what = f"the parameter `{key}`, so it is never trained"
    sink.report(
        diagnostic(
            "W0701",
            f"nothing uses {what}",
            node.origin.span,
            f"`{key}`: {elements:,} parameter{'s' if elements != 1 else ''}",
            notes=[NOTE],
            fix="use it or remove it; if it is meant, give what it yields a name that begins "
            "with `_`",
            expansion=node.origin.frames,
            severity=Severity.WARNING,
        )
    )


def _check_call(part: Part, node: Node, used: Used, usage: Usage, sink: Sink) -> None:
    """Report weights of a block that serve only outputs which are not read here."""
    assert node.callee is not None
    read = part.graph.read_ports
    unread = [
        index
        for index in range(len(node.types))
        if Port(node.id, index) not in read and index not in node.discarded
    ]
    if not unread or not part.asked[node.id]:
        return
    views = used.calls[part.path(node)]
    computed = frozenset((graph, _with(outputs, node, unread)) for graph, outputs in views)
    lost = usage.count(computed) - usage.count(views)
    if lost <= 0:
        return
    names = [output.name for output in node.callee.outputs for _ in output.ports]
    listed = ", ".join(dict.fromkeys(f"`{names[index]}`" for index in unread))
    sink.report(
        diagnostic(
            "W0701",
            f"nothing uses {listed} of `{node.callee.name}`, so weights that serve it alone are "
            "never trained",
            node.origin.span,
            f"{lost:,} parameter{'s' if lost != 1 else ''}",
            notes=[NOTE],
            fix="take fewer outputs from a block that makes fewer; if it is meant, give what is "
            "not used a name that begins with `_`: `a, _ = x -> f`",
            expansion=node.origin.frames,
            severity=Severity.WARNING,
        )
    )


def _with(outputs: int, node: Node, more: list[int]) -> int:
    if outputs == EVERYTHING:
        return outputs
    for index in more:
        outputs |= 1 << index
    return outputs
