"""What a backend is: something found by entry point that turns a network into files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from archspec.graph.compiled import Compiled


class Backend(Protocol):
    """One target of `build`. Its module imports nothing heavy; `build` may."""

    name: str
    holds_weights: bool
    """Whether `build` makes the weights, so that they must have room in memory."""

    def build(self, network: Compiled, directory: Path, seed: int) -> tuple[Path, ...]:
        """Write the artefacts into `directory` (a temporary one) and return their paths."""
        ...

    def unsupported(self, network: Compiled) -> Mapping[str, str]:
        """Ops in the network that it cannot lower, with the reason."""
        ...
