"""What a pass is: something found by entry point that turns a network into another one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict

from archspec.frozen import frozen
from archspec.graph.compiled import Compiled

EVERY_OTHER = "*"


class Options(BaseModel):
    """What can be said of a pass: each field with its type and, unless it must be said, a default.

    On the command line values are texts, which pydantic reads: `extract{column=3}`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")


@frozen
class Outcome:
    """What a pass makes of a network, and what it did, as data for those who ask."""

    network: Compiled
    did: object = None


class Pass(Protocol):
    """One pass. It changes no graph in place and keeps the names of weights that stay."""

    name: str
    summary: str
    """What it does, in one line, for `archspec passes` and the docs."""
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
class Request:
    """A pass that is asked for, by name, with values for its options."""

    name: str
    options: Mapping[str, object] = field(default_factory=dict)


@frozen
class Applied:
    """A pass that has run: what was asked, the network before it, and what came of it."""

    request: Request
    before: Compiled
    outcome: Outcome
