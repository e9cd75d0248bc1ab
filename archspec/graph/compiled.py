"""A whole network: its graph in both modes, over one table of parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Literal, Protocol, TypeAlias

from archspec.frozen import frozen
from archspec.graph.model import Graph
from archspec.graph.walk import walk
from archspec.types.condition import TRUE, Condition

Mode: TypeAlias = Literal["inference", "training"]


@frozen
class NetworkParameter:
    """A parameter of a network with what its definition says of it, as text of the language.

    `default` is what it is where the network, or the preset, is compiled as it is; None for a
    parameter that must be given. `value` is what it was given from outside instead, if anything.
    """

    name: str
    type: str | None = None
    domain: str | None = None
    default: str | None = None
    value: str | None = None


class Family(Protocol):
    """The networks that one definition gives with other numbers for some of its parameters.

    All of them have the same structure: what is in `numbers`, no decision of the spec reads.
    """

    @property
    def numbers(self) -> Mapping[str, int | float]:
        """These parameters with their values; such as follow from others by default are absent."""

    def member(self, values: Mapping[str, int | float]) -> Compiled | None:
        """The network with other values; None if it has errors, or if sizes may decide on it."""


@frozen
class Compiled:
    """A network ready for analysis and backends.

    Where a block does not depend on the mode, both graphs hold the same Graph object below.
    `sizes` are the reported sizes of the free dims, in order of appearance. `where` is what the
    spec promises of its sizes; what it needs of them stands in the requirements of the graphs.
    `doc` is the comment above the definition, `parameters` are what the network can be given, and
    `family` has the networks with other numbers for them, unless a pass made the network.
    """

    name: str
    inference: Graph
    training: Graph
    sizes: Mapping[str, int] = field(default_factory=dict)
    where: Condition = TRUE
    doc: str = ""
    parameters: tuple[NetworkParameter, ...] = ()
    family: Family | None = field(default=None, compare=False, repr=False)

    def in_mode(self, mode: Mode) -> Graph:
        """Its graph in one mode."""
        return self.training if mode == "training" else self.inference

    @property
    def graphs(self) -> tuple[Graph, ...]:
        """The graphs of both modes with all below them, each once: those of inference first."""
        return tuple(dict.fromkeys((*walk(self.inference), *walk(self.training))))
