"""Consistency of the two modes of a network: equal names have equal forms.

Weights and buffers have one type, since both modes share one state dict; outputs have one
structure, since the module is called in the same way; buffers have one value, since they are
computed once.
"""

from __future__ import annotations

from archspec.diagnostics.model import Diagnostic, Sink, diagnostic
from archspec.graph.compare import same_graph
from archspec.graph.compiled import Compiled
from archspec.graph.forms import forms, walk_forms
from archspec.graph.model import Graph, Structure
from archspec.graph.owned import Owned
from archspec.ops.base import Parameter
from archspec.types.tensor import DType


def check_modes(compiled: Compiled, sink: Sink) -> None:
    """Report differences between the graphs of a network.

    These are differences of weights (E0609), outputs (E0709) and values of buffers (E0409).
    """
    for block, names in reversed(walk_forms(forms(compiled), least=2).items()):
        inference, training = block
        _compare_outputs(inference, training, sink)
        for items in names:
            if len(items) > 1 and any(item.instance.graph is None for item in items):
                _compare(items[0], items[1], sink)


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
                    fix="use another name in one mode: `output pair = .. when training`",
                )
            )


def _form(structure: Structure) -> str:
    return "a tensor" if structure is None else f"a tuple of {len(structure)}"


def _compare(inference: Owned, training: Owned, sink: Sink) -> None:
    titles = (training.instance.title, inference.instance.title)
    if (inference.instance.graph is None) != (training.instance.graph is None):
        what = f"`{inference.path}` is `{titles[0]}` in training and `{titles[1]}` in inference"
        sink.report(_differs(inference, training, what))
        return
    regions = {region.name: region for region in training.instance.regions}
    for region in inference.instance.regions:
        if region.name in regions and _ends(region.graph) != _ends(regions[region.name].graph):
            path = f"{inference.path}.{region.key}" if region.key else inference.path
            what = (
                f"the layer `{path}` has different inputs or outputs in training and in inference"
            )
            sink.report(_differs(inference, training, what))
            return
    others = {parameter.name: parameter for parameter in training.parameters}
    for parameter in inference.parameters:
        name = parameter.name
        described = _described(others.get(name, parameter), parameter)
        if described[0] != described[1]:
            path = f"{inference.path}.{name}" if name else inference.path
            what = f"`{path}` is {described[0]} in training and {described[1]} in inference"
            sink.report(_differs(inference, training, what))
            return
    if titles == ("buffer", "buffer"):
        values = zip(inference.instance.regions, training.instance.regions, strict=True)
        if not all(same_graph(one.graph, two.graph) for one, two in values):
            sink.report(_two_values(training))


def _described(*tensors: Parameter) -> list[str]:
    """A text for the kind of each tensor, or for its type if both are of the same kind."""
    kinds = ["a weight" if one.learnable else "a buffer" for one in tensors]
    if len(set(kinds)) > 1:
        return kinds
    late = ["" if one.persistent else "transient " for one in tensors]
    types = [f"{'' if one.dtype is DType.F32 else one.dtype}{[*one.shape]}" for one in tensors]
    return [first + second for first, second in zip(late, types, strict=True)]


def _ends(graph: Graph) -> tuple[int, int]:
    return len(graph.inputs), len(graph.output_ports)


def _two_values(buffer: Owned) -> Diagnostic:
    return diagnostic(
        "E0409",
        f"the buffer `{buffer.path}` would have different values in training and in "
        "inference, but it is computed once",
        buffer.instance.origin.span,
        fix="declare a buffer for each mode, with different names",
        expansion=buffer.instance.origin.frames,
    )


def _differs(inference: Owned, training: Owned, what: str) -> Diagnostic:
    origin, first = training.instance.origin, inference.instance.origin
    return diagnostic(
        "E0609",
        what,
        origin.span,
        secondary=[(first.span, "the layer in inference")] if first.span != origin.span else [],
        fix="give the layers of the two modes different labels",
        expansion=origin.frames,
    )
