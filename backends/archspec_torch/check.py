"""What cannot be written as PyTorch, said as diagnostics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from archspec.diagnostics.model import CompileFailed, Diagnostic, diagnostic
from archspec.graph.compiled import Compiled
from archspec.graph.model import Graph, Instance, walk
from archspec.types.tensor import TensorType
from archspec_torch.reserved import is_module_name

OWN_OPS = "archspec.ops."
"""Where the ops stand that come with archspec: every one of them has a lowering."""

LARGEST_TRIAL = 3_000
"""Nodes of a network whose source is written only to see whether it can be."""


def unsupported_ops(network: Compiled) -> Mapping[str, str]:
    """Ops of the network that have no lowering, with the reason."""
    from archspec_torch.lowering import lowerings, unsupported  # noqa: PLC0415  (a third of a check)

    reasons = unsupported()
    found: dict[str, str] = {}
    for graph in _graphs(network):
        for instance in graph.instances:
            if instance.op is not None and instance.op.name not in lowerings():
                name = instance.op.name
                found.setdefault(name, reasons.get(name, "no lowering to PyTorch is known"))
    return found


def require_supported(network: Compiled) -> None:
    """Raise CompileFailed when something of the network has no form in PyTorch."""
    found = list(_diagnostics(network))
    if found:
        raise CompileFailed(found)


def _diagnostics(network: Compiled) -> list[Diagnostic]:
    missing = unsupported_ops(network)
    found: list[Diagnostic] = []
    for graph in _graphs(network):
        for instance in graph.instances:
            if instance.op is not None and instance.op.name in missing:
                reason = missing[instance.op.name]
                message = f"target `torch` has no lowering for `{instance.op.name}`: {reason}"
                found.append(_at("E0802", message, instance))
    return [*found, *_name_faults(network)]


def _name_faults(network: Compiled) -> list[Diagnostic]:
    found: list[Diagnostic] = []
    for graph in _graphs(network):
        for instance in graph.instances:
            clash = next(filter(is_module_name, instance.key.split(".")), "")
            if clash:
                message = f"a PyTorch module cannot have a part named `{clash}`"
                found.append(_at("E0820", message, instance, "give it another label"))
    return found


def foreseen(network: Compiled) -> tuple[Diagnostic, ...]:
    """What `build` refuses of a network, said without torch and mostly without its lowerings.

    Where more than names may be refused, and the network is not too large, its source is written.
    """
    graphs = _graphs(network)
    size = sum(len(graph.nodes) for graph in graphs)
    special = any(map(_is_special, graphs)) or _several_forms(graphs) or _modes_differ(network)
    if size <= LARGEST_TRIAL and special:
        from archspec_torch.source import python_source  # noqa: PLC0415

        try:
            python_source(network)
        except CompileFailed as failure:
            return failure.diagnostics
        return ()
    return tuple(_name_faults(network))


def _is_special(graph: Graph) -> bool:
    """Whether a graph has ops of others, or one instance in several forms."""
    used = {id(node.instance) for node in graph.nodes if node.instance is not None}
    if len(graph.instances) < len(used):
        return True
    ops = (instance.op for instance in graph.instances)
    return any(op is not None and not type(op).__module__.startswith(OWN_OPS) for op in ops)


def _several_forms(graphs: Iterable[Graph]) -> bool:
    """Whether one instance with a name is applied to data of several types."""
    taken: dict[int, tuple[TensorType, ...]] = {}
    for graph in graphs:
        for node in graph.nodes:
            if node.instance is not None and node.instance.key:
                types = tuple(graph.type_of(port) for port in node.inputs)
                if taken.setdefault(id(node.instance), types) != types:
                    return True
    return False


def _modes_differ(network: Compiled) -> bool:
    """Whether an op has other attributes in training than in inference."""
    pairs, seen = [(network.inference, network.training)], set()
    while pairs:
        left, right = pairs.pop()
        if left is right or (id(left), id(right)) in seen:
            continue
        seen.add((id(left), id(right)))
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


def _graphs(network: Compiled) -> list[Graph]:
    found = {id(graph): graph for graph in walk(network.inference)}
    found.update({id(graph): graph for graph in walk(network.training)})
    return list(found.values())
