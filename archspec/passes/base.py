"""What a pass is: something found by entry point that turns a network into another one."""

from __future__ import annotations

from typing import Any, Protocol

from archspec.frozen import frozen
from archspec.graph.compiled import Compiled
from archspec.options import Options, Request

EVERY_OTHER = "*"


@frozen
class Outcome:
    """What a pass makes of a network, and what it did, as data for those who ask."""

    network: Compiled
    did: object = None


class Pass(Protocol):
    """One pass. It changes no graph in place and keeps the names of weights that stay."""

    name: str
    summary: str
    """What it does, in one line: said of each pass where one is asked for that there is not."""
    options: type[Options]
    after: tuple[str, ...]
    """Names of passes that run before it where both are asked for; `EVERY_OTHER` for all."""

    def run(self, network: Compiled, options: Any) -> Outcome:
        """The network that it makes; the same object where there is nothing to do.

        `options` are an instance of its `options`. Both modes are its business: see
        `archspec.graph.mapping`. Raises CompileFailed where the network cannot be changed so.
        """
        ...


@frozen
class Applied:
    """A pass that has run: what was asked, the network before it, and what came of it."""

    request: Request
    before: Compiled
    outcome: Outcome
