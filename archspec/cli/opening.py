"""From SPEC, `--set`, `--column` and `--fold` to a network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from archspec.cli.console import working, write_diagnostics
from archspec.cli.spec import locate
from archspec.cli.values import settings

if TYPE_CHECKING:
    from archspec.network import Network


def open_network(
    text: str, given: Sequence[str], column: int | None = None, fold: bool = False
) -> Network:
    """Compile what SPEC means, and say what there is to warn of.

    Raises CompileFailed and WrongUsage.
    """
    from archspec.network import load

    spec = locate(text)
    parameters = settings(given)
    with working(f"compiling {text}"):
        network = load(spec.path, spec.name, **parameters)
        if column is not None:
            network = network.extract(column=column)
        if fold:
            network = network.fold()
    if network.warnings:
        write_diagnostics(network.warnings)
    return network
