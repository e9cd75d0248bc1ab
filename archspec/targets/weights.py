"""External weights: the core's data model, and the protocol of backends that read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

from archspec.frozen import frozen

if TYPE_CHECKING:
    from archspec.graph.compiled import Compiled
    from archspec.passes.folding.fold import Folding

Given: TypeAlias = "str | Path | Mapping[str, object]"
"""A file, or the content of one: a state dict, or a mapping with state dicts as entries."""


class Array(Protocol):
    """The values of one parameter or buffer, as an array of the library that read them."""

    @property
    def shape(self) -> Sequence[int]:
        """The sizes of the axes."""
        ...

    @property
    def dtype(self) -> object:
        """The element type of the array's library."""
        ...


@dataclass(frozen=True, eq=False)
class Weights:
    """External values for every parameter and buffer in the state dict of a network.

    `tensors` holds tensors of the backend that read them, by full name, in the order of the
    network. `source` names the file, and `liberties` lists the adaptations that made them fit
    ("without `module.`").
    """

    tensors: Mapping[str, Array]
    source: str
    liberties: tuple[str, ...] = ()

    @property
    def origin(self) -> str:
        """The source and the adaptations, as text."""
        return ", ".join((self.source, *self.liberties))


@frozen
class Taking:
    """Which weights to take from a file, and their new names: see `Network.read_weights`."""

    entry: str | None = None
    ignore: tuple[str, ...] = ()
    rename: tuple[tuple[str, str], ...] = ()


EVERYTHING = Taking()


@runtime_checkable
class WeightStore(Protocol):
    """A backend that can read weights and fold them as prescribed by a folding pass."""

    name: str

    def read_weights(
        self,
        network: Compiled,
        given: Given,
        *,
        whole: Compiled | None = None,
        names_only: bool = False,
        folding: Folding | None = None,
        taking: Taking = EVERYTHING,
    ) -> Weights:
        """The weights in a file or a state dict, exactly those of the network.

        Weights of `whole`, the network that this one was extracted from, are accepted too. For a
        network made by a `folding`, weights of the original network are accepted and folded. With
        `names_only`, values are ignored. Raises CompileFailed: E0840, E0841, E0842.
        """
        ...

    def first_folded(self, folding: Folding, seed: int) -> Weights:
        """The initial weights of the original network, folded. Raises MemoryError."""
        ...
