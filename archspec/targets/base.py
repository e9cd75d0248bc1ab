"""What a backend is: something found by entry point that turns a network into files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from archspec.diagnostics.model import Diagnostic
from archspec.frozen import frozen
from archspec.graph.compiled import Compiled


@dataclass(frozen=True, eq=False)
class Weights:
    """Values from outside for every parameter and buffer in the state dict of a network.

    `tensors` are torch's, by full name, in the order of the network. `source` names the file, and
    `liberties` say what was done to make them fit ("without `module.`").
    """

    tensors: Mapping[str, Any]
    source: str
    liberties: tuple[str, ...] = ()

    @property
    def origin(self) -> str:
        """Where they come from, in words."""
        return ", ".join((self.source, *self.liberties))


@frozen
class Taking:
    """What of a file of weights is taken: see `Network.read_weights`."""

    entry: str | None = None
    ignore: tuple[str, ...] = ()
    rename: tuple[tuple[str, str], ...] = ()


EVERYTHING = Taking()


class Backend(Protocol):
    """One target of `build`. Its module imports nothing heavy; `build` may."""

    name: str
    holds_weights: bool
    """Whether `build` makes the weights, so that they must have room in memory."""

    def build(
        self, network: Compiled, directory: Path, seed: int, weights: Weights | None = None
    ) -> tuple[Path, ...]:
        """Write the artefacts into `directory` (a temporary one) and return their paths.

        They are moved to their places when all is done; OSError is reported as a diagnostic.
        With `weights` the artefacts have these, and say where they come from.
        """
        ...

    def keeps(self, name: str) -> bool:
        """Whether a part of what it builds cannot have this name."""
        ...

    def faults(self, network: Compiled) -> tuple[Diagnostic, ...]:
        """What `build` refuses of a network beside ops without lowering; `check` warns of it.

        It is found without anything heavy, where `unsupported` names all ops. A backend gives what
        it refuses itself, not what one refuses that it builds upon: `torch` gives names of modules
        (E0820), layers and blocks of two forms (E0821, E0822) and depth (E0825), `torchscript`
        only the names that it cannot load (E0823).
        """
        ...

    def unsupported(self, network: Compiled) -> Mapping[str, str]:
        """Ops in the network that it cannot lower, with the reason; they are reported as E0802.

        `check` asks for it too, so a network of ops that it can lower costs next to nothing.
        """
        ...
