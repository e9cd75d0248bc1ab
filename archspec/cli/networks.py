"""Loads a network from SPEC, `--set`, `--size` and the requested passes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from archspec.cli.console import working, write_diagnostics
from archspec.cli.guard import WrongUsage
from archspec.cli.passes import Passes
from archspec.cli.spec import locate
from archspec.cli.values import Value, settings, sizes

if TYPE_CHECKING:
    from archspec.network import Network


def open_network(
    text: str, given: Sequence[str], passes: Passes, sized: Sequence[str] = ()
) -> Network:
    """Compile the network of SPEC and print its warnings.

    `given` are the texts of `--set`, `sized` those of `--size`. Raises CompileFailed and
    WrongUsage.
    """
    parameters, chosen = settings(given), sizes(sized)
    with working(f"compiling {text}"):
        network = load_spec(text, parameters, passes)
    require_free(network, chosen)
    if chosen:
        try:
            network = network.at(**chosen)
        except ValueError as fault:
            raise WrongUsage(f"--size: {fault}") from None
    if network.warnings:
        write_diagnostics(network.warnings)
    return network


def load_spec(text: str, parameters: Mapping[str, Value], passes: Passes) -> Network:
    """Compile the network of SPEC with these parameters, and apply the passes.

    Raises CompileFailed and WrongUsage.
    """
    from archspec.loading import load

    spec = locate(text)
    return load(spec.path, spec.name, **parameters).with_passes(passes.requests())


def require_free(network: Network, names: Iterable[str], instead: str = "--set {}=..") -> None:
    """Raise WrongUsage for a name that is not a free dimension of the network.

    `instead` is the option to suggest if the name is a parameter.
    """
    free = network.compiled.sizes
    for name in names:
        if name not in free:
            hint = f"it has: {', '.join(free) or 'none'}"
            if any(one.name == name for one in network.compiled.parameters):
                hint = f"`{name}` is a parameter: {instead.format(name)}"
            raise WrongUsage(f"{network.name} has no free dimension `{name}`", hint)
