"""Nodes at the boundaries of blocks that may be folded with nodes outside."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal, TypeAlias

from archspec.frozen import frozen
from archspec.graph.model import Graph, Instance, Node, Port, subgraphs
from archspec.passes.folding.draft import Draft, Effort
from archspec.passes.folding.patterns import channel_layout_of, linearity_of, parts_of

Kind: TypeAlias = Literal["layer", "change", "sum"]

_MEETING: frozenset[tuple[Kind, Kind]] = frozenset(
    {
        ("layer", "change"),
        ("layer", "sum"),
        ("change", "layer"),
        ("change", "change"),
        ("change", "sum"),
        ("sum", "change"),
        ("sum", "sum"),
    }
)
"""Kinds of a source and its reader that may be folded with each other."""

_NOTHING: frozenset[Kind] = frozenset()


@frozen
class Ends:
    """The kinds of nodes at the boundary of a block: readers of inputs, sources of outputs.

    Ops that preserve channels are skipped. `is_empty` means that the block only returns its inputs;
    `is_closed` that it cannot be inlined, because a region uses weights of it.
    """

    readers: tuple[frozenset[Kind], ...]
    sources: tuple[frozenset[Kind], ...]
    is_empty: bool
    is_closed: bool


def _unknown(node: Node) -> Ends:
    """For a call of a block that was not folded, because its other calls cannot be."""
    readers, sources = (_NOTHING,) * len(node.inputs), (_NOTHING,) * len(node.types)
    return Ends(readers, sources, is_empty=False, is_closed=True)


class Boundaries:
    """The kinds of adjacent nodes in a block; `known` has the ends of the blocks that it calls."""

    def __init__(self, graph: Graph, known: Mapping[Graph, Ends], shared: Collection[Instance]):
        self._graph, self._known, self._shared = graph, known, shared
        self._draft = Draft(graph, shared, Effort(0))
        self._needed = [
            node for node in graph.nodes if node.is_input or self._draft.is_needed(node.id)
        ]
        self._kinds = {node.id: self._kind(node) for node in self._needed}
        self._sources: dict[Port, frozenset[Kind]] = {}
        self._readers: dict[Port, frozenset[Kind]] = {}
        for node in self._needed:
            self._note_sources(node)
        for node in reversed(self._needed):
            self._note_readers(node)

    def ends(self) -> Ends:
        """The ends of the block."""
        nodes = [node for node in self._graph.nodes if not node.is_input]
        regions = [
            instance
            for graph in held(self._graph)
            for instance in (node.instance for node in graph.nodes)
            if instance is not None and instance in self._shared
        ]
        return Ends(
            readers=tuple(
                self._readers.get(Port(node.id), _NOTHING) for node in self._graph.inputs
            ),
            sources=tuple(self._sources.get(port, _NOTHING) for port in self._graph.output_ports),
            is_empty=all(self._is_empty(node) for node in nodes),
            is_closed=bool(regions or self._graph.ties),
        )

    def to_inline(self) -> set[int]:
        """The calls, by node, whose ends may be folded with adjacent nodes."""
        found: set[int] = set()
        for node in self._needed:
            for at, port in enumerate(node.inputs):
                maker, readers = self._graph.node(port.node), self._readers_at(node, at, port)
                sources = self._sources.get(port, _NOTHING)
                if any((source, reader) in _MEETING for source in sources for reader in readers):
                    found |= {one.id for one in (maker, node) if self.can_inline(one)}
        # a block between the two may itself only pass data on
        return found | self.empty()

    def empty(self) -> set[int]:
        """The calls of blocks that only return their inputs."""
        return {
            node.id for node in self._graph.nodes if self._is_empty(node) and self.can_inline(node)
        }

    def can_inline(self, node: Node) -> bool:
        """Whether a node is a call whose weights are used only by it."""
        if node.callee is None or self._ends_of(node).is_closed:
            return False
        return self._draft.owns(node) or self._is_empty(node)

    def _is_empty(self, node: Node) -> bool:
        return node.callee is not None and self._ends_of(node).is_empty

    def _ends_of(self, call: Node) -> Ends:
        assert call.callee is not None
        return self._known.get(call.callee) or _unknown(call)

    def _readers_at(self, node: Node, at: int, port: Port) -> frozenset[Kind]:
        """The kinds of readers of an input of a node."""
        if node.callee is not None:
            return self._ends_of(node).readers[at]
        kind = self._kinds[node.id]
        if kind is not None:
            return frozenset((kind,))
        passes = at == 0 and self._passes(node)
        return self._readers.get(Port(node.id), _NOTHING) if passes else _NOTHING

    def _note_readers(self, node: Node) -> None:
        for at, port in enumerate(node.inputs):
            readers = self._readers_at(node, at, port)
            self._readers[port] = self._readers.get(port, _NOTHING) | readers

    def _note_sources(self, node: Node) -> None:
        if node.callee is not None:
            ends = self._ends_of(node)
            for index, kinds in enumerate(ends.sources):
                passed = self._sources.get(node.inputs[0], _NOTHING) if ends.is_empty else kinds
                self._sources[Port(node.id, index)] = passed
            return
        kind, port = self._kinds[node.id], Port(node.id)
        if kind == "sum":
            before = [self._sources.get(one, _NOTHING) for one in node.inputs]
            more = "change" in frozenset().union(*before)
            self._sources[port] = frozenset(("sum", "change") if more else ("sum",))
        elif kind is not None:
            self._sources[port] = frozenset((kind,))
        elif node.inputs and self._passes(node):
            self._sources[port] = self._sources.get(node.inputs[0], _NOTHING)

    def _kind(self, node: Node) -> Kind | None:
        """The kind of a node for folding; None for others, and those that preserve channels."""
        if linearity_of(self._draft, node) is not None:
            return "layer"
        parts = parts_of(self._draft, node)
        if parts is None:
            return None
        if len(parts.terms) > 1:
            return "sum"
        return "change" if parts.is_change else None

    def _passes(self, node: Node) -> bool:
        if node.op is None or len(node.inputs) != 1:
            return False
        rank = self._draft.type_of(node.inputs[0]).rank
        return any(channel_layout_of(self._draft, node, axis) is not None for axis in range(rank))


def held(graph: Graph) -> list[Graph]:
    """The graphs of the regions of a block, and of those in them."""
    found: list[Graph] = []
    stack = [graph]
    while stack:
        for node in stack.pop().nodes:
            if node.instance is not None and node.instance.graph is None:
                below = [*subgraphs(node.instance)]
                found += below
                stack += below
    return found
