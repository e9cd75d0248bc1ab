"""Editing graphs: nodes keep their numbers, and their readers are tracked.

A graph is never changed in place, because calls, modes and memos share it. An `Edit` is a copy that
is changed step by step, and `graph` returns the result:

    edit = Edit(graph)
    for node in graph.nodes:
        if isinstance(node.op, Dropout):
            edit.bypass(node.id)
    changed = edit.graph()

`mapping.map_network` applies such a function to every graph of a network.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any

from archspec.diagnostics.model import Frame
from archspec.graph.inference import inferred, kept_needs, other_needs, own_inputs
from archspec.graph.model import (
    Graph,
    Instance,
    Node,
    Origin,
    Port,
    Requirement,
    Tie,
)
from archspec.graph.names import join_path
from archspec.graph.outlining import outline, shared_iterations, used
from archspec.graph.ties import with_ties_left
from archspec.types.condition import TRUE, Condition
from archspec.types.tensor import TensorType

OUTPUT = -1
"""The reader of a port that is an output of the graph."""


class Edit:
    """A graph while it is being changed.

    `given` is the condition that the network states about its sizes, `Compiled.where`: the needs of
    inserted ops are kept unless it implies them.
    """

    def __init__(self, graph: Graph, given: Condition = TRUE) -> None:
        self._graph, self._given = graph, given
        self._nodes = {node.id: node for node in graph.nodes}
        self._next = max(self._nodes, default=-1) + 1
        self._readers: dict[Port, list[int]] = {}
        self.outputs = list(graph.outputs)
        self.requirements = list(graph.requirements)
        self.ties = list(graph.ties)
        self.draws = list(graph.draws)
        for output in self.outputs:
            for port in output.ports:
                self._readers.setdefault(port, []).append(OUTPUT)
        for node in graph.nodes:
            self._read(node)

    # ------------------------------------------------------------------ reading

    def __contains__(self, number: int) -> bool:
        """Whether there is a node with this number."""
        return number in self._nodes

    @property
    def numbers(self) -> tuple[int, ...]:
        """The current numbers of its nodes, by rank."""
        return tuple(sorted(self._nodes, key=lambda number: self._nodes[number].rank))

    def node(self, number: int) -> Node:
        """The current node with this number. Raises KeyError if there is none."""
        return self._nodes[number]

    def type_of(self, port: Port) -> TensorType:
        """Type of a port."""
        return self._nodes[port.node].types[port.index]

    def readers(self, port: Port) -> tuple[int, ...]:
        """The nodes that read a port, once for each use, and `OUTPUT` for each output."""
        return tuple(self._readers.get(port, ()))

    def is_read(self, number: int) -> bool:
        """Whether anything reads a node."""
        return bool(self._readers_of(number))

    # ------------------------------------------------------------------ changing

    def redirect(
        self,
        old: Port,
        new: Port,
        *,
        keep: Collection[int] = (),
        needs: Sequence[Requirement] = (),
    ) -> tuple[int, ...]:
        """Make the readers of a port, including outputs, read another, except the nodes in `keep`.

        `needs` are the conditions on sizes under which the old port had its value: the redirected
        readers need them now. Returns these readers, with `OUTPUT` for outputs. Raises ValueError
        if the ports have different types.
        """
        wanted, found = self.type_of(old), self.type_of(new)
        if wanted != found:
            message = f"node {new.node} returns {found}, but node {old.node} returns {wanted}"
            raise ValueError(f"{message}: its readers cannot read the other")
        moving = [number for number in self._readers.get(old, ()) if number not in keep]
        self._readers[old] = [number for number in self._readers.get(old, ()) if number in keep]
        self._readers.setdefault(new, []).extend(moving)
        for number in dict.fromkeys(moving):
            if number == OUTPUT:
                self.outputs = [
                    replace(item, ports=_moved(item.ports, old, new)) for item in self.outputs
                ]
            else:
                node = self._nodes[number]
                self._nodes[number] = replace(node, inputs=_moved(node.inputs, old, new))
        self.require_to_read(new, moving, needs)
        return tuple(moving)

    def require_to_read(
        self, port: Port, readers: Iterable[int], needs: Sequence[Requirement]
    ) -> None:
        """Add needs to some readers of a port; for an output, to the node that yields it."""
        for number in dict.fromkeys(readers):
            self.require(port.node if number == OUTPUT else number, needs)

    def require(self, number: int, needs: Iterable[Requirement]) -> None:
        """Add needs on sizes to a node; for an input, to the graph."""
        node = self._nodes[number]
        if node.is_input:
            self.requirements += other_needs(needs, self.requirements)
        elif more := other_needs(needs, node.requirements):
            self.put(number, requirements=node.requirements + more)

    def bypass(self, number: int, index: int = 0) -> None:
        """Make the readers of a node with one output read its input instead, and remove the node.

        The needs of the node on sizes are kept, by its readers.
        """
        node = self._nodes[number]
        self.replace(number, node.inputs[index], needs=node.requirements)

    def replace(
        self, number: int, *ports: Port, needs: Sequence[Requirement] = ()
    ) -> tuple[int, ...]:
        """Make the readers of a node read other ports, one per output, and remove the node.

        The node of the last port, if it was inserted, takes over name, iterations and rank, and the
        origin if it has none. If a node of the new ports reads the old node, it continues to do
        so and is kept. `needs` and the result are those of `redirect`, so the needs of the node
        itself are dropped. Raises ValueError for another number or other types of ports.
        """
        old = self._nodes[number]
        if len(ports) != len(old.types):
            raise ValueError(f"node {number} has {len(old.types)} outputs, not {len(ports)}")
        keep = {port.node for port in ports}
        readers: list[int] = []
        for index, port in enumerate(ports):
            readers += self.redirect(Port(number, index), port, keep=keep, needs=needs)
        if self.is_read(number) or old.is_input:
            return tuple(readers)
        self.erase(number)
        new = self._nodes.get(ports[-1].node) if ports else None
        if new is not None and new.id not in self._graph.place:
            origin = old.origin if new.origin == Origin() else new.origin
            needed = tuple([replace(item, origin=origin) for item in new.requirements])
            taken = {
                "name": old.name,
                "iterations": old.iterations,
                "rank": old.rank,
                "origin": origin,
            }
            self.put(new.id, requirements=needed, **taken)
        return tuple(readers)

    def put(self, number: int, **changes: Any) -> Node:
        """Change fields of a node, such as `inputs`, `instance` and `types`."""
        before = self._nodes[number]
        made = self._nodes[number] = replace(before, **changes)
        if made.inputs != before.inputs:
            self._unread(before)
            self._read(made)
        return made

    def insert(
        self,
        instance: Instance,
        inputs: Sequence[Port],
        *,
        given: Condition | None = None,
        origin: Origin | None = None,
    ) -> Node:
        """A new op or call, as early as its inputs allow.

        Types are inferred, and the needs of the op are kept unless `given`, by default that of the
        edit, implies them. Raises OpError if the op does not accept the inputs.
        """
        given = self._given if given is None else given
        types = tuple(self.type_of(port) for port in inputs)
        origin = origin or instance.origin
        requirements: tuple[Requirement, ...] = ()
        if instance.op is not None:
            own = own_inputs(instance.regions, types)
            yielded, needs = inferred(instance.op, instance.regions, own)
            requirements = kept_needs(needs, given, origin)
        else:
            assert instance.graph is not None
            yielded = instance.graph.output_types
        ranks = [self._nodes[port.node].rank for port in inputs]
        rank = (*max(ranks, default=(-1,)), self._next)
        node = Node(
            self._next,
            instance,
            tuple(inputs),
            yielded,
            origin,
            requirements=requirements,
            rank=rank,
        )
        return self._add(node)

    def erase(self, number: int) -> None:
        """Remove a node and its needs. Raises ValueError if it has readers, or is an input."""
        node = self._nodes[number]
        if node.is_input or self.is_read(number):
            raise ValueError(f"node {number} is an input, or is still read")
        self._unread(node)
        del self._nodes[number]

    def erase_unneeded(self) -> None:
        """Remove what no output needs; inputs stay, so that calls are unchanged."""
        ends = [port.node for output in self.outputs for port in output.ports]
        kept, stack = set(ends), ends
        while stack:
            for port in self._nodes[stack.pop()].inputs:
                if port.node not in kept:
                    kept.add(port.node)
                    stack.append(port.node)
        for node in [*self._nodes.values()]:
            if node.id not in kept and not node.is_input:
                self._unread(node)
                del self._nodes[node.id]

    def inline(self, number: int) -> tuple[int, ...]:
        """Replace a call by the nodes of the called block; returns their numbers.

        Their keys get its prefix. The needs of the call and of the whole block are added
        to each of them, and to the readers of an input that the block returns. Its ties and draws
        are added to the graph; its `init` statements, which apply to it alone, are dropped.
        """
        call = self._nodes[number]
        callee, instance = call.callee, call.instance
        assert callee is not None
        assert instance is not None
        ports = {Port(one.id): port for one, port in zip(callee.inputs, call.inputs, strict=True)}
        instances: dict[Instance, Instance] = {}
        made: list[int] = []
        for node in callee.nodes:
            own = node.instance
            if own is None:
                continue
            key = own.key and join_path(instance.key, own.key)
            fresh = instances.setdefault(own, replace(own, key=key))
            moved = replace(
                node,
                id=self._next,
                instance=fresh,
                inputs=tuple(ports[port] for port in node.inputs),
                origin=_called(node.origin, callee, call),
                iterations=call.iterations,
                requirements=below_call(call, node.requirements),
                rank=(*call.rank, *node.rank),
                measured=(),
            )
            ports.update({Port(node.id, at): Port(moved.id, at) for at in range(len(node.types))})
            made.append(self._add(moved).id)
        for tie in callee.ties:
            name, source = (join_path(instance.key, path) for path in (tie.name, tie.source))
            self.ties.append(Tie(name, source, tie.origin))
        known = {draw.name for draw in self.draws}
        self.draws += [draw for draw in callee.draws if draw.name not in known]
        needs = (*call.requirements, *below_call(call, callee.requirements))
        for one in made:
            self.require(one, needs)
        for index, port in enumerate(callee.output_ports):
            handed_on = callee.node(port.node).is_input
            self.redirect(Port(number, index), ports[port], needs=needs if handed_on else ())
        self._unread(call)
        del self._nodes[number]
        return tuple(made)

    def outline(self, numbers: Collection[int], name: str, key: str) -> Node:
        """Move some nodes into a new block, and replace them by a call of it.

        The keys of their weights must start with `key`, that of the call, so that the names do not
        change. The outputs of the block are the ports that other nodes read. `inline` undoes it.
        Raises ValueError if a key does not start so, if other nodes use the same weights, if an
        input is among the nodes, if nothing reads them, or if a path leaves them and returns.
        """
        nodes = sorted((self._nodes[number] for number in numbers), key=lambda one: one.rank)
        inside, outside = {node.id for node in nodes}, self._outside(numbers)
        if any(node.is_input for node in nodes) or not outside:
            raise ValueError("an input is among the nodes, or nothing reads them")
        others = used(node for node in self._nodes.values() if node.id not in inside)
        if not used(nodes).keys().isdisjoint(others):
            raise ValueError("weights of the nodes are used elsewhere")
        if any(isinstance(one, str) and f"{one}.".startswith(f"{key}.") for one in others):
            raise ValueError(f"the key `{key}` is already used")
        found = outline(
            nodes, name, key, self.type_of, lambda port: not inside.issuperset(self.readers(port))
        )
        origin = nodes[0].origin
        call = self._add(
            Node(
                self._next,
                Instance(key, graph=found.graph, origin=origin),
                found.inputs,
                found.graph.output_types,
                origin,
                shared_iterations(nodes),
                rank=nodes[0].rank,
            )
        )
        for index, port in enumerate(found.outputs):
            self.redirect(port, Port(call.id, index), keep=inside)
        for node in nodes:
            self._unread(node)
            del self._nodes[node.id]
        return call

    def _outside(self, numbers: Collection[int]) -> set[int]:
        """The readers of some nodes. Raises ValueError if a path leaves them and returns."""
        found: set[int] = set()
        readers = {reader for number in numbers for reader in self._readers_of(number)}
        direct = readers.difference(numbers)
        stack = [*direct]
        while stack:
            number = stack.pop()
            if number in numbers:
                raise ValueError(f"a path leaves the nodes and returns to node {number}")
            if number != OUTPUT and number not in found:
                found.add(number)
                stack += self._readers_of(number)
        return direct

    def _readers_of(self, number: int) -> list[int]:
        node = self._nodes[number]
        return [one for at in range(len(node.types)) for one in self.readers(Port(number, at))]

    def graph(self, **fields: Any) -> Graph:
        """The edited graph; `fields` are other fields of `Graph` that change."""
        return with_ties_left(
            replace(
                self._graph,
                nodes=tuple(sorted(self._nodes.values(), key=lambda node: node.rank)),
                outputs=tuple(self.outputs),
                requirements=tuple(self.requirements),
                ties=tuple(self.ties),
                draws=tuple(self.draws),
                **fields,
            )
        )

    # ------------------------------------------------------------------ inside

    def _add(self, node: Node) -> Node:
        self._nodes[node.id] = node
        self._next = node.id + 1
        self._read(node)
        return node

    def _read(self, node: Node) -> None:
        for port in node.inputs:
            self._readers.setdefault(port, []).append(node.id)

    def _unread(self, node: Node) -> None:
        for port in node.inputs:
            self._readers[port].remove(node.id)


def _moved(ports: tuple[Port, ...], old: Port, new: Port) -> tuple[Port, ...]:
    return tuple(new if port == old else port for port in ports)


def below_call(call: Node, needs: Iterable[Requirement]) -> tuple[Requirement, ...]:
    """The needs of a called block as needs of the graph that calls it."""
    callee = call.callee
    assert callee is not None
    return tuple(replace(item, origin=_called(item.origin, callee, call)) for item in needs)


def _called(origin: Origin, callee: Graph, call: Node) -> Origin:
    frame = Frame(callee.name, call.origin.span)
    return replace(origin, frames=(*origin.frames, frame, *call.origin.frames))
