"""What TorchScript cannot load again, said before it is written."""

from __future__ import annotations

from archspec.diagnostics.model import CompileFailed, Diagnostic, diagnostic
from archspec.graph.compiled import Compiled
from archspec.graph.model import Instance
from archspec.graph.names import components
from archspec_torchscript.reserved import is_unreadable


def require_loadable(network: Compiled) -> None:
    """Raise CompileFailed (E0823) for names that `torch.jit.save` writes but nobody can read."""
    found = name_faults(network)
    if found:
        raise CompileFailed(found)


def name_faults(network: Compiled) -> tuple[Diagnostic, ...]:
    """What there is to say (E0823) of such names."""
    instances = [instance for graph in network.graphs for instance in graph.instances]
    keys = [one.key for one in instances] + [part.key for one in instances for part in one.regions]
    if not any(map(is_unreadable, components(keys))):
        return ()  # as most networks
    found: dict[tuple[str, object], Diagnostic] = {}
    for instance in instances:
        for name in _names(instance):
            if is_unreadable(name):
                found.setdefault((name, instance.origin.span), _diagnostic(name, instance))
    return tuple(found.values())


def _names(instance: Instance) -> list[str]:
    keys = (instance.key, *(region.key for region in instance.regions))
    return [name for key in keys for name in key.split(".")]


def _diagnostic(name: str, instance: Instance) -> Diagnostic:
    shown = "".join(char if char.isprintable() else " " for char in name)
    return diagnostic(
        "E0823",
        f"TorchScript cannot load a module with a part named `{shown}`",
        instance.origin.span,
        expansion=instance.origin.frames,
        fix="give it another label, or build with `--target torch` only",
    )
