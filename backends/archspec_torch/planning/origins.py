"""Where the numbers in the code of a node come from: what the spec wrote for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace as replaced
from typing import Any

from archspec.graph.expression import (
    Expression,
    Name,
    Number,
    Operation,
    Size,
    evaluated,
    says_more,
    simplified,
)
from archspec.graph.model import Graph, Node, Port
from archspec.ops.merge import Concat
from archspec.types.dim import Dim
from archspec_torch.code.pieces import Code, Hole, Quoted, code, replace
from archspec_torch.lowering.base import Lowered

SIZES_OF_INPUTS = frozenset(
    """
    in_channels in_features num_features num_channels features channels embed_dim input_size
    normalized_shape kdim vdim size
    """.split()  # noqa: SIM905  (a table)
)
"""Hints of constants that a layer takes from its input."""

SIZES_OF_LAYERS = SIZES_OF_INPUTS - {"size"}

ATTRIBUTES = {
    "out_channels": "width",
    "out_features": "width",
    "hidden_size": "hidden",
    "embedding_dim": "width",
    "num_embeddings": "count",
    "num_heads": "heads",
    "num_groups": "groups",
    "kernel_size": "kernel",
}
"""Attributes of ops as torch calls them."""

MOST_JOINED = 8
"""Inputs of a `concat` whose sizes are added up, and such in one another."""

NO_SIZES = frozenset({"count", "kernel", "stride", "padding", "dilation", "groups", "heads"})
"""Attributes that are no size of a result."""

SIZES = frozenset({"width", "dim", "channels", "features"})
"""Parameters of blocks that are taken for the size of their result, where it has that."""

FURTHEST = 50
"""Nodes that are looked back through for where a size was made."""


def known_numbers(graph: Graph) -> dict[str, Any]:
    """Names of the body with their numbers, parameters that are lists among them."""
    names = {name: _number(value) for name, value in graph.names.items()}
    found = {**_unnamed(graph), **graph.arguments, **names}
    return {name: value for name, value in found.items() if value is not None}


def _unnamed(graph: Graph) -> dict[str, int | None]:
    """Sizes of inputs by their places, for those without a name."""
    return {
        _place(at, axis): size.constant
        for at, kind in enumerate(graph.input_types)
        for axis, size in enumerate(kind.shape)
    }


def _place(at: int, axis: int) -> str:
    return f"{at}:{axis}"


def _number(value: Any) -> Any:
    return value.constant if isinstance(value, Dim) else value


class Origins:
    """Gives holes in the code of one node the expressions that they come from."""

    def __init__(self, graph: Graph, node: Node) -> None:
        self.graph, self.node = graph, node
        self.names = known_numbers(graph)
        written = node.instance.written if node.instance is not None else {}
        self.entries = [
            entry for name, one in written.items() for entry in _entries(name, one, self.names)
        ]

    def of(self, source: Code) -> Code:
        """The code with what is known of its holes."""
        return replace(source, lambda hole: code(self._told(hole)))

    def _told(self, hole: Hole) -> Hole:
        if hole.origin is not None or isinstance(hole.value, Quoted) or hole.value is None:
            return hole
        origin = self._written(hole)
        origin = self._resolved(origin, self.node) if origin else self._of_input(hole)
        return replaced(hole, origin=origin) if origin is not None else hole

    def _written(self, hole: Hole) -> Expression | None:
        same: dict[str, Expression] = {
            name: one
            for name, one, value in reversed(self.entries)
            if type(value) is type(hole.value) and value == hole.value
        }
        attribute = ATTRIBUTES.get(hole.hint, hole.hint)
        if attribute in same:
            return same[attribute]
        op = self.node.op
        if op is not None and attribute not in type(op).model_fields:
            for one in same.values() if hole.hint not in SIZES_OF_LAYERS else ():
                return one
        if hole.hint == "padding":  # half a window, as `same` has it
            for name, one, value in self.entries:
                if name == "kernel" and isinstance(value, int) and value // 2 == hole.value:
                    return Operation("//", (one, Number(2)))
        return None

    def _of_input(self, hole: Hole) -> Expression | None:
        if hole.hint not in SIZES_OF_INPUTS or type(hole.value) is not int:
            return None
        for port in self.node.inputs:
            for axis, size in enumerate(self.graph.type_of(port).shape):
                if size.constant == hole.value:
                    found = self._size(port, axis)
                    if found is not None:
                        return found
        found = self._resolved(Size(hole.value), self.node)
        return None if isinstance(found, Number) else found

    def _size(self, port: Port, axis: int, depth: int = 0) -> Expression | None:
        """What the spec wrote for the size of an axis, where the tensor came from."""
        shape = self.graph.type_of(port).shape
        for _ in range(FURTHEST):
            node = self.graph.node(port.node)
            if node.is_input:
                place = Name(_place(self.graph.inputs.index(node), axis))
                return self._named(shape[axis].constant) or place
            written = node.instance.written if node.instance is not None else {}
            for name in sorted(written, key=lambda name: name != "width"):
                size = evaluated(written[name], self.names)
                is_size = name in SIZES if node.op is None else name not in NO_SIZES
                if is_size and size == shape[axis].constant:
                    return self._resolved(written[name], node)
            alike = [other for other in node.inputs if self.graph.type_of(other).rank == len(shape)]
            same = [p for p in alike if self.graph.type_of(p).shape[axis] == shape[axis]]
            if not same:
                return self._sum(node, axis, depth)
            port = same[0]
        return None

    def _sum(self, node: Node, axis: int, depth: int) -> Expression | None:
        """The size of what is joined along an axis."""
        if not isinstance(node.op, Concat) or max(depth, len(node.inputs)) > MOST_JOINED:
            return None
        parts = [self._size(port, axis, depth + 1) for port in node.inputs]
        total: Expression | None = None
        counts: dict[Expression, int] = {}
        for part in parts:
            if part is None:
                return None
            counts[part] = counts.get(part, 0) + 1
        for part, count in counts.items():
            term = simplified(Operation("*", (Number(count), part)))
            total = term if total is None else Operation("+", (total, term))
        return total

    def _resolved(self, expression: Expression, node: Node) -> Expression:
        """With what is known of sizes that have no name: where data before the node has them."""
        if isinstance(expression, Operation):
            operands = tuple(self._resolved(one, node) for one in expression.operands)
            return Operation(expression.sign, operands)
        if not isinstance(expression, Size):
            return expression
        for _ in range(FURTHEST):
            if not node.inputs:
                break
            for port in node.inputs:
                for axis, size in enumerate(self.graph.type_of(port).shape):
                    if size.constant == expression.value:
                        return self._size(port, axis) or Number(expression.value)
            node = self.graph.node(node.inputs[0].node)
        return Number(expression.value)

    def _named(self, size: int | None) -> Expression | None:
        """The name of a size of an input."""
        sizes = (n for n in self.graph.names if n[0].isupper() and n not in self.graph.arguments)
        return next((Name(n) for n in sizes if self.names.get(n) == size), None)


def _entries(
    name: str, one: Expression, names: Mapping[str, Any]
) -> Iterator[tuple[str, Expression, Any]]:
    """An attribute and what it is made of, with values."""
    value = evaluated(one, names)
    if value is not None and says_more(one):
        yield name, one, value
    if isinstance(one, Operation):
        for operand in one.operands:
            yield from _entries(name, operand, names)


def with_origins(lowered: Lowered, graph: Graph, node: Node) -> Lowered:
    """A lowering whose module says where its numbers come from."""
    if lowered.module is None:
        return lowered
    return replaced(lowered, module=Origins(graph, node).of(lowered.module))


def same_names(source: Code) -> Code:
    """A call of what stands in the same body, and so has the names of that: each is itself."""
    return replace(source, lambda hole: code(replaced(hole, origin=Name(hole.hint))))
