"""Expressions of the spec for the sizes of tensors, found by following them through the graph."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from archspec.graph.expression import (
    Expression,
    Name,
    Number,
    Operation,
    Size,
    comes_from_outside,
    evaluated,
    has_free_sizes,
    has_names,
    has_unknown_sizes,
    names_in,
    simplified,
    substituted,
)
from archspec.graph.model import Graph, Node, Port
from archspec.ops.einops_notation import Plan
from archspec.ops.indexing import Select
from archspec.ops.merge import Concat, Split, Unbind
from archspec.ops.rearrangement import Rearrange, Reduce, Repeat
from archspec.ops.shape import Flatten
from archspec.ops.windows import Fold, Unfold
from archspec.types.tensor import TensorType
from archspec_torch.code.products import powers, quotient
from archspec_torch.code.sums import summed, total
from archspec_torch.planning.kept_sizes import is_kept
from archspec_torch.planning.known_numbers import known_numbers, number, place
from archspec_torch.planning.pattern_sizes import given_size, product_of, taken_apart
from archspec_torch.planning.window_sizes import CHANGES, of_windows

NO_SIZES = frozenset(
    {"count", "kernel", "stride", "padding", "dilation", "groups", "heads", "step"}
)
"""Attributes that are not sizes of a result."""

FURTHEST = 50
"""Maximum number of nodes between a size and its origin."""


def entries(node: Node, names: Mapping[str, Any]) -> list[tuple[str, Expression, Any]]:
    """The expressions of attributes, or arguments, of a node, with their values."""
    written = node.instance.written if node.instance is not None else {}
    return [entry for name, one in written.items() for entry in _entries(name, one, names)]


def _entries(
    name: str, one: Expression, names: Mapping[str, Any]
) -> Iterator[tuple[str, Expression, Any]]:
    value = evaluated(one, names)
    if value is not None and has_names(one):
        yield name, one, value
    # code for free sizes is computed from them, so equal numbers in it have other origins
    if isinstance(one, Operation) and not has_free_sizes(one):
        for operand in one.operands:
            yield from _entries(name, operand, names)


class SizeOrigins:
    """Finds expressions for the sizes in one graph that are numbers."""

    def __init__(self, graph: Graph) -> None:
        self.graph, self.names = graph, known_numbers(graph)
        self._found: dict[tuple[Port, int], Expression | None] = {}
        self._measured = dict(_measured(graph))

    def of(self, port: Port, axis: int, depth: int = 0) -> Expression | None:
        """The expression for the size of an axis, if it is a number."""
        at = (port, axis)
        if at not in self._found:
            if depth > FURTHEST:
                return None
            self._found[at] = self._made(port, axis, depth + 1)
        return self._found[at]

    def resolved(self, expression: Expression, node: Node) -> Expression:
        """The expression with sizes that have no name replaced by those of data before the node.

        Those of which no data is found remain.
        """
        if isinstance(expression, Operation):
            operands = tuple(self.resolved(one, node) for one in expression.operands)
            return simplified(Operation(expression.sign, operands))
        if not isinstance(expression, Size):
            return expression
        ports = node.inputs or _beside(self.graph, node)
        for _ in range(FURTHEST):
            for port in ports:
                for axis, size in enumerate(self.graph.type_of(port).shape):
                    if size.constant == expression.value:
                        return self.of(port, axis) or expression
            if not ports:
                break
            ports = self.graph.node(ports[0].node).inputs
        return expression

    def _made(self, port: Port, axis: int, depth: int) -> Expression | None:
        shape = self.graph.type_of(port).shape
        size, node = shape[axis].constant, self.graph.node(port.node)
        if size is None:
            return None
        if node.is_input:
            return self._of_input(port, axis, size)
        if isinstance(node.op, Rearrange | Reduce | Repeat):
            return self._rearranged(node, node.op.plan, axis, depth)
        if node.callee is not None:
            return _of_result(self, node, node.callee, port.index, axis, depth)
        if isinstance(node.op, Unbind | Select):
            (source,) = node.inputs
            taken = node.op.axis % self.graph.type_of(source).rank
            return self.of(source, axis + (axis >= taken), depth)
        if isinstance(node.op, Unfold | Fold) and axis == 1:
            return of_windows(self.of(node.inputs[0], 1, depth), node)
        return (
            _moved(self, node, axis, depth)
            or _listed(self, node, port, axis)
            or self._kept_or_written(node, port, axis, depth)
        )

    def _kept_or_written(self, node: Node, port: Port, axis: int, depth: int) -> Expression | None:
        """The size of an axis of an input, or one in the attributes of an op."""
        ranks = [self.graph.type_of(one).rank for one in node.inputs]
        rank = self.graph.type_of(port).rank
        alike = [(at, axis) for at, one in enumerate(ranks) if one == rank]
        kept = self._kept(node, port.index, axis, alike, depth)
        found = self._written(node, port, axis)
        if found is not None:
            return next((one for one, proved in kept if proved), found)
        if kept:
            return kept[0][0]
        if isinstance(node.op, Concat):
            return _sum(self, node, axis, depth)
        found = _flattened(self, node, axis, depth) or _shared_out(self, node, axis, depth)
        if found is not None or self.graph.type_of(port).shape[axis].constant == 1:
            return found
        anywhere = [(at, where) for at, rank in enumerate(ranks) for where in range(rank)]
        return next((one for one, _ in self._kept(node, port.index, axis, anywhere, depth)), None)

    def _rearranged(
        self, node: Node, plan: Callable[[TensorType], Plan], axis: int, depth: int
    ) -> Expression | None:
        """An axis of what a pattern makes: the product of those that it joins."""
        (source,) = node.inputs
        taken, given = plan(self.graph.type_of(source)), _given_by_value(self, node)
        parts = _factors(self, node, taken, given, depth)
        kept = [part for at, part in enumerate(parts) if at not in taken.reduce]
        order = [kept[at] for at in taken.order]
        for at, size in taken.insert:
            order.insert(at, given_size(size, given))
        start = sum(taken.joined[:axis])
        return product_of(order[start : start + taken.joined[axis]])

    def factor(self, node: Node, at: int) -> Expression | None:
        """The expression of the factor at a position among those that a pattern splits."""
        assert isinstance(node.op, Rearrange | Reduce | Repeat)
        taken = node.op.plan(self.graph.type_of(node.inputs[0]))
        return _factors(self, node, taken, _given_by_value(self, node), 0)[at]

    def given_by_name(self, node: Node) -> dict[str, Expression]:
        """The sizes that a pattern is given, by the names of its axes."""
        written = node.instance.written if node.instance is not None else {}
        return {
            name: self.resolved(written[name], node) if name in written else Number(size)
            for name, size in getattr(node.op, "axes", ())
            if type(size) is int
        }

    def _kept(
        self, node: Node, output: int, axis: int, places: Sequence[tuple[int, int]], depth: int
    ) -> list[tuple[Expression | None, bool]]:
        """The expressions of those axes of inputs that may be an axis of a result.

        Those for which this is proved are first, then those with names.
        """
        size = node.types[output].shape[axis]
        groups: dict[Expression | None, list[tuple[int, int]]] = {}
        for at, where in places:
            if self.graph.type_of(node.inputs[at]).shape[where] == size:
                groups.setdefault(self.of(node.inputs[at], where, depth), []).append((at, where))
        found = {one: is_kept(self.graph, node, own, output, axis) for one, own in groups.items()}
        order = sorted(groups, key=lambda one: (not found[one], one is None or not has_names(one)))
        return [(one, bool(found[one])) for one in order if found[one] is not False]

    def _written(self, node: Node, port: Port, axis: int) -> Expression | None:
        size = self.graph.type_of(port).shape[axis]
        found = entries(node, self.names)
        for name, one, value in sorted(found, key=lambda entry: entry[0] != "width"):
            if name not in NO_SIZES and type(value) is int and size == value:
                return self.resolved(one, node)
        width = getattr(node.op, "width", None)
        return Number(width) if type(width) is int and size == width else None

    def _of_input(self, port: Port, axis: int, size: int) -> Expression:
        """The name of a size of an input, or its position."""
        name = self._measured.get((port, axis))
        if name is None and (self.graph.kind == "iteration" or not self._measured):
            read = _sizes_read(self.graph)
            name = next((one for one in read if self.names.get(one) == size), None)
        at = self.graph.inputs.index(self.graph.node(port.node))
        return Name(place(at, axis) if name is None else name)


def _sizes_read(graph: Graph) -> Sequence[str]:
    """The names of sizes in the expressions of a graph, other than arguments."""
    written = [one.instance.written for one in graph.nodes if one.instance is not None]
    read = {name for each in written for one in each.values() for name in names_in(one)}
    sizes = (name for name in graph.names if name[0].isupper() and name in read)
    return [name for name in sizes if name not in graph.arguments]


def _factors(
    origins: SizeOrigins, node: Node, taken: Plan, given: Mapping[int, Expression], depth: int
) -> list[Expression | None]:
    """The expressions of the factors into which a pattern splits its input."""
    before = [origins.of(node.inputs[0], at, depth) for at in range(len(taken.taken_apart))]
    return taken_apart(before, taken, given, origins.given_by_name(node))


def _given_by_value(origins: SizeOrigins, node: Node) -> dict[int, Expression]:
    """What a node is given, by its value; of equal ones the first."""
    return {
        value: origins.resolved(one, node)
        for _, one, value in reversed(entries(node, origins.names))
        if type(value) is int
    }


def _moved(origins: SizeOrigins, node: Node, axis: int, depth: int) -> Expression | None:
    """The size of an axis that a sliding window, padding or a step changes."""
    for changes, changed in CHANGES:
        if changes(node, axis):
            before = origins.of(node.inputs[0], axis, depth)
            if before is None:
                return None
            return changed(node, axis, before, lambda one: origins.resolved(one, node))
    return None


def _listed(origins: SizeOrigins, node: Node, port: Port, axis: int) -> Expression | None:
    """A size of a result whose whole shape is an attribute, as of `reshape`."""
    shape = origins.graph.type_of(port).shape
    for name, one in node.instance.written.items() if node.op and node.instance else ():
        if isinstance(one, Operation) and getattr(node.op, name, None) == shape:
            items = one.operands if one.sign == "tuple" else ()
            found = origins.resolved(items[axis], node) if len(items) == len(shape) else None
            return None if found is None or has_unknown_sizes(found) else found
    return None


def _sum(origins: SizeOrigins, node: Node, axis: int, depth: int) -> Expression | None:
    """The size of an axis of a concatenation."""
    parts: list[Expression] = []
    for port in node.inputs:
        size = origins.graph.type_of(port).shape[axis].constant
        parts.append(origins.of(port, axis, depth) or Number(size or 0))
    return None if all(isinstance(part, Number) for part in parts) else total(parts)


def _shared_out(origins: SizeOrigins, node: Node, axis: int, depth: int) -> Expression | None:
    """The size of a part of an axis that is split into equal parts."""
    if not isinstance(node.op, Split) or len({*node.types}) > 1:
        return None
    (source,) = node.inputs
    whole = origins.of(source, axis, depth)
    return None if whole is None else quotient(whole, [Number(len(node.types))])


def _flattened(origins: SizeOrigins, node: Node, axis: int, depth: int) -> Expression | None:
    """The product of the axes that `flatten` merges."""
    if not isinstance(node.op, Flatten):
        return None
    (source,) = node.inputs
    rank = origins.graph.type_of(source).rank
    start = node.op.start % rank if rank else 0
    if axis != start:
        return None
    count = rank - len(node.types[0].shape) + 1
    return product_of(origins.of(source, start + at, depth) for at in range(count))


def _beside(graph: Graph, node: Node) -> tuple[Port, ...]:
    """The other inputs of the nodes that read a parameter."""
    ports = (Port(node.id, at) for at in range(len(node.types)))
    readers = (reader for port in ports for reader in graph.consumers.get(port, ()))
    return tuple(port for one in readers for port in one.inputs if port.node != node.id)


def _of_result(
    origins: SizeOrigins, node: Node, callee: Graph, index: int, axis: int, depth: int
) -> Expression | None:
    """A size of a result of a block, over the names of the block that calls it."""
    found = size_origins(callee).of(callee.output_ports[index], axis, depth)
    if found is None or comes_from_outside(found):
        return None
    known: dict[str, Expression] = {}
    for name in names_in(found):
        one = passed(origins, node, callee, name, depth)
        if one is None:
            return None
        known[name] = substituted(one, known)
    found = substituted(found, known)
    return summed(powers(found))


def passed(
    origins: SizeOrigins, node: Node, callee: Graph, name: str, depth: int = 0
) -> Expression | None:
    """What a call passes for a name of the called block, over the names of the calling one."""
    written = node.instance.written if node.instance is not None else {}
    if name in written:
        return origins.resolved(written[name], node)
    if name in callee.arguments:
        return callee.defaults.get(name) or Number(callee.arguments[name])
    inner = follows(callee, name)
    if inner is not None:
        known = {one: passed(origins, node, callee, one, depth + 1) for one in names_in(inner)}
        found = {one: given for one, given in known.items() if given is not None}
        return substituted(inner, found) if len(found) == len(known) else None
    where = _place_of(callee, name)
    return origins.of(node.inputs[where[0]], where[1], depth) if where else None


def measured_at(graph: Graph, name: str) -> tuple[Port, int] | None:
    """The first axis of data whose size the body binds to a name."""
    return next((at for at, bound in _measured(graph) if bound == name), None)


def names_of_measured(graph: Graph) -> Mapping[str, None]:
    """The names that the body binds to sizes of data."""
    return dict.fromkeys(name for _, name in _measured(graph))


def _measured(graph: Graph) -> Iterator[tuple[tuple[Port, int], str]]:
    for node in graph.nodes:
        for output, axis, name in node.measured:
            yield (Port(node.id, output), axis), name


def follows(graph: Graph, name: str) -> Expression | None:
    """The expression for a size that the body reads of data that it computes, if it is known."""
    at = measured_at(graph, name)
    found = size_origins(graph).of(*at) if at is not None else None
    return None if found is None or name in names_in(found) else found


def _place_of(graph: Graph, name: str) -> tuple[int, int] | None:
    """The input, and its axis, that has a size: one with a name, or one by its position."""
    if (where := measured_at(graph, name)) is not None:
        node = graph.node(where[0].node)
        return (graph.inputs.index(node), where[1]) if node.is_input else None
    value = number(graph.names.get(name))
    for at, kind in enumerate(graph.input_types):
        for axis, size in enumerate(kind.shape):
            is_named = value is not None and size.constant == value
            if name == place(at, axis) or is_named:
                return at, axis
    return None


_KNOWN: WeakKeyDictionary[Graph, SizeOrigins] = WeakKeyDictionary()


def size_origins(graph: Graph) -> SizeOrigins:
    """The expressions for the sizes in a graph, memoised."""
    if graph not in _KNOWN:
        _KNOWN[graph] = SizeOrigins(graph)
    return _KNOWN[graph]
