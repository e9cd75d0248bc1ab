"""The interface of a pass, which transforms a network and is discovered by entry point."""

from __future__ import annotations

from typing import Any, Protocol

from archspec.frozen import frozen
from archspec.graph.compiled import Compiled
from archspec.options import Options, Request

EVERY_OTHER = "*"


@frozen
class Outcome:
    """The result of a pass: the new network, and a description of the changes as data."""

    network: Compiled
    did: object = None


class Pass(Protocol):
    """A pass. It changes no graph in place and keeps the names of the remaining weights."""

    name: str
    summary: str
    """What it does, in one line, for the list of passes if an unknown one is requested."""
    options: type[Options]
    after: tuple[str, ...]
    """Names of passes that run before it if both are requested; `EVERY_OTHER` for all."""

    def run(self, network: Compiled, options: Any) -> Outcome:
        """The new network; the same object if there is nothing to do.

        `options` are an instance of its `options`. It is responsible for both modes: see
        `archspec.graph.mapping`. Raises CompileFailed if the network cannot be changed in this way.
        """
        ...


@frozen
class Applied:
    """A pass that has run: its options, the network before it, and the result."""

    request: Request
    before: Compiled
    outcome: Outcome
