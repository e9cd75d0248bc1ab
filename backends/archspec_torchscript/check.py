"""What TorchScript cannot load again, said before it is written."""

from __future__ import annotations

from archspec.diagnostics.model import CompileFailed, Diagnostic, diagnostic
from archspec.graph.compiled import Compiled
from archspec.graph.model import Instance, walk
from archspec_torchscript.reserved import is_unreadable


def require_loadable(network: Compiled) -> None:
    """Raise CompileFailed (E0823) for names that `torch.jit.save` writes but nobody can read."""
    found = name_faults(network)
    if found:
        raise CompileFailed(found)


def name_faults(network: Compiled) -> tuple[Diagnostic, ...]:
    """What there is to say (E0823) of such names."""
    found: dict[tuple[str, object], Diagnostic] = {}
    for top in (network.inference, network.training):
        for graph in walk(top):
            for instance in graph.instances:
                for name in filter(is_unreadable, _components(instance)):
                    found.setdefault((name, instance.origin.span), _diagnostic(name, instance))
    return tuple(found.values())


def _components(instance: Instance) -> list[str]:
    keys = (instance.key, *(region.key for region in instance.regions))
    return [component for key in keys for component in key.split(".")]


def _diagnostic(name: str, instance: Instance) -> Diagnostic:
    shown = "".join(char if char.isprintable() else " " for char in name)
    return diagnostic(
        "E0823",
        f"TorchScript cannot load a module with a part named `{shown}`",
        instance.origin.span,
        expansion=instance.origin.frames,
        fix="give it another label, or build with `--target torch` only",
    )
