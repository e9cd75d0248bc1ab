"""From SPEC, `--set`, `--column` and `--fold` to a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from archspec.cli.console import working, write_diagnostics
from archspec.cli.spec import locate
from archspec.cli.values import Value, settings

if TYPE_CHECKING:
    from archspec.network import Network


def open_network(
    text: str, given: Sequence[str], column: int | None = None, fold: bool = False
) -> Network:
    """Compile what SPEC means, and say what there is to warn of.

    Raises CompileFailed and WrongUsage.
    """
    parameters = settings(given)
    with working(f"compiling {text}"):
        network = load_spec(text, parameters, column, fold)
    if network.warnings:
        write_diagnostics(network.warnings)
    return network


def load_spec(
    text: str, parameters: Mapping[str, Value], column: int | None = None, fold: bool = False
) -> Network:
    """Compile what SPEC means, with these parameters, and extract or fold where that is asked for.

    Raises CompileFailed and WrongUsage.
    """
    from archspec.network import load

    spec = locate(text)
    network = load(spec.path, spec.name, **parameters)
    if column is not None:
        network = network.extract(column=column)
    return network.fold() if fold else network
