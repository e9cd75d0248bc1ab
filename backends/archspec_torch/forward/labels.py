"""Names of values from the labels of the layers that make them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from archspec.graph.model import Graph, Port
from archspec_torch.code.names import is_identifier
from archspec_torch.forward.steps import Step


def names_of_branches(
    graph: Graph,
    steps: Sequence[Step],
    readers: Mapping[Port, Sequence[int]],
    own: Callable[[Port], str],
) -> dict[Port, str]:
    """For what branches give to a step that joins them: the names that their layers share.

    The layers `branch_1` and `branch_2` give `branch`. Names are given where several branches have
    some, so that they tell these apart. `own` are names that the spec has for values.
    """
    makers = {port: step for step in steps for port in step.outputs}

    def name(port: Port) -> str:
        labels: list[str] = []
        while port in makers and len(readers.get(port, ())) == 1:
            step = makers[port]
            label = _label(graph, step)
            if label is None or own(port) or not step.reads or len(step.outputs) != 1:
                return ""
            labels += [label] if label else []
            if len(set(step.reads)) != 1:
                break
            port = step.reads[0]
        return _shared(labels)

    found: dict[Port, str] = {}
    for step in steps:
        reads = dict.fromkeys(step.reads)
        if len(reads) < 2:
            continue
        names = {port: name(port) for port in reads}
        given = [one for one in names.values() if one]
        if len(given) > 1 and len(set(given)) == len(given):
            found |= {port: one for port, one in names.items() if one}
    return found


def _shared(labels: Sequence[str]) -> str:
    """A single label, or what several are without their numbers."""
    bases = {re.sub(r"_?\d+[a-z]?$", "", label) for label in labels}
    name = labels[0] if len(labels) == 1 else bases.pop() if len(bases) == 1 else ""
    return name if is_identifier(name) else ""


def _label(graph: Graph, step: Step) -> str | None:
    """What the spec calls the layer: "" where it is nothing to speak of, None where it is not."""
    if step.branch is not None:
        return None if step.branch.name.isdigit() else step.branch.name
    instance = step.node.instance
    label = instance.key.rpartition(".")[2] if instance is not None else ""
    bare = label.rstrip("0123456789").rstrip("_")
    if instance is not None and bare and bare != instance.title:
        return label
    owns = step.node.runs_graphs or bool(graph.parameters_of(step.node))
    return None if owns else ""
