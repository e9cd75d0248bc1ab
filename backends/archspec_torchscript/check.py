"""What TorchScript cannot load again, said before it is written."""

from __future__ import annotations

from archspec.diagnostics.model import CompileFailed, Diagnostic, diagnostic
from archspec.graph.compiled import Compiled
from archspec.graph.model import Instance, walk

KEYWORDS = frozenset(
    """
    Ellipsis False None NoneType True and as assert break class continue def del elif else for
    global if import in is not or pass raise return while with
    """.split()  # noqa: SIM905  (a table)
)
"""Words of the language in which a scripted module is saved; it writes names as they are."""


def require_loadable(network: Compiled) -> None:
    """Raise CompileFailed (E0823) for names that `torch.jit.save` writes but nobody can read."""
    found: dict[tuple[str, object], Diagnostic] = {}
    for top in (network.inference, network.training):
        for graph in walk(top):
            for instance in graph.instances:
                for name in filter(_unreadable, _components(instance)):
                    found.setdefault((name, instance.origin.span), _diagnostic(name, instance))
    if found:
        raise CompileFailed(found.values())


def _components(instance: Instance) -> list[str]:
    keys = (instance.key, *(region.key for region in instance.regions))
    return [component for key in keys for component in key.split(".")]


def _unreadable(name: str) -> bool:
    return name in KEYWORDS or any(char in '"\\' or not " " <= char <= "~" for char in name)


def _diagnostic(name: str, instance: Instance) -> Diagnostic:
    shown = "".join(char if char.isprintable() else " " for char in name)
    return diagnostic(
        "E0823",
        f"TorchScript cannot load a module with a part named `{shown}`",
        instance.origin.span,
        expansion=instance.origin.frames,
        fix="give it another label, or build with `--target torch` only",
    )
