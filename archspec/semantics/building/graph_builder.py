"""A graph under construction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from archspec.frozen import frozen
from archspec.graph.expression import Decides, Expression
from archspec.graph.inference import other_needs
from archspec.graph.model import (
    Draw,
    Graph,
    GraphOutput,
    InitRule,
    Instance,
    Iteration,
    Node,
    Origin,
    Port,
    Requirement,
    Structure,
    Tie,
)
from archspec.ops.base import Parameter
from archspec.source import Span
from archspec.types.tensor import TensorType


@frozen
class Tensor:
    """A port of the graph under construction.

    `one` is whether it is certainly one tensor, and not a tuple of one: see `single_tensors`.
    """

    builder: GraphBuilder
    port: Port
    type: TensorType
    one: bool = field(default=False, compare=False, repr=False)


@dataclass(eq=False)
class GraphBuilder:
    """A graph under construction."""

    name: str
    kind: str
    parent: GraphBuilder | None = None
    depth: int = 0  # number of frames outside this graph
    nodes: list[Node] = field(default_factory=list)
    keys: dict[str, Span] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    """The last number used for each default name."""
    requirements: dict[Requirement, None] = field(default_factory=dict)
    """Requirements of the whole graph, without duplicates; those of an op are at its node."""
    init_rules: list[InitRule] = field(default_factory=list)
    draws: list[Draw] = field(default_factory=list)
    ties: list[Tie] = field(default_factory=list)
    captured: dict[tuple[GraphBuilder, Port], tuple[Tensor, Tensor]] = field(default_factory=dict)
    """Captured or taken tensors, outside and inside, by their builder and port outside."""
    shared_uses: int = 0
    """How often a shared layer was applied."""
    failed: bool = False
    frozen: bool = False
    owner: object = None
    """The definition whose names recorded expressions use; see `Environment.owner`."""
    names: dict[str, Any] = field(default_factory=dict)
    """Numbers and sizes, by those names."""
    defaults: dict[str, Expression] = field(default_factory=dict)
    definitions: dict[str, Expression] = field(default_factory=dict)
    decided: list[Any] = field(default_factory=list)
    """Conditions that the body evaluates, with their environments: see `conditions_of`."""
    decisions: Callable[[], tuple[Expression, ...]] = tuple
    """The same as expressions, computed on demand."""
    decisive: Callable[[], Mapping[str, Decides]] = dict

    def add_input(self, name: str, type_: TensorType, span: Span) -> Tensor:
        """Add an input."""
        node = Node(len(self.nodes), None, (), (type_,), Origin(span), name=name)
        self.nodes.append(node)
        return Tensor(self, Port(node.id), type_)

    def add(
        self,
        instance: Instance,
        inputs: tuple[Tensor, ...],
        types: tuple[TensorType, ...],
        origin: Origin,
        iterations: tuple[Iteration, ...] = (),
        requirements: tuple[Requirement, ...] = (),
        parameters: tuple[Parameter, ...] | None = None,
    ) -> tuple[Tensor, ...]:
        """Add an op or call and return its results. `parameters` are those of the op, if known."""
        at = len(self.nodes)
        ports = tuple([item.port for item in inputs])
        node = Node(at, instance, ports, types, origin, iterations)
        node.requirements, node.parameters = requirements, parameters
        self.nodes.append(node)
        return tuple([Tensor(self, Port(at, index), type_) for index, type_ in enumerate(types)])

    def require(self, needs: tuple[Requirement, ...], claimed: Tensor | None = None) -> None:
        """Add requirements to the graph, or to the node that made the tensor they constrain."""
        if claimed is not None and claimed.builder is self:
            node = self.nodes[claimed.port.node]
            if not node.is_input:
                node.requirements += other_needs(needs, node.requirements)
                return
        self.requirements.update(dict.fromkeys(needs))

    @contextmanager
    def written_out(self) -> Iterator[None]:
        """Attach the requirements of a body expanded in place to the nodes made meanwhile.

        So its `where` and `assert` restrict no sizes if none of it is computed, as for a block that
        is called.
        """
        around, first = self.requirements, len(self.nodes)
        self.requirements = {}
        try:
            yield
        finally:
            own, self.requirements = tuple(self.requirements), around
            made = self.nodes[first:]
            if own and not made:
                around.update(dict.fromkeys(own))
            for node in made if own else ():
                node.requirements += other_needs(own, node.requirements)

    def _owns_weights(self, node: Node) -> bool:
        instance = node.instance
        if instance is None or instance.graph is not None or instance.regions:
            return instance is not None
        types = tuple(self.type_of(port) for port in node.inputs)
        return bool(instance.op is not None and instance.op.parameters(*types))

    def type_of(self, port: Port) -> TensorType:
        """The type of a port."""
        return self.nodes[port.node].types[port.index]

    def finish(
        self,
        outputs: tuple[GraphOutput, ...],
        arguments: Mapping[str, Any],
        structures: tuple[Structure, ...],
        origin: Origin,
        doc: str = "",
    ) -> Graph:
        """The finished graph."""
        return Graph(
            self.name,
            self.kind,
            self._live(outputs),
            outputs,
            arguments,
            structures,
            tuple(self.requirements),
            tuple(self.init_rules),
            tuple(self.draws),
            origin,
            doc,
            self.frozen,
            tuple(self.ties),
            self.names,
            self.defaults,
            self.definitions,
            self.decisions,
            self.decisive,
        )

    def _live(self, outputs: tuple[GraphOutput, ...]) -> tuple[Node, ...]:
        """The nodes, except those that own nothing and whose results are not used."""
        read = {port.node for output in outputs for port in output.ports}
        for node in reversed(self.nodes):
            if node.id in read or node.is_input or self._owns_weights(node):
                read.add(node.id)
                read.update([port.node for port in node.inputs])
            elif node.discarded:  # whatever only it reads is discarded, too
                for port in node.inputs:
                    self.nodes[port.node].discarded |= {port.index}
        return tuple(node for node in self.nodes if node.id in read)
