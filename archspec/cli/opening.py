"""From SPEC, `--set` and `--column` to a network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from archspec.cli.console import working
from archspec.cli.spec import locate, network_name
from archspec.cli.values import settings

if TYPE_CHECKING:
    from archspec.network import Network


def open_network(text: str, given: Sequence[str], column: int | None = None) -> Network:
    """Compile what SPEC means. Raises CompileFailed and WrongUsage."""
    from archspec.network import load

    spec = locate(text)
    name = network_name(spec)
    parameters = settings(given)
    with working(f"compiling {name}"):
        network = load(spec.path, name, **parameters)
        return network if column is None else network.extract(column=column)
