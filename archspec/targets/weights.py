"""Weights from outside: what they are to the core, and what a backend that reads them can do."""

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
"""A file, or what such a file holds: a state dict, or one in entries."""


class Array(Protocol):
    """The values of one parameter or buffer, an array of the library that read them."""

    @property
    def shape(self) -> Sequence[int]:
        """Its sizes."""
        ...

    @property
    def dtype(self) -> object:
        """What its elements are, in the words of its library."""
        ...


@dataclass(frozen=True, eq=False)
class Weights:
    """Values from outside for every parameter and buffer in the state dict of a network.

    `tensors` are those of the backend that read them, by full name, in the order of the network.
    `source` names the file, and `liberties` say what was done to make them fit ("without
    `module.`").
    """

    tensors: Mapping[str, Array]
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


@runtime_checkable
class WeightStore(Protocol):
    """What reads weights, and folds them as a pass of folding says: a backend that does so."""

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
        """The weights in a file or a state dict, every one of the network and no others.

        Those of `whole`, the network that this one was extracted from, will do too, and where it
        was made by a `folding` those of the network as it was, which are folded. Where
        `names_only` holds, values do not count. Raises CompileFailed: E0840, E0841, E0842.
        """
        ...

    def first_folded(self, folding: Folding, seed: int) -> Weights:
        """The weights with which the network as it was begins, folded. Raises MemoryError."""
        ...
