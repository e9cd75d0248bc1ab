"""Diagnostics for networks that cannot be written as PyTorch."""

from __future__ import annotations

from collections.abc import Iterable

from archspec.diagnostics.failure import CompileFailed
from archspec.diagnostics.model import Diagnostic, diagnostic
from archspec.graph.compiled import Compiled
from archspec.graph.forms import forms, walk_forms
from archspec.graph.model import Graph, Instance, Node
from archspec.graph.names import components
from archspec.targets.lowering import unlowered
from archspec_torch.checks.coverage import uncovered, unsupported_ops
from archspec_torch.checks.depth import depth_faults
from archspec_torch.reserved import is_module_name


def require_supported(network: Compiled) -> None:
    """Raise CompileFailed if a part of the network cannot be written as PyTorch."""
    missing = unlowered(network, {"torch": uncovered(network)})
    found = [*missing, *_name_faults(network.graphs), *depth_faults(network)]
    if found:
        raise CompileFailed(found)


def _name_faults(graphs: Iterable[Graph]) -> list[Diagnostic]:
    instances = [instance for graph in graphs for instance in graph.instances]
    if not any(map(is_module_name, components(instance.key for instance in instances))):
        return []  # the most frequent case
    found: list[Diagnostic] = []
    for instance in instances:
        clash = next(filter(is_module_name, instance.key.split(".")), "")
        if clash:
            message = f"a PyTorch module cannot have a part named `{clash}`"
            found.append(_at("E0820", message, instance, "give it another label"))
    return found


def foreseen(network: Compiled) -> tuple[Diagnostic, ...]:
    """The reasons to refuse a network, found without torch and mostly without lowerings.

    Ops without a lowering are not included: see `uncovered`.
    """
    graphs = network.graphs
    faults = (*_name_faults(graphs), *depth_faults(network))
    if faults or unsupported_ops(network):
        return faults
    if _several_forms(graphs) or _modes_differ(network):
        from archspec.graph.units import plan  # noqa: PLC0415
        from archspec_torch.checks.forms import form_faults  # noqa: PLC0415

        return form_faults(plan(network))
    return ()


def _several_forms(graphs: Iterable[Graph]) -> bool:
    """Whether a name belongs to several instances in one graph, or to one with two input types."""
    first: dict[Instance, tuple[Graph, Node]] = {}
    for graph in graphs:
        instances: dict[str, Instance] = {}
        for node in graph.nodes:
            instance = node.instance
            if instance is None or not instance.key:
                continue
            if instances.setdefault(instance.key, instance) is not instance:
                return True
            other, place = first.setdefault(instance, (graph, node))
            if place is not node and other.types_read(place) != graph.types_read(node):
                return True
    return False


def _modes_differ(network: Compiled) -> bool:
    """Whether an op has different attributes in training and in inference."""
    blocks = walk_forms(forms(network), least=2).values()
    return any(
        item.instance.op != items[0].instance.op
        for names in blocks
        for items in names
        for item in items
    )


def _at(code: str, message: str, instance: Instance, fix: str | None = None) -> Diagnostic:
    span, frames = instance.origin.span, instance.origin.frames
    return diagnostic(code, message, span, expansion=frames, fix=fix)
