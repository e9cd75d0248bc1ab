"""One table of parameters for two modes: a name has one shape in training and in inference."""

from __future__ import annotations

from archspec.diagnostics.model import Diagnostic, Sink, diagnostic
from archspec.graph.model import Graph
from archspec.semantics.owners import Owner, owners


def check_modes(inference: Graph, training: Graph, sink: Sink) -> None:
    """Report (E0609) weights whose shapes differ between the graphs of a network."""
    pairs = [(inference, training)]
    seen: set[tuple[int, int]] = set()
    while pairs:
        left, right = pairs.pop()
        if left is right or (id(left), id(right)) in seen:
            continue
        seen.add((id(left), id(right)))
        others = {owner.path: owner for owner in owners(right)}
        for owner in owners(left):
            other = others.get(owner.path)
            if other is None:
                continue
            below, beside = owner.instance.graph, other.instance.graph
            if below is not None and beside is not None:
                pairs.append((below, beside))
            else:
                _compare(owner, other, sink)


def _compare(inference: Owner, training: Owner, sink: Sink) -> None:
    titles = (training.instance.title, inference.instance.title)
    if (inference.instance.graph is None) != (training.instance.graph is None):
        what = f"`{inference.path}` is `{titles[0]}` in training and `{titles[1]}` in inference"
        sink.report(_differs(inference, training, what))
        return
    shapes = {parameter.name: parameter.shape for parameter in training.parameters}
    for parameter in inference.parameters:
        name, shape = parameter.name, parameter.shape
        other = shapes.get(name, shape)
        if other != shape:
            path = f"{inference.path}.{name}" if name else inference.path
            what = f"`{path}` is {list(other)} in training and {list(shape)} in inference"
            sink.report(_differs(inference, training, what))
            return


def _differs(inference: Owner, training: Owner, what: str) -> Diagnostic:
    origin, first = training.instance.origin, inference.instance.origin
    return diagnostic(
        "E0609",
        what,
        origin.span,
        secondary=[(first.span, "the layer of inference")] if first.span != origin.span else [],
        fix="give the layer of each mode a label of its own",
        expansion=origin.frames,
    )
