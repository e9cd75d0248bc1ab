"""Building one graph, and naming what is put into it (rules P1 of the language)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

from archspec.graph.model import (
    Draw,
    Graph,
    GraphOutput,
    InitRule,
    Instance,
    Node,
    Origin,
    Port,
    Requirement,
    Structure,
    Tie,
)
from archspec.ops.base import Parameter
from archspec.semantics.expansion.buffers import constant, require_constant
from archspec.semantics.expansion.sharing import Tape
from archspec.semantics.values.context import Context
from archspec.semantics.values.model import POISON, Tensor, Value, tensors
from archspec.source import Span
from archspec.types.tensor import TensorType

Owns: TypeAlias = "Callable[[], bool]"

AXES = 16
"""Axes of results that count for one step."""


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
    """The last number taken by default names, by the name without it."""
    requirements: dict[Requirement, None] = field(default_factory=dict)
    """Of the graph as a whole, each once; what an op needs stands at its node."""
    init_rules: list[InitRule] = field(default_factory=list)
    draws: list[Draw] = field(default_factory=list)
    ties: list[Tie] = field(default_factory=list)
    captured: dict[tuple[int, Port], tuple[Tensor, Tensor]] = field(default_factory=dict)
    shared_uses: int = 0
    """How often a shared layer was applied."""
    failed: bool = False
    frozen: bool = False

    def origin(self, context: Context, span: Span) -> Origin:
        """Where a node is made: its span and the inline expansions within this graph."""
        inner = len(context.frames) - self.depth
        return Origin(span, context.frames[:inner] if inner > 0 else ())

    def add_input(self, name: str, type_: TensorType, span: Span) -> Tensor:
        """A new input."""
        node = Node(len(self.nodes), None, (), (type_,), Origin(span), name=name)
        self.nodes.append(node)
        return Tensor(self, Port(node.id), type_)

    def add(
        self,
        context: Context,
        instance: Instance,
        inputs: tuple[Tensor, ...],
        types: tuple[TensorType, ...],
        span: Span,
        requirements: tuple[Requirement, ...] = (),
        parameters: tuple[Parameter, ...] | None = None,
    ) -> tuple[Tensor, ...]:
        """A new op or call; its results. Raises SpecError in a buffer where it is no constant.

        `parameters` are those of the op, where they are known.
        """
        if self.kind == "buffer":
            require_constant(context, instance, inputs, types, span)
        context.session.budget.node(span, context.frames)
        context.session.budget.step(span, sum([type_.rank for type_ in types]) // AXES)
        at = len(self.nodes)
        ports = tuple([item.port for item in inputs])
        origin = self.origin(context, span)
        node = Node(at, instance, ports, types, origin, context.turns)
        node.requirements, node.parameters = requirements, parameters
        self.nodes.append(node)
        return tuple([Tensor(self, Port(at, index), type_) for index, type_ in enumerate(types)])

    def require(self, needs: tuple[Requirement, ...], claimed: Tensor | None = None) -> None:
        """Keep requirements: of the graph, or of the node that made the tensor they are about."""
        if claimed is not None and claimed.builder is self:
            node = self.nodes[claimed.port.node]
            if not node.is_input:
                node.requirements += tuple(item for item in needs if item not in node.requirements)
                return
        self.requirements.update(dict.fromkeys(needs))

    @contextmanager
    def written_out(self) -> Iterator[None]:
        """While a body is carried out in place: what it needs holds where its nodes are computed.

        So its `where` and `assert` restrict no sizes when nothing of it is computed, just as those
        of a block that is called.
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
                node.requirements += tuple(item for item in own if item not in node.requirements)

    def own(self, context: Context, tensor: Tensor, span: Span) -> Tensor:
        """The tensor as one of this graph: a region captures what stands around it."""
        if tensor.builder is self:
            return tensor
        if self.kind == "buffer" and self.parent is not None:
            return constant(context, self, tensor, span)
        if self.kind != "region" or self.parent is None:
            raise context.error(
                "E0306",
                "this layer reads data from where it was written; a block sees only its arguments",
                span,
                fix="give the data to the block as an input",
            )
        outer = self.parent.own(context, tensor, span)
        key = (id(outer.builder), outer.port)
        if key not in self.captured:
            inner = self.add_input(f"captured_{len(self.captured)}", tensor.type, span)
            self.captured[key] = (outer, inner)
        return self.captured[key][1]

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
        arguments: dict[str, Value],
        structures: tuple[Structure, ...],
        origin: Origin,
        doc: str = "",
    ) -> Graph:
        """The graph."""
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
        )

    def _live(self, outputs: tuple[GraphOutput, ...]) -> tuple[Node, ...]:
        """The nodes, without those that nothing reads and that own nothing."""
        read = {port.node for output in outputs for port in output.ports}
        for node in reversed(self.nodes):
            if node.id in read or node.is_input or self._owns_weights(node):
                read.add(node.id)
                read.update([port.node for port in node.inputs])
            elif node.discarded:  # what it alone reads is discarded, too
                for port in node.inputs:
                    self.nodes[port.node].discarded |= {port.index}
        return tuple(node for node in self.nodes if node.id in read)


@dataclass(eq=False)
class Counter:
    """The next number of a numbered scope."""

    value: int = 0
    irregular: int = 0
    """Numbers passed over and labels given: names that do not follow from the number before."""


@dataclass(eq=False)
class NameScope:
    """Where new instances are named: a prefix, and a counter if the scope is numbered."""

    builder: GraphBuilder
    prefix: str = ""
    counter: Counter | None = None
    loop: Span | None = None
    """The unlabelled `for` that numbers its children in the surrounding scope."""
    loops: dict[str, Span] = field(default_factory=dict)
    """By prefix, the `for` which numbered there first."""
    tape: Tape | None = None

    def below(self, path: str, *, numbered: bool) -> NameScope:
        """The scope that a label opens."""
        return NameScope(
            self.builder,
            self.path(path),
            Counter() if numbered else None,
            None,
            self.loops,
            self.tape,
        )

    def taped(self) -> NameScope:
        """The same scope for something shared, whose instances are kept under their names."""
        tape = Tape(self.tape)
        return NameScope(self.builder, self.prefix, self.counter, self.loop, self.loops, tape)

    def again(self, start: int) -> NameScope:
        """The same scope for one more use of what is shared: it takes the same names."""
        counter = None if self.counter is None else Counter(start)
        return NameScope(self.builder, self.prefix, counter, self.loop, self.loops, self.tape)

    def _taken(self, key: str) -> Span | None:
        """Where a key was claimed; None where it is free, or shared and not used yet this time."""
        if self.tape is not None and self.tape.is_free(key):
            return None
        return self.builder.keys.get(key)

    def _take_key(self, key: str, span: Span) -> str:
        if self.tape is not None:
            self.tape.take(key)
        self.builder.keys[key] = span
        return key

    def path(self, key: str) -> str:
        """A key below the prefix."""
        return f"{self.prefix}.{key}" if self.prefix else key

    def in_loop(self, span: Span) -> NameScope:
        """The scope of an unlabelled `for` here: its children are numbered."""
        if self.counter is not None:
            return self
        return NameScope(self.builder, self.prefix, Counter(), span, self.loops, self.tape)

    def take(self, context: Context, span: Span, owns: Owns = lambda: True) -> str:
        """The next number. `owns` says whether what takes it has weights, whose name it is."""
        counter = self.counter
        if counter is None:
            raise context.error(
                "E0603",
                "`_:` takes the next number, but this scope is not numbered",
                span,
                fix="put it in a labelled group: `label: (_: ..)`",
            )
        if self.loop is not None:
            first = self.loops.setdefault(self.prefix, self.loop)
            if first != self.loop and owns():
                raise context.error(
                    "E0602",
                    "a second unlabelled `for` would number its layers in the same scope",
                    span,
                    secondary=[(first, "the first numbers them here"), (self.loop, "the second")],
                    fix="give one of the two a label: `stage: for ..`",
                )
        while self._taken(self.path(str(counter.value))) is not None:
            counter.value += 1
            counter.irregular += 1
        counter.value += 1
        return str(counter.value - 1)

    def given(self, label: str) -> str:
        """A label of the spec's own, noted where the scope is numbered."""
        if self.counter is not None:
            self.counter.irregular += 1
        return label

    def key_for(
        self,
        context: Context,
        label: str | None,
        default: str,
        span: Span,
        owns: Owns = lambda: True,
    ) -> str:
        """The key of a new instance. Raises SpecError when its label is taken."""
        if label is not None:
            return self.claim(context, self.path(label), span)
        if self.counter is not None:
            return self.claim(context, self.path(self.take(context, span, owns)), span)
        first, key = self.path(default), self.path(available(context, default))
        number = self.builder.numbers.get(first, 0) if self.tape is None else 0
        while self._taken(key) is not None:
            number += 1
            key = f"{first}_{number}"
        self.builder.numbers[first] = max(number, self.builder.numbers.get(first, 0))
        return self._take_key(key, span)

    def claim(self, context: Context, key: str, span: Span) -> str:
        """Take a key that must be free."""
        taken = self._taken(key)
        if taken == span:
            raise context.error(
                "E0601",
                f"the label `{key}` is taken by an earlier turn of the same line",
                span,
                fix='put what differs into the label: `"layer{i}": ..`',
            )
        if taken is not None:
            raise context.error(
                "E0601",
                f"the label `{key}` is taken in this block",
                span,
                secondary=[(taken, "by this")],
                fix="choose another label",
            )
        return self._take_key(key, span)


def available(context: Context, name: str) -> str:
    """A derived name, with a `_` behind it where the parts of a module cannot be called so."""
    return f"{name}_" if context.session.reserved(name) else name


def pack(structure: Structure, items: list[Tensor]) -> Value:
    """Data of a form, from its tensors, which are taken from the front."""
    if structure is None:
        return items.pop(0) if items else POISON
    return tuple(pack(part, items) for part in structure)


def structure_of(data: Value) -> Structure:
    """The form of data."""
    if isinstance(data, tuple):
        return tuple(structure_of(item) for item in data)
    return None


def ports_of(data: Value) -> tuple[Port, ...]:
    """The ports of data, flattened."""
    return tuple(item.port for item in tensors(data))
