"""Warnings about weights that no output of a network needs in either mode."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from archspec.diagnostics.model import Severity, Sink, diagnostic
from archspec.graph.compiled import Compiled
from archspec.graph.model import Node, Port, needed
from archspec.graph.ties import tied_instances
from archspec.graph.usage import Part, Usage, Used
from archspec.graph.walk import walk
from archspec.source import Span

NOTE = "such weights stay in the state dict and count as parameters, but get no gradient"

MOST_KEYS = 4
"""Number of layers of one place that are named."""


def check_usage(compiled: Compiled, sink: Sink) -> None:
    """Report (W0701) layers whose weights are not used.

    Layers whose result, or a value computed from it, has a name that begins with `_` are left out.
    """
    graphs = (compiled.inference, compiled.training)
    if all(item.is_read for graph in graphs for item in walk(graph)):
        return  # the usual case
    usage = Usage(compiled)
    tied = tied_instances(item for graph in graphs for item in walk(graph))
    for used in usage.below():
        for part in used.parts:
            dead: dict[Span, list[Node]] = {}
            chains = _unused_layers(part, used, usage)
            for node, _ in chains:
                if node.instance not in tied:
                    dead.setdefault(node.origin.span, []).append(node)
            before = {node.id: earlier for node, earlier in chains}
            for nodes in dead.values():
                places = [
                    (one.origin.span, _label([one], [usage.owned(part.graph, one)]))
                    for node in nodes
                    for one in before[node.id][:MOST_KEYS]
                    if one.instance not in tied
                ]
                elements = [usage.owned(part.graph, one) for one in nodes]
                _warn_of_layers(nodes[::-1], elements, places, sink)
            for node in part.graph.nodes:
                if node.runs_graphs and part.asked.get(node.id):
                    _check_outputs(part, node, used, usage, sink)


def _unused_layers(part: Part, used: Used, usage: Usage) -> list[tuple[Node, list[Node]]]:
    """Layers with weights whose results are not used; of a sequence, the last and the others."""
    graph = part.graph
    found: list[tuple[Node, list[Node]]] = []
    if len(graph.computed) == len(graph.nodes):
        return found
    meant = needed(graph, (node.id for node in graph.nodes if node.discarded))
    elsewhere = used.parameters.keys() | used.calls.keys()  # for an op with layers, those below it
    before: dict[int, list[Node]] = {}  # nodes that such layers need, with those of the same one
    for node in reversed(graph.nodes):
        if node.is_input or node.id in graph.computed:
            continue
        path = part.path(node)
        used_elsewhere = any(f"{name}.".startswith(f"{path}.") for name in elsewhere)
        dead = not used_elsewhere and usage.owned(graph, node) > 0
        chain = before.get(node.id, [])
        if dead and node.id not in before and node.id not in meant:
            found.append((node, chain))
        elif dead:
            chain.append(node)
        if dead or node.id in before:
            for port in node.inputs:
                before.setdefault(port.node, chain)
    return found


def _label(nodes: Sequence[Node], elements: Sequence[int]) -> str:
    """The names of layers, and how many parameters they have."""
    return f"{_keys(nodes)}: {_counted(sum(elements))}"


def _keys(nodes: Sequence[Node]) -> str:
    keys = [one.instance.key for one in nodes if one.instance is not None]
    more = f" and {len(keys) - MOST_KEYS} more" if len(keys) > MOST_KEYS else ""
    return ", ".join(f"`{key}`" for key in keys[:MOST_KEYS]) + more


def _warn_of_layers(
    nodes: Sequence[Node],
    elements: Sequence[int],
    before: Sequence[tuple[Span, str]],
    sink: Sink,
) -> None:
    """Warn of the layers that one place of the spec made, as in the iterations of a `for`.

    `before` are the places of layers that only these use, with labels.
    """
    node, key = nodes[0], _keys(nodes)
    assert node.instance is not None
    title = node.instance.title
    what = f"the result of this `{title}`, so its weights are never trained"
    if title == "param":
        what = f"the parameter {key}, so it is never trained"
    fix = "use it or remove it; if this is intended, give its result a name that starts with `_`"
    _warn(node, what, _label(nodes, elements), fix, sink, before)


def _check_outputs(part: Part, node: Node, used: Used, usage: Usage, sink: Sink) -> None:
    """Report weights of a block or region that serve only outputs that are not read here."""
    read = part.graph.read_ports
    unread = [
        index
        for index in range(len(node.types))
        if Port(node.id, index) not in read and index not in node.discarded
    ]
    lost = usage.lost(part, node, unread, used) if unread else 0
    if not lost:
        return
    assert node.instance is not None
    listed = ", ".join(dict.fromkeys(_names(node, unread)))
    owner = "block" if node.callee is not None else "layer"
    _warn(
        node,
        f"{listed} of `{node.instance.title}`, so weights that only contribute to it "
        "are never trained",
        _counted(lost),
        f"use a {owner} with fewer outputs; if this is intended, give the unused output a name "
        "that starts with `_`: `a, _ = x -> f`",
        sink,
    )


def _names(node: Node, outputs: Iterable[int]) -> Iterator[str]:
    """Names of outputs in the block or region that yields them."""
    assert node.instance is not None
    op = node.op
    graphs = [
        region.graph
        for region in node.instance.regions
        if op is not None and region.name == op.yields_region
    ]
    for graph in (node.callee, *graphs):
        if graph is not None:
            names = [item.name for item in graph.outputs for _ in item.ports]
            own = graph.kind != "region"  # an anonymous body does not name its outputs
            yield from (f"`{names[index]}`" if own else f"output {index + 1}" for index in outputs)


def _warn(
    node: Node,
    what: str,
    label: str,
    fix: str,
    sink: Sink,
    before: Sequence[tuple[Span, str]] = (),
) -> None:
    sink.report(
        diagnostic(
            "W0701",
            f"nothing uses {what}",
            node.origin.span,
            label,
            secondary=before,
            notes=[NOTE],
            fix=fix,
            expansion=node.origin.frames,
            severity=Severity.WARNING,
        )
    )


def _counted(elements: int) -> str:
    return f"{elements:,} parameter{'s' if elements != 1 else ''}"
