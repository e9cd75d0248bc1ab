"""From SPEC, `--set` and the passes that are asked for to a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from archspec.cli.console import working, write_diagnostics
from archspec.cli.passes import Passes
from archspec.cli.spec import locate
from archspec.cli.values import Value, settings

if TYPE_CHECKING:
    from archspec.network import Network


def open_network(text: str, given: Sequence[str], passes: Passes) -> Network:
    """Compile what SPEC means, and say what there is to warn of.

    Raises CompileFailed and WrongUsage.
    """
    parameters = settings(given)
    with working(f"compiling {text}"):
        network = load_spec(text, parameters, passes)
    if network.warnings:
        write_diagnostics(network.warnings)
    return network


def load_spec(text: str, parameters: Mapping[str, Value], passes: Passes) -> Network:
    """Compile what SPEC means, with these parameters, and let the passes run.

    Raises CompileFailed and WrongUsage.
    """
    from archspec.loading import load

    spec = locate(text)
    return load(spec.path, spec.name, **parameters).with_passes(passes.requests())
