"""One network for two modes: what bears a name in both has one form.

Weights have one shape, since both modes share one table of them; outputs have one structure, since
the module is called in the same way.
"""

from __future__ import annotations

from archspec.diagnostics.model import Diagnostic, Sink, diagnostic
from archspec.graph.model import Graph, Structure
from archspec.semantics.owners import Owner, owners


def check_modes(inference: Graph, training: Graph, sink: Sink) -> None:
    """Report weights (E0609) and outputs (E0709) that differ between the graphs of a network."""
    pairs = [(inference, training)]
    seen: set[tuple[int, int]] = set()
    while pairs:
        left, right = pairs.pop()
        if left is right or (id(left), id(right)) in seen:
            continue
        seen.add((id(left), id(right)))
        _compare_outputs(left, right, sink)
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


def _compare_outputs(inference: Graph, training: Graph, sink: Sink) -> None:
    structures = {output.name: output.structure for output in training.outputs}
    for output in inference.outputs:
        other = structures.get(output.name, output.structure)
        if other != output.structure:
            sink.report(
                diagnostic(
                    "E0709",
                    f"the output `{output.name}` of `{inference.name}` is {_form(other)} in "
                    f"training and {_form(output.structure)} in inference",
                    inference.origin.span,
                    fix="give what differs two names: `output pair = .. when training`",
                )
            )


def _form(structure: Structure) -> str:
    return "a tensor" if structure is None else f"a tuple of {len(structure)}"


def _compare(inference: Owner, training: Owner, sink: Sink) -> None:
    titles = (training.instance.title, inference.instance.title)
    if (inference.instance.graph is None) != (training.instance.graph is None):
        what = f"`{inference.path}` is `{titles[0]}` in training and `{titles[1]}` in inference"
        sink.report(_differs(inference, training, what))
        return
    regions = {region.name: region for region in training.instance.regions}
    for region in inference.instance.regions:
        if region.name in regions and _ends(region.graph) != _ends(regions[region.name].graph):
            path = f"{inference.path}.{region.key}" if region.key else inference.path
            what = f"the layer `{path}` takes or yields other data in training than in inference"
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


def _ends(graph: Graph) -> tuple[int, int]:
    return len(graph.inputs), len(graph.output_ports)


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
