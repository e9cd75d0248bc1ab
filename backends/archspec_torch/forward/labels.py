"""Names of values in the spec: their own, those of values computed from them, and labels."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from archspec.graph.codegen.conditions import ALWAYS
from archspec.graph.model import Graph, Node, Port
from archspec.graph.names import name_of_value
from archspec_torch.code.names import is_identifier
from archspec_torch.forward.lifetimes import Lifetimes
from archspec_torch.forward.steps import Step


def own_name(graph: Graph, port: Port) -> str:
    """The name to which the spec binds a value, or ""."""
    node = graph.node(port.node)
    name = name_of_value(node.name, port.index, len(node.types))
    return name if is_identifier(name) else ""


def list_name(node: Node, fallback: str) -> str:
    """The name to which the spec binds all results of a node, or its label."""
    key = node.instance.key.split(".")[-1] if node.instance else ""
    names = node.name.split(", ")
    base = names[0].removesuffix("_0")
    whole = names == [f"{base}_{number}" for number in range(len(names))]
    return next(filter(is_identifier, (base if whole else node.name, key)), fallback)


def wanted_names(graph: Graph, steps: Sequence[Step]) -> dict[Port, str]:
    """For each value its name in the spec, or that of the value computed from it, or its branch."""
    readers = Lifetimes(graph, steps).readers
    branches = _names_of_branches(graph, steps, readers)
    return _names_of_results(
        steps, lambda port: own_name(graph, port) or branches.get(port, ""), readers
    )


def _names_of_branches(
    graph: Graph, steps: Sequence[Step], readers: Mapping[Port, Sequence[int]]
) -> dict[Port, str]:
    """The names of the results of branches that a step joins: the common part of their labels.

    The layers `branch_1` and `branch_2` give `branch`. Results are named only if several branches
    have such labels, so that the names distinguish them.
    """
    makers = {port: step for step in steps for port in step.outputs}

    def name(port: Port) -> str:
        labels: list[str] = []
        while port in makers and len(readers.get(port, ())) == 1:
            step = makers[port]
            label = _label(graph, step)
            if label is None or own_name(graph, port) or not step.reads or len(step.outputs) != 1:
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
            short = _without_common_ending(given)
            found |= {port: short[one] for port, one in names.items() if one}
    return found


def _without_common_ending(labels: Sequence[str]) -> dict[str, str]:
    """`q` and `k` for `q_proj` and `k_proj`; the labels themselves if they end differently."""
    parts = {label: label.rpartition("_") for label in labels}
    same = len({ending for _, _, ending in parts.values()}) == 1
    if same and all(is_identifier(base) for base, _, _ in parts.values()):
        return {label: base for label, (base, _, _) in parts.items()}
    return {label: label for label in labels}


def _shared(labels: Sequence[str]) -> str:
    """A single label, or the common part of several without their numbers."""
    bases = {re.sub(r"_?\d+[a-z]?$", "", label) for label in labels}
    name = labels[0] if len(labels) == 1 else bases.pop() if len(bases) == 1 else ""
    return name if is_identifier(name) else ""


def _label(graph: Graph, step: Step) -> str | None:
    """The label of the layer in the spec: "" if it is generic, None if there is none."""
    if step.branch is not None:
        return None if step.branch.name.isdigit() else step.branch.name
    instance = step.node.instance
    label = instance.key.rpartition(".")[2] if instance is not None else ""
    bare = label.rstrip("0123456789").rstrip("_")
    if instance is not None and bare and bare != instance.title:
        return label
    owns = step.node.runs_graphs or bool(graph.parameters_of(step.node))
    return None if owns else ""


def _names_of_results(
    steps: Sequence[Step], own: Callable[[Port], str], readers: Mapping[Port, Sequence[int]]
) -> dict[Port, str]:
    """The name of each port in the spec: its own, or that of the value computed from it.

    A value that is only used for another one has the name of that one from the start, so that no
    other variable keeps a tensor that is not needed any more. So has the value that an iteration of
    a loop only passes on to the next one.
    """
    found: dict[Port, str] = {}
    conditions = {step.last.id: step.condition for step in steps}
    makers = {port: step.node for step in steps for port in step.outputs}
    for step in reversed(steps):
        for port in step.outputs:
            if own(port):
                found[port] = own(port)
        reads = set(step.reads)
        if len(reads) > 1:
            reads = {port for port in reads if _is_previous(makers.get(port), step.node)}
        if len(step.outputs) != 1 or len(reads) != 1 or step.outputs[0] not in found:
            continue
        (read,) = reads
        guarded = step.condition != conditions.get(read.node, ALWAYS)
        if len(readers.get(read, ())) == 1 and not guarded:
            found[read] = found[step.outputs[0]]
    return found


def _is_previous(maker: Node | None, node: Node) -> bool:
    """Whether it is the same call in the previous iteration of a loop."""
    if maker is None or node.callee is None or not node.iterations or not maker.iterations:
        return False
    *around, last = maker.iterations
    *others, own = node.iterations
    is_next = around == others and last.loop == own.loop and last.index + 1 == own.index
    return is_next and maker.callee is not None and maker.callee.name == node.callee.name
