"""The data of an expanded graph: a flat list of nodes in groups."""

from __future__ import annotations

from typing import Literal, TypeAlias

from archspec.diagnostics.model import Frame
from archspec.frozen import frozen
from archspec.graph.model import Graph, Node
from archspec.source import NOWHERE, Span
from archspec.types.dim import Dim
from archspec.types.tensor import TensorType

FlatPort: TypeAlias = "tuple[int, int]"
"""Index of a flat node, and of one of its outputs."""


@frozen
class Final:
    """A node in the last of several growing pieces, and the graph that it is in."""

    node: Node
    graph: Graph


@frozen
class Step:
    """A size that grows from the input of the first of several pieces to the output of the last."""

    start: Dim
    end: Dim
    each: Dim


@frozen
class Tap:
    """One of `count` pieces of a repetition; the first has the `number` 0."""

    number: int
    count: int


@frozen
class FlatNode:
    """A node of the flat graph.

    `path` is the full name of its instance; `chain` the call sites that lead to it, innermost
    first; `group` the innermost group that it is in. For growing pieces, which are listed once,
    `node` is in the first, and `final` in the last, whose outputs have the `types`.
    """

    index: int
    kind: Literal["input", "op", "call", "output"]
    name: str
    path: str
    types: tuple[TensorType, ...]
    inputs: tuple[FlatPort, ...]
    chain: tuple[Frame, ...] = ()
    group: int | None = None
    node: Node | None = None
    graph: Graph | None = None  # that the node is in
    count: int = 1  # number of equal consecutive nodes that it represents
    last: str = ""  # key of the last of these
    also: tuple[tuple[int, FlatPort], ...] = ()  # further inputs, each with the place of one
    uses: int = 1  # number of uses of a shared layer that it represents, each with its inputs
    shared: bool = False  # whether there are other uses of the layer in its group
    final: Final | None = None
    growth: tuple[Step, ...] = ()  # what several growing nodes in sequence pass on
    times: tuple[int, ...] = ()  # for each input, of how many pieces it has the outputs
    tap: Tap | None = None  # the piece that it reads, of outputs collected from several

    @property
    def first_types(self) -> tuple[TensorType, ...]:
        """The types of the outputs in the first of several growing pieces."""
        return self.node.types if self.final is not None and self.node is not None else self.types

    @property
    def sources(self) -> tuple[FlatPort, ...]:
        """All that it reads, without order."""
        return (*self.inputs, *(port for _, port in self.also))


@frozen
class Group:
    """A group of nodes: those of an expanded block, or one of `count` equal pieces."""

    index: int
    parent: int | None
    kind: Literal["block", "repeat"]
    path: str
    graph: Graph | None = None
    count: int = 1
    key: str = ""  # of the call, below the block that it is in
    last: str = ""  # key of the last of several equal calls
    origin: Span = NOWHERE  # of the call
    pieces: tuple[tuple[str, ...], ...] = ()  # of the first and the last equal piece, their keys
    uses: int = 1  # number of uses of a shared block that it represents
    shared: bool = False  # whether there are other uses of the block in the same group
    final: Graph | None = None  # of the last of several growing pieces
    growth: tuple[Step, ...] = ()  # what several growing pieces in sequence pass on


@frozen
class Flat:
    """An expanded graph. Nodes are in topological order.

    `collected` has the ports that represent one output of each of several pieces.
    """

    nodes: tuple[FlatNode, ...]
    groups: tuple[Group, ...]
    collected: frozenset[FlatPort] = frozenset()

    def type_of(self, port: FlatPort) -> TensorType:
        """Type of a port."""
        return self.nodes[port[0]].types[port[1]]
