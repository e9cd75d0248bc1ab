"""What a backend is: something found by entry point that turns a network into files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol, runtime_checkable

from archspec.diagnostics.model import Diagnostic
from archspec.frozen import frozen
from archspec.graph.compiled import Compiled
from archspec.graph.model import Graph, Node
from archspec.options import Options
from archspec.targets.weights import Weights


@frozen
class Uncovered:
    """A node of an op that a backend cannot lower, the graph where it stands, and the reason."""

    graph: Graph
    node: Node
    reason: str


@frozen
class BuildRequest:
    """What is to be built, and where.

    `directory` is a temporary one. With `weights` the artefacts have these, and say where they come
    from; without, `seed` decides the initial ones. `options` are an instance of the `options` of
    the backend.
    """

    network: Compiled
    directory: Path
    seed: int = 0
    weights: Weights | None = None
    options: Options = Options()


class Backend(Protocol):
    """One target of `build`. Its module imports nothing heavy; `build` may."""

    name: str
    options: type[Options]
    holds_weights: bool
    """Whether `build` makes the weights, so that they must have room in memory."""

    def coverage(self, network: Compiled) -> Iterable[Uncovered]:
        """Every node that it cannot lower, in all graphs of the network.

        They are reported as E0802 before anything is written. `check` asks for them too, so a
        network of ops that it can lower costs next to nothing.
        """
        ...

    def faults(self, network: Compiled) -> tuple[Diagnostic, ...]:
        """What `build` refuses of a network beside ops without lowering; `check` warns of it.

        It is found without anything heavy, where `coverage` names all nodes. A backend gives what
        it refuses itself, not what one refuses that it builds upon: `torch` gives names of modules
        (E0820), layers and blocks of two forms (E0821, E0822) and depth (E0825), `torchscript`
        only the names that it cannot load (E0823).
        """
        ...

    def keeps(self, name: str) -> bool:
        """Whether a part of what it builds cannot have this name."""
        ...

    def build(self, request: BuildRequest) -> tuple[Path, ...]:
        """Write the artefacts into the directory of the request and return their paths.

        They are moved to their places when all is done; OSError is reported as a diagnostic, and
        so is MemoryError, which a backend raises whatever its library raises for that.
        """
        ...


@runtime_checkable
class LiveBackend(Backend, Protocol):
    """A backend that also makes a module in this process."""

    def module(
        self,
        network: Compiled,
        *,
        device: object = None,
        dtype: object = None,
        seed: int = 0,
        weights: Weights | None = None,
    ) -> object:
        """The network as a live module; `device` and `dtype` are those of its library.

        Raises ValueError for a dtype that is none of its floating types, MemoryError.
        """
        ...
