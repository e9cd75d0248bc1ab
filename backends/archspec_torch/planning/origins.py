"""The origins of the numbers in the code of a node: their expressions in the spec."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace as replaced
from typing import Any

from archspec.graph.expression import (
    Expression,
    Name,
    Number,
    Operation,
    Outside,
    Size,
    evaluated,
    has_names,
    names_in,
    simplified,
)
from archspec.graph.model import Graph, Node, Port
from archspec.ops.convolution import Convolve
from archspec.ops.merge import Split
from archspec.ops.rearrangement import Rearrange
from archspec.types.dim import Dim
from archspec_torch.code.pieces import Code, Hole, Quoted, code, holes, replace
from archspec_torch.lowering.base import Lowered
from archspec_torch.planning.size_origins import entries, passed, size_origins
from archspec_torch.planning.window_sizes import FIRST_AXIS

SIZES_OF_INPUTS = frozenset(
    """
    in_channels in_features num_features num_channels features channels embed_dim input_size
    normalized_shape kdim vdim size
    """.split()  # noqa: SIM905  (a table)
)
"""Hints of constants that a layer takes from its input."""

SIZES_OF_LAYERS = SIZES_OF_INPUTS - {"size"}

ALIKE = ("same", "each")
"""Values of attributes that stand for the number of channels of the input."""

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
"""The names of attributes of ops in torch."""


DETAILS = frozenset({"eps", "momentum", "slope", "alpha", "beta"})
"""Attributes whose numbers stay where they are used, also if they come from outside."""


class Origins:
    """Adds expressions from the spec to the holes in the code of one node."""

    def __init__(self, graph: Graph, node: Node) -> None:
        self.graph, self.node = graph, node
        self.sizes = size_origins(graph)
        self.names = self.sizes.names
        self.entries = entries(node, self.names)
        written = node.instance.written if node.instance is not None else {}
        self.outside = {name: one for name, one in written.items() if isinstance(one, Outside)}
        self.computes_sizes = any(_has_sizes(value) for _, value in node.op or ())
        self.hands_on = any(self._is_layer(one) for one in written.values())

    def of(self, source: Code) -> Code:
        """The code with the known expressions of its holes."""
        placed = iter(self._by_position([hole.value for hole in holes(source)]))
        return replace(source, lambda hole: code(self._with_origin(hole, next(placed))))

    def _by_position(self, values: Sequence[Any]) -> list[Expression | None]:
        """The expressions of the numbers of a tuple, as the sizes of a parameter, in its order."""
        found: list[Expression | None] = [None] * len(values)
        written = self.node.instance.written if self.node.instance is not None else {}
        for one in written.values():
            if not isinstance(one, Operation) or one.sign != "tuple":
                continue
            items = [(item, evaluated(item, self.names)) for item in one.operands]
            items = [(item, value) for item, value in items if type(value) is int]
            wanted = [value for _, value in items]
            for start in range(len(values) - len(items) + 1):
                here = values[start : start + len(items)]
                if here == wanted and {*map(type, here)} == {int}:
                    found[start : start + len(items)] = [item for item, _ in items]
                    break
        return found

    def _with_origin(self, hole: Hole, placed: Expression | None) -> Hole:
        if hole.origin is not None or isinstance(hole.value, Quoted) or hole.value is None:
            return hole
        if hole.factor is not None or hole.axis is not None:
            return self._of_pattern(hole)
        origin = self._from_outside(hole) or placed or self._written(hole)
        if origin is not None:
            origin = self.sizes.resolved(origin, self.node)
        else:
            origin = self._passed(hole) or self._of_input(hole)
        if isinstance(origin, Outside) and self.node.op is None:
            return replaced(hole, origin=origin, outside=True)
        if origin is None:
            return replaced(hole, read=self._read(hole))
        return replaced(hole, origin=origin)

    def _of_pattern(self, hole: Hole) -> Hole:
        """The size of an axis by its position, so other sizes that are equal do not matter."""
        if hole.factor is not None:
            origin = self.sizes.factor(self.node, hole.factor)
        else:
            origin = self.sizes.of(Port(self.node.id, 0), hole.axis or 0)
        if origin is None:
            return replaced(hole, read=self._read(hole))
        return replaced(hole, origin=origin)

    def _read(self, hole: Hole) -> tuple[str, ...]:
        """The names that an attribute, or an argument of a block, may depend on."""
        written = self.node.instance.written if self.node.instance is not None else {}
        names: Iterable[str] = written
        if self.node.op is None:
            names = hole.derived
        elif hole.hint == "padding":
            names = ("kernel", "dilation", "padding")
        read = (name for one in names if one in written for name in names_in(written[one]))
        return tuple(dict.fromkeys(read))

    def _passed(self, hole: Hole) -> Expression | None:
        """What a call passes for the name of a size in the block."""
        callee = self.node.callee
        if callee is None or hole.hint not in callee.names or hole.hint in callee.arguments:
            return None
        found = passed(self.sizes, self.node, callee, hole.hint)
        right = found is not None and evaluated(found, self.names) == hole.value
        return found if right and not isinstance(found, Number) else None

    def _is_layer(self, one: Expression) -> bool:
        """Whether an argument is a layer that the block was given itself."""
        known = (int, float, tuple)
        return isinstance(one, Name) and not isinstance(self.names.get(one.text), known)

    def _from_outside(self, hole: Hole) -> Expression | None:
        """The expression of another block: a parameter of this one with its name, or a number."""
        if hole.outside and not self.hands_on and hole.hint in self.graph.arguments:
            return Name(hole.hint)
        for name in (hole.hint, ATTRIBUTES.get(hole.hint, hole.hint)):
            one = self.outside.get(name)
            if name not in DETAILS and one is not None and one.value == hole.value:
                return one
        return Outside(hole.value) if hole.outside else None

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
        is_part = op is not None and attribute not in type(op).model_fields
        if is_part and same and hole.hint not in SIZES_OF_LAYERS:
            given = self.node.instance.written if self.node.instance is not None else {}
            whole = (one for name, one in same.items() if one == given[name])
            return next(whole, next(iter(same.values())))
        return self._half_a_window(hole) if hole.hint == "padding" else None

    def _half_a_window(self, hole: Hole) -> Expression | None:
        """The padding `half`, dilation * (kernel - 1) // 2, that the attributes of an op yield."""
        op, instance = self.node.op, self.node.instance
        written = instance.written if instance is not None else {}
        if getattr(op, "padding", None) not in ("half", "same") or type(hole.value) is not int:
            return None
        sizes = [getattr(op, name, 1) for name in ("kernel", "dilation")]
        kernel, dilation = (
            written.get(name) or Number(size if isinstance(size, int) else size[0])
            for name, size in zip(("kernel", "dilation"), sizes, strict=True)
        )
        if isinstance(op, Convolve):
            kernel = self.sizes.of(self.node.inputs[1], FIRST_AXIS) or kernel
        span = simplified(Operation("-", (kernel, Number(1))))
        span = simplified(Operation("*", (dilation, span)))
        found = simplified(Operation("//", (span, Number(2))))
        return found if has_names(found) else None

    def _of_input(self, hole: Hole) -> Expression | None:
        is_alike = getattr(self.node.op, ATTRIBUTES.get(hole.hint, hole.hint), None) in ALIKE
        if not (is_alike or hole.hint in SIZES_OF_INPUTS) or type(hole.value) is not int:
            return None
        if hole.hint == "size" and (self.computes_sizes or not self.node.inputs):
            return None  # a number in an expression for another size, or of the spec
        ports = self.node.inputs
        if hole.hint == "size" and isinstance(self.node.op, Rearrange | Split):
            ports = (*ports, Port(self.node.id, 0))  # a part of an axis of the input
        for port in ports:
            for axis, size in enumerate(self.graph.type_of(port).shape):
                if size.constant == hole.value:
                    found = self.sizes.of(port, axis)
                    if found is not None:
                        return found
        found = self.sizes.resolved(Size(hole.value), self.node)
        return None if isinstance(found, Number | Size) else found


def _has_sizes(value: Any) -> bool:
    """Whether an attribute has sizes that are no numbers."""
    if isinstance(value, tuple):
        return any(map(_has_sizes, value))
    return isinstance(value, Dim) and value.constant is None


def with_origins(lowered: Lowered, graph: Graph, node: Node) -> Lowered:
    """A lowering with expressions for the numbers in the constructor of its module."""
    if lowered.module is None:
        return lowered
    return replaced(lowered, module=Origins(graph, node).of(lowered.module))


def same_names(source: Code) -> Code:
    """A call within the same body, which has the same names: each argument is its own name."""
    return replace(source, lambda hole: code(replaced(hole, origin=Name(hole.hint))))
