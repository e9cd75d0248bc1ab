"""What cannot be written as PyTorch, said as diagnostics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from archspec.diagnostics.model import CompileFailed, Diagnostic, diagnostic
from archspec.graph.compiled import Compiled
from archspec.graph.model import Graph, Instance, Structure, leaves, walk
from archspec_torch.lowering import lowerings, unsupported
from archspec_torch.names import is_module_name
from archspec_torch.units import Unit, results


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


def require_one_form(units: Iterable[Unit]) -> None:
    """Raise CompileFailed (E0824) for outputs that are of another form in training."""
    found = []
    for unit in units:
        for result in results(unit):
            one, two = result.inference, result.training
            if one is None or two is None or one.structure == two.structure:
                continue
            graph = unit.either
            message = (
                f"`{result.name}` of `{graph.name}` is {_form(two.structure)} in training and "
                f"{_form(one.structure)} in inference"
            )
            fix = "give each part an output of its own, `output name = .. when training`"
            found.append(diagnostic("E0824", message, graph.origin.span, fix=fix))
    if found:
        raise CompileFailed(found)


def _form(structure: Structure) -> str:
    if structure is None:
        return "one tensor"
    count = leaves(structure)
    return f"a tuple of {count} tensor{'' if count == 1 else 's'}"


def _graphs(network: Compiled) -> list[Graph]:
    found = {id(graph): graph for graph in walk(network.inference)}
    found.update({id(graph): graph for graph in walk(network.training)})
    return list(found.values())
