"""What cannot be written as PyTorch, said as diagnostics."""

from __future__ import annotations

from collections.abc import Mapping

from archspec.diagnostics.model import CompileFailed, Diagnostic, diagnostic
from archspec.graph.compiled import Compiled
from archspec.graph.model import Graph, Instance, walk
from archspec_torch.lowering import lowerings, unsupported
from archspec_torch.names import is_module_name


def unsupported_ops(network: Compiled) -> Mapping[str, str]:
    """Ops of the network that have no lowering, with the reason."""
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
            clash = next(filter(is_module_name, instance.key.split(".")), "")
            if clash:
                message = f"a PyTorch module cannot have a part named `{clash}`"
                found.append(_at("E0820", message, instance, "give it another label"))
    return found


def _at(code: str, message: str, instance: Instance, fix: str | None = None) -> Diagnostic:
    span, frames = instance.origin.span, instance.origin.frames
    return diagnostic(code, message, span, expansion=frames, fix=fix)


def _graphs(network: Compiled) -> list[Graph]:
    found = {id(graph): graph for graph in walk(network.inference)}
    found.update({id(graph): graph for graph in walk(network.training)})
    return list(found.values())
