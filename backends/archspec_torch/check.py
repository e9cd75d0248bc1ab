"""What cannot be written as PyTorch, said as diagnostics."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from archspec.diagnostics.model import CompileFailed, Diagnostic, diagnostic
from archspec.graph.compiled import Compiled
from archspec.graph.model import Graph, Instance, Node
from archspec.graph.names import components
from archspec.ops.base import Op
from archspec.targets.base import Uncovered
from archspec.targets.lowering import unlowered
from archspec_torch.depth import depth_faults
from archspec_torch.reserved import is_module_name

OWN_OPS = "archspec.ops."
"""Where the ops stand that come with archspec: every one of them has a lowering."""


def unsupported_ops(network: Compiled) -> Mapping[str, str]:
    """Ops of the network that have no lowering, with the reason."""
    graphs = network.graphs
    if not _has_ops_of_others(graphs):
        return {}
    from archspec_torch.lowering import lowerings, unsupported  # noqa: PLC0415  (a third of a check)

    names = {one.op.name for graph in graphs for one in graph.instances if one.op is not None}
    missing, reasons = sorted(names - lowerings().keys()), unsupported()
    return {name: reasons.get(name, "no lowering to PyTorch is known") for name in missing}


def uncovered(network: Compiled) -> Iterator[Uncovered]:
    """The nodes of such ops."""
    reasons = unsupported_ops(network)
    for graph in network.graphs if reasons else ():
        for node in graph.nodes:
            if node.op is not None and node.op.name in reasons:
                yield Uncovered(graph, node, reasons[node.op.name])


def require_supported(network: Compiled) -> None:
    """Raise CompileFailed when something of the network has no form in PyTorch."""
    missing = unlowered(network, {"torch": uncovered(network)})
    found = [*missing, *_name_faults(network.graphs), *depth_faults(network)]
    if found:
        raise CompileFailed(found)


def _name_faults(graphs: Iterable[Graph]) -> list[Diagnostic]:
    instances = [instance for graph in graphs for instance in graph.instances]
    if not any(map(is_module_name, components(instance.key for instance in instances))):
        return []  # as most networks
    found: list[Diagnostic] = []
    for instance in instances:
        clash = next(filter(is_module_name, instance.key.split(".")), "")
        if clash:
            message = f"a PyTorch module cannot have a part named `{clash}`"
            found.append(_at("E0820", message, instance, "give it another label"))
    return found


def foreseen(network: Compiled) -> tuple[Diagnostic, ...]:
    """What `build` refuses of a network, said without torch and mostly without its lowerings.

    Ops without lowering are left out: see `uncovered`.
    """
    graphs = network.graphs
    faults = (*_name_faults(graphs), *depth_faults(network))
    if faults or unsupported_ops(network):
        return faults
    if _several_forms(graphs) or _modes_differ(network):
        from archspec.graph.units import plan  # noqa: PLC0415
        from archspec_torch.forms import form_faults  # noqa: PLC0415

        return form_faults(plan(network))
    return ()


def _has_ops_of_others(graphs: Iterable[Graph]) -> bool:
    kinds = {type(instance.op) for graph in graphs for instance in graph.instances}
    return any(issubclass(kind, Op) and not kind.__module__.startswith(OWN_OPS) for kind in kinds)


def _several_forms(graphs: Iterable[Graph]) -> bool:
    """Whether a name is that of several instances in one graph, or of one on data of two types."""
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
    """Whether an op has other attributes in training than in inference."""
    pairs = [(network.inference, network.training)]
    seen: set[tuple[Graph, Graph]] = set()
    while pairs:
        left, right = pairs.pop()
        if left is right or (left, right) in seen:
            continue
        seen.add((left, right))
        others = {instance.key: instance for instance in right.instances if instance.key}
        for instance in left.instances:
            other = others.get(instance.key)
            if other is None:
                continue
            if instance.graph is not None and other.graph is not None:
                pairs.append((instance.graph, other.graph))
            elif instance.op != other.op:
                return True
    return False


def _at(code: str, message: str, instance: Instance, fix: str | None = None) -> Diagnostic:
    span, frames = instance.origin.span, instance.origin.frames
    return diagnostic(code, message, span, expansion=frames, fix=fix)
