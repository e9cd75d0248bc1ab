"""Reports networks that TorchScript cannot compile or load, before anything is written."""

from __future__ import annotations

import ast

from archspec.diagnostics.failure import CompileFailed
from archspec.diagnostics.model import Diagnostic, diagnostic
from archspec.graph.compiled import Compiled
from archspec.graph.model import Instance, Node
from archspec.graph.names import components
from archspec.types.atoms import Extreme, FloorDiv
from archspec.types.dim import Dim
from archspec_torchscript.reserved import is_unreadable

WIDEST = 2**63 - 1
"""The largest integer in the text of a module."""


def require_loadable(network: Compiled) -> None:
    """Raise CompileFailed for a network that `torch.jit` cannot compile, or cannot load again.

    E0823 for names, E0824 for numbers.
    """
    found = foreseen(network)
    if found:
        raise CompileFailed(found)


def foreseen(network: Compiled) -> tuple[Diagnostic, ...]:
    """The errors of names (E0823) and of numbers (E0824)."""
    return name_faults(network) or number_faults(network)


def number_faults(network: Compiled) -> tuple[Diagnostic, ...]:
    """The error (E0824) for a size in generated code with a number beyond 64 bits.

    Only generated code counts, so the source is generated if the network has such a size.
    """
    node = _with_wide_size(network)
    if node is None:
        return ()
    from archspec_torch.source import python_source  # noqa: PLC0415  (hardly ever needed)

    try:
        text, _ = python_source(network)
    except CompileFailed:  # with the reports of the torch backend
        return ()
    numbers = [item.value for item in ast.walk(ast.parse(text)) if isinstance(item, ast.Constant)]
    if not any(isinstance(number, int) and number > WIDEST for number in numbers):
        return ()
    origin = node.origin
    message = "a size of this result has a number that does not fit in TorchScript's 64 bits"
    fix = "build with `--target torch` only"
    return (diagnostic("E0824", message, origin.span, expansion=origin.frames, fix=fix),)


def _with_wide_size(network: Compiled) -> Node | None:
    """The first node with such a size in its result."""
    narrow: set[Dim] = set()
    for graph in network.graphs:
        for node in graph.nodes:
            sizes = {size for kind in node.types for size in kind.shape} - narrow
            if any(map(_is_wide, sizes)):
                return node
            narrow |= sizes
    return None


def _is_wide(size: Dim) -> bool:
    if any(abs(factor) > WIDEST for _, factor in size.terms):
        return True
    for atom in size.atoms:
        if isinstance(atom, FloorDiv):
            if atom.divisor > WIDEST or _is_wide(atom.numerator):
                return True
        elif isinstance(atom, Extreme) and any(map(_is_wide, atom.sides)):
            return True
    return False


def name_faults(network: Compiled) -> tuple[Diagnostic, ...]:
    """The errors (E0823) of such names."""
    instances = [instance for graph in network.graphs for instance in graph.instances]
    keys = [one.key for one in instances] + [part.key for one in instances for part in one.regions]
    if not any(map(is_unreadable, components(keys))):
        return ()  # the most frequent case
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
