"""Check that `tie` statements name two tensors that can be one, in a complete network."""

from __future__ import annotations

from collections.abc import Iterator

from archspec.diagnostics.model import Diagnostic, Sink, diagnostic
from archspec.diagnostics.suggest import did_you_mean
from archspec.graph.compiled import Compiled
from archspec.graph.model import Graph, Tie
from archspec.graph.names import prefixes
from archspec.graph.ties import tensor_at
from archspec.graph.walk import walk
from archspec.semantics.building.instance_paths import named_instances


def check_ties(compiled: Compiled, sink: Sink) -> None:
    """Report (E0610) ties of missing tensors, of different shapes, and of tensors already tied.

    A tie may apply in one mode only, if the other mode lacks the layer.
    """
    graphs = dict.fromkeys((*walk(compiled.training), *walk(compiled.inference)))
    holds: dict[tuple[Tie, object], Diagnostic | None] = {}
    for graph in graphs:
        for number, tie in enumerate(graph.ties):
            key = (tie, tie.origin)
            fault = _missing(graph, tie)
            if fault is None:
                found = next(_faults(graph, tie, number), None)
                if found is not None:
                    sink.report(found)
                    return
            if holds.get(key, fault) is not None:
                holds[key] = fault
            else:
                holds[key] = None
    for fault in holds.values():
        if fault is not None:
            sink.report(fault)


def _missing(graph: Graph, tie: Tie) -> Diagnostic | None:
    for name in (tie.name, tie.source):
        if tensor_at(graph, name) is None:
            message = f"`{graph.name}` has no weights called `{name}`"
            other = tie.source if name == tie.name else tie.name
            fix = did_you_mean(name, [one for one in _names(graph) if one != other])
            return diagnostic("E0610", message, tie.origin.span, fix=fix)
    return None


def _faults(graph: Graph, tie: Tie, number: int) -> Iterator[Diagnostic]:
    left, right = tensor_at(graph, tie.name), tensor_at(graph, tie.source)
    assert left is not None
    assert right is not None
    span = tie.origin.span
    one, two = left.parameter, right.parameter
    if not (one.learnable and two.learnable):
        yield diagnostic("E0610", "parameters can be tied, but buffers cannot", span)
    if (one.shape, one.dtype) != (two.shape, two.dtype):
        message = (
            f"`{tie.name}` is {list(one.shape)} and `{tie.source}` is {list(two.shape)}: "
            "tied weights must have the same shape"
        )
        yield diagnostic("E0610", message, span)
    if left.instance.frozen != right.instance.frozen:
        yield diagnostic(
            "E0610", "tied weights must be frozen under both names or under neither", span
        )
    before = {item.name: item.source for item in graph.ties[:number]}
    if tie.name in before or _is_tied_below(graph, tie.name):
        yield diagnostic("E0610", f"`{tie.name}` is tied already", span)
    at = tie.source
    while at != tie.name and at in before:
        at = before[at]
    if at == tie.name:
        yield diagnostic("E0610", f"`{tie.name}` would be tied to itself", span)


def _is_tied_below(graph: Graph, path: str) -> bool:
    """Whether a block on the path of a tensor already ties it."""
    for prefix in prefixes(path):
        for owner in named_instances(graph):
            below = owner.instance.graph
            if owner.path == prefix and below is not None:
                rest = path[len(prefix) + 1 :]
                return any(tie.name == rest for tie in below.ties) or _is_tied_below(below, rest)
    return False


def _names(graph: Graph) -> list[str]:
    """Full names of weights, limited in number; used for suggestions."""
    found: list[str] = []
    stack = [("", graph, 0)]
    while stack and len(found) < 1000:
        prefix, inner, depth = stack.pop()
        for owner in named_instances(inner):
            path = f"{prefix}{owner.path}"
            found += [f"{path}.{item.name}" if item.name else path for item in owner.parameters]
            if owner.instance.graph is not None and depth < 6:
                stack.append((f"{path}.", owner.instance.graph, depth + 1))
    return list(dict.fromkeys(found))
