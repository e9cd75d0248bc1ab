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
    """A parameter of a network, as declared in its definition, as text of the language.

    `default` is its value in the network, or in the preset, as written; None for a parameter
    without a default. `value` is the value given from outside instead, if any.
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

    def member(self, own: Compiled, values: Mapping[str, int | float]) -> Compiled | None:
        """The network `own` with other values; None if it has errors, or if sizes may decide."""


@frozen
class Compiled:
    """A network ready for analysis and backends.

    A block that does not depend on the mode is the same Graph object in both. `sizes` are the
    reported sizes of the free dims, in order of appearance. `where` is the condition that the spec
    promises about the sizes; the needs on sizes are in the requirements of the graphs. `doc` is the
    comment above the definition, `parameters` are those that the network accepts, and `family` has
    the networks with other numbers for them, unless a pass created the network.
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
