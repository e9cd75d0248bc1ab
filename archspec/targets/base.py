"""The backend protocol: an object found by entry point that turns a network into files."""

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
    """A node whose op a backend cannot lower, its graph, and the reason."""

    graph: Graph
    node: Node
    reason: str


@frozen
class BuildRequest:
    """The network to build, the directory to build it in, and its weights and options.

    `directory` is temporary. If `weights` are given, the artefacts contain them and name their
    origin; otherwise `seed` determines the initial weights. `options` is an instance of the
    backend's `options` class.
    """

    network: Compiled
    directory: Path
    seed: int = 0
    weights: Weights | None = None
    options: Options = Options()


class Backend(Protocol):
    """One target of `build`. Only `build` may import heavy libraries, not its module."""

    name: str
    options: type[Options]
    holds_weights: bool
    """Whether `build` creates the weights, so they must fit in memory."""

    def coverage(self, network: Compiled) -> Iterable[Uncovered]:
        """All nodes that the backend cannot lower, in all graphs of the network.

        They are reported as E0802 before anything is written. `check` calls this too, so it must
        be fast for a network that the backend can lower.
        """
        ...

    def faults(self, network: Compiled) -> tuple[Diagnostic, ...]:
        """Other reasons why `build` refuses the network; `check` reports them as warnings.

        Finding them must not import heavy libraries. It is called for networks whose nodes are all
        covered. A backend reports its own reasons, not those of a backend that it builds upon:
        `torch` reports names of modules (E0820), layers and blocks with two forms (E0821, E0822)
        and depth (E0825), `torchscript` only the names that it cannot load (E0823).
        """
        ...

    def keeps(self, name: str) -> bool:
        """Whether the name is reserved, so that no part of the network may have it."""
        ...

    def build(self, request: BuildRequest) -> tuple[Path, ...]:
        """Write the artefacts into the directory of the request and return their paths.

        The caller moves them to their destination once all are written. OSError and MemoryError
        are reported as diagnostics; a backend raises MemoryError for its library's own
        out-of-memory errors.
        """
        ...


@runtime_checkable
class LiveBackend(Backend, Protocol):
    """A backend that can also create a module in this process."""

    def module(
        self,
        network: Compiled,
        *,
        device: object = None,
        dtype: object = None,
        seed: int = 0,
        weights: Weights | None = None,
    ) -> object:
        """The network as a live module; `device` and `dtype` are those of the backend's library.

        Raises ValueError for a dtype that is not a floating type of the library, and MemoryError.
        """
        ...
