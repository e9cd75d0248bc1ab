"""The graph: one per specialised block, shared by all its calls.

A `Graph` holds nodes in topological order. A node is an input of the block, an op, or a call of
another graph. Weights belong to an `Instance`; two nodes with the same instance share them. Nested
tuples of data are flattened into ports; `Structure` stores their form.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any, TypeAlias

import networkx

from archspec.diagnostics.model import Frame
from archspec.frozen import frozen
from archspec.graph.expression import Decides, Expression
from archspec.graph.wiring import ordered, wired
from archspec.ops.base import Op, Parameter
from archspec.source import NOWHERE, Span
from archspec.types.condition import Condition
from archspec.types.initialiser import Initialiser
from archspec.types.tensor import TensorType

Structure: TypeAlias = "tuple[Structure, ...] | None"
"""The form of data: None is one tensor, a tuple is a tuple of forms."""


def leaves(structure: Structure) -> int:
    """Number of tensors in data of this form."""
    return 1 if structure is None else sum(leaves(part) for part in structure)


@frozen
class Port:
    """One output of one node."""

    node: int
    index: int = 0


@frozen
class Origin:
    """The place in the text of a node or instance, and the inline expansions that lead to it."""

    span: Span = NOWHERE
    frames: tuple[Frame, ...] = ()


_UNKNOWN = Origin()
_NOTHING: Mapping[str, Expression] = MappingProxyType({})


@frozen
class Iteration:
    """An iteration of a `for`: which loop (its span names it) and which iteration, from 0."""

    loop: Span
    index: int


@frozen
class Region:
    """A layer that an op applies. Its graph has the inputs that the op passes, then captures.

    `captured` has the ports of the surrounding graph that the captures read; they are also the last
    inputs of the node. `key` is the name of its weights, relative to that of the op.
    """

    name: str
    key: str
    graph: Graph
    captured: int = 0


@dataclass(eq=False, slots=True)
class Instance:
    """Something that may own weights: an op with its attributes, or a use of a graph.

    `key` is the dotted path below the block that owns it, unique among instances with weights; it
    is "" for unnamed operations such as arithmetic. `explicit` attributes are those written in the
    spec (an `init` statement does not override them).
    """

    key: str
    op: Op | None = None
    graph: Graph | None = None
    regions: tuple[Region, ...] = ()
    origin: Origin = _UNKNOWN
    explicit: frozenset[str] = frozenset()
    frozen: bool = False  # stays in inference mode, and its weights are not trained
    source: Mapping[str, Expression] | Callable[[], Mapping[str, Expression]] | None = None
    """`written`, or a function that computes it on demand."""

    @property
    def written(self) -> Mapping[str, Expression]:
        """Expressions of attributes, or of arguments of the block; see `graph.expression`."""
        if callable(self.source):
            self.source = self.source()
        return _NOTHING if self.source is None else self.source

    @property
    def title(self) -> str:
        """Name of the op, as it is written, or of the definition."""
        if self.op is not None:
            return self.op.written_as or self.op.name
        return self.graph.name if self.graph is not None else ""


@dataclass(eq=False, slots=True)
class Node:
    """An input (no instance), an op or a call. `types` are its outputs, flattened.

    `id` is its number, to which ports refer; it never changes. Of nodes that do not depend on each
    other, the one with the smaller `rank` comes first.
    """

    id: int
    instance: Instance | None
    inputs: tuple[Port, ...]
    types: tuple[TensorType, ...]
    origin: Origin = _UNKNOWN
    iterations: tuple[Iteration, ...] = ()
    name: str = ""  # the input's name, or the variable the result was bound to
    output_structure: Structure = None
    requirements: tuple[Requirement, ...] = ()  # its needs on sizes
    discarded: frozenset[int] = frozenset()  # the outputs that are unused on purpose
    rank: tuple[int, ...] = ()  # (id,) by default
    measured: tuple[tuple[int, int, str], ...] = ()  # (output, axis, name): sizes bound to names
    parameters: tuple[Parameter, ...] | None = field(default=None, init=False)
    """The tensors of its op, once they are known: `Graph.parameters_of` returns them."""

    def __post_init__(self) -> None:
        if not self.rank:
            self.rank = (self.id,)

    @property
    def op(self) -> Op | None:
        """The op, if it is one."""
        return self.instance.op if self.instance is not None else None

    @property
    def callee(self) -> Graph | None:
        """The called graph, if it is a call."""
        return self.instance.graph if self.instance is not None else None

    @property
    def runs_graphs(self) -> bool:
        """Whether it is a call, or an op with regions."""
        one = self.instance
        return one is not None and (one.graph is not None or bool(one.regions))

    @property
    def is_input(self) -> bool:
        """Whether it is an input of the block."""
        return self.instance is None


@frozen
class Requirement:
    """Sizes must satisfy `condition`; `reason` is a text for messages, `origin` the place.

    If `chosen`, the spec itself set this limit, so that it may leave finitely many sizes.
    """

    condition: Condition
    reason: str
    origin: Origin
    training_only: bool = False
    chosen: bool = False


@frozen
class GraphOutput:
    """A named output: a `structure` of consecutive ports. Unnamed outputs are called "output"."""

    name: str
    ports: tuple[Port, ...]
    structure: Structure = None


@frozen
class InitRule:
    """`init conv.weight = ..`: the initialiser for a parameter of every such op below."""

    op: str
    parameter: str
    initialiser: Initialiser
    origin: Origin = field(default=Origin(), compare=False)


@frozen
class Tie:
    """The weights called `name` are those called `source`; both are full names below the graph."""

    name: str
    source: str
    origin: Origin = field(default=Origin(), compare=False)


@frozen
class Draw:
    """A random draw shared by the joins that name it; see the op `join`."""

    name: str
    policy: str = "mixed"  # "local", "global" or "mixed"
    ratio: float = 0.5  # of mini-batches drawn globally, if mixed


@dataclass(eq=False)
class Graph:
    """One specialised block. `doc` is the comment above its definition."""

    name: str
    kind: str  # "block", "network", "rule", "region", "buffer", or "iteration" of a loop
    nodes: tuple[Node, ...]
    outputs: tuple[GraphOutput, ...]
    arguments: Mapping[str, Any] = field(default_factory=dict)  # by parameter, as given
    input_structures: tuple[Structure, ...] = ()  # types of its inputs
    requirements: tuple[Requirement, ...] = ()  # of the block as a whole, from its `where`
    init_rules: tuple[InitRule, ...] = ()
    draws: tuple[Draw, ...] = ()
    origin: Origin = _UNKNOWN
    doc: str = ""
    frozen: bool = False  # whether all of its instances are frozen
    ties: tuple[Tie, ...] = ()
    names: Mapping[str, Any] = field(default_factory=dict)
    """The values of the names in `Instance.written`: parameters, and sizes that the body binds."""
    defaults: Mapping[str, Expression] = field(default_factory=dict)
    """Defaults of parameters, over the parameters before them."""
    definitions: Mapping[str, Expression] = field(default_factory=dict)
    """The expressions of sizes that the body binds to names, in order."""
    decided: tuple[Expression, ...] | Callable[[], tuple[Expression, ...]] = ()
    """`decisions`, or a function that computes them."""
    decisive: Callable[[], Mapping[str, Decides]] = dict
    """Finds the names that change more than numbers in this graph."""

    wires: networkx.MultiDiGraph[int] = field(init=False, repr=False)
    """The graph itself: numbers of nodes with the attribute `node`, and an edge for each input. The
    key of an edge is the index of the input; `output` is the index of the output that it comes
    from, and `type` the type of the data. `nodes` are the same nodes, in topological order."""

    def __post_init__(self) -> None:
        self.wires = wired(self.name, self.nodes)
        self.nodes = ordered(self.wires, self.nodes)

    @cached_property
    def decisions(self) -> tuple[Expression, ...]:
        """The conditions on names of the block that its `if` and its clauses evaluate."""
        return self.decided() if callable(self.decided) else self.decided

    @cached_property
    def _by_number(self) -> dict[int, Node]:
        return {node.id: node for node in self.nodes}

    @cached_property
    def place(self) -> Mapping[int, int]:
        """The position of each node in the order, by number."""
        return {node.id: place for place, node in enumerate(self.nodes)}

    @cached_property
    def consumers(self) -> Mapping[Port, Sequence[Node]]:
        """The readers of each port, in order, once for each use."""
        found: dict[Port, list[Node]] = {}
        for node in self.nodes:
            for port in node.inputs:
                found.setdefault(port, []).append(node)
        return found

    def node(self, number: int) -> Node:
        """The node with this number. Raises KeyError if there is none."""
        return self._by_number[number]

    def places(self, ports: Iterable[Port]) -> tuple[tuple[int, int], ...]:
        """Ports by the positions of their nodes, to compare graphs; numbers have no meaning."""
        return tuple([(self.place[port.node], port.index) for port in ports])

    def in_order(self, numbers: Iterable[int]) -> tuple[Node, ...]:
        """The nodes with these numbers, without duplicates, in topological order."""
        return tuple(
            self._by_number[number] for number in sorted(set(numbers), key=self.place.__getitem__)
        )

    @cached_property
    def inputs(self) -> tuple[Node, ...]:
        """The input nodes, in order; one per tensor."""
        return tuple(node for node in self.nodes if node.is_input)

    @cached_property
    def input_types(self) -> tuple[TensorType, ...]:
        """Types of all inputs."""
        return tuple(kind for node in self.inputs for kind in node.types)

    @cached_property
    def output_ports(self) -> tuple[Port, ...]:
        """All outputs flattened."""
        return tuple(port for output in self.outputs for port in output.ports)

    @cached_property
    def output_types(self) -> tuple[TensorType, ...]:
        """Types of all outputs, flattened."""
        return tuple(self.type_of(port) for port in self.output_ports)

    @cached_property
    def instances(self) -> tuple[Instance, ...]:
        """The instances, without duplicates, in order of first use.

        A shared block that is applied to several shapes is one instance for each of its graphs, all
        with one key and the same weights: the first one represents all.
        """
        found: dict[str | Instance, Instance] = {}
        for node in self.nodes:
            if node.instance is not None:
                found.setdefault(node.instance.key or node.instance, node.instance)
        return tuple(found.values())

    @cached_property
    def callees(self) -> tuple[Graph, ...]:
        """Graphs that it calls or that are regions in it, without duplicates."""
        return self._called_by(self.nodes)

    def _called_by(self, nodes: Iterable[Node]) -> tuple[Graph, ...]:
        instances = [node.instance for node in nodes if node.instance is not None]
        return tuple(dict.fromkeys(graph for one in instances for graph in subgraphs(one)))

    def type_of(self, port: Port) -> TensorType:
        """Type of a port."""
        return self._by_number[port.node].types[port.index]

    def types_read(self, node: Node) -> tuple[TensorType, ...]:
        """Types of the inputs of a node; captures of its layers come last."""
        return tuple([self.type_of(port) for port in node.inputs])

    def parameters_of(self, node: Node) -> tuple[Parameter, ...]:
        """The tensors that the op of a node owns; none for an input or a call."""
        if node.parameters is None:
            op = node.op
            node.parameters = op.parameters(*self.types_read(node)) if op is not None else ()
        return node.parameters

    @cached_property
    def computed(self) -> frozenset[int]:
        """Numbers of the nodes that its outputs need; the others are not computed.

        Costs, sizes and the generated code are those of these nodes. All outputs of a block are
        computed, even if no caller reads them. The weights of the other nodes still belong to the
        block.
        """
        return needed(self, (port.node for port in self.output_ports))

    @cached_property
    def computed_callees(self) -> tuple[Graph, ...]:
        """The callees of the nodes that are computed, without duplicates."""
        return self._called_by(node for node in self.nodes if node.id in self.computed)

    @cached_property
    def is_read(self) -> bool:
        """Whether all nodes but inputs are computed, and all results of calls and regions read."""
        layers = [node for node in self.nodes if node.instance is not None]
        if any(node.id not in self.computed for node in layers):
            return False
        several = [node for node in layers if len(node.types) > 1 and node.runs_graphs]
        read = self.read_ports if several else ()
        return all(Port(node.id, at) in read for node in several for at in range(len(node.types)))

    @property
    def read_ports(self) -> set[Port]:
        """The ports that computed nodes read, or that are outputs of the graph."""
        found = {port for number in self.computed for port in self._by_number[number].inputs}
        return found.union(self.output_ports)

    @cached_property
    def size_requirements(self) -> tuple[Requirement, ...]:
        """Its own needs on sizes, without those of the graphs that it calls, without duplicates."""
        computed = [node for node in self.nodes if node.id in self.computed]
        needs = (need for node in computed for need in node.requirements)
        return tuple(dict.fromkeys((*self.requirements, *needs)))


def subgraphs(instance: Instance) -> Iterator[Graph]:
    """The graph that an instance calls, and those of its regions."""
    if instance.graph is not None:
        yield instance.graph
    for region in instance.regions:
        yield region.graph


def needed(graph: Graph, ends: Iterable[int]) -> frozenset[int]:
    """Numbers of the nodes that these nodes need, including themselves."""
    found: set[int] = set()
    for end in sorted(set(ends), key=graph.place.__getitem__, reverse=True):
        if end not in found:
            found.add(end)
            found |= networkx.ancestors(graph.wires, end)
    return frozenset(found)
