"""The texts of one drawing: ops and calls, names and types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archspec.diagram.calls import call_texts
from archspec.diagram.labels import (
    SYMBOLIC,
    Dims,
    counted_text,
    full_range,
    key_text,
    op_text,
    range_text,
    shape_text,
    shortened,
    spanned,
    step_text,
    tap_text,
    type_text,
)
from archspec.frozen import frozen
from archspec.graph.model import Graph, Node
from archspec.ops.base import Op
from archspec.passes.flat import Flat, FlatNode, Group, Step
from archspec.types.tensor import TensorType


@frozen
class Wording:
    """`calls` has a text for each block, `prefixes` the prefix of the names in a repeated piece.

    `dims` writes sizes. In inference, ops are shown as their replacements there.
    """

    calls: Mapping[Graph, str]
    prefixes: Mapping[int, str]
    dims: Dims = SYMBOLIC
    inference: bool = True

    def op(self, item: FlatNode) -> str:
        """`conv(64, 3, stride=2)`."""
        assert item.node is not None
        node, instance = item.node, item.node.instance
        last = item.final.node if item.final is not None else node
        assert instance is not None
        text = op_text(self._meant(node), instance.regions, self.dims, self._meant(last))
        if instance.frozen and instance.key and not (item.graph is not None and item.graph.frozen):
            return shortened(f"frozen({text})")
        return text

    def _meant(self, node: Node) -> Op:
        op = node.op
        assert op is not None
        return op.in_inference() if self.inference and op.stochastic else op

    def key(self, item: FlatNode) -> str:
        """The name of an op, unless it has no meaning: numbers are shown if there are weights.

        Before it the piece of a repetition that the op reads, as in `2nd of 4, norm`.
        """
        tap = item.tap if item.uses == 1 and not item.also else None
        name = self._name(item)
        return f"{tap_text(tap)}{', ' * bool(name)}{name}" if tap is not None else name

    def _name(self, item: FlatNode) -> str:
        node = item.node
        if node is None or node.instance is None:
            return ""
        key, op = node.instance.key, node.op
        owns = op is None or (item.graph is not None and bool(item.graph.parameters_of(node)))
        if not owns and key.rpartition(".")[2].isdecimal():
            return ""
        return self._below(item.group, key, item.last, node.instance.title)

    def title(self, group: Group) -> str:
        """`layer1.1 .. 2: bottleneck(64)`, and for a repetition `encoder.layers.0 .. 11`."""
        if group.graph is None:
            return key_text(_piece(group)[1], "")
        key = self._below(group.parent, group.key, group.last, group.graph.name)
        return f"{key}: {self.call(group)}" if key else self.call(group)

    def call(self, group: Group) -> str:
        """`bottleneck(64, 2)`."""
        return self.called(group.graph, group.final) if group.graph is not None else ""

    def called(self, graph: Graph, final: Graph | None) -> str:
        """The text of a block; of several that grow, those of the first and the last."""
        text = self.calls[graph]
        return text if final is None else shortened(spanned(text, self.calls[final]))

    def growth(self, growth: Sequence[Step]) -> str:
        """`64 -> 256, +32 each`: how the data grows that several pieces pass on."""
        return "; ".join(step_text(step, self.dims) for step in growth)

    def path(self, group: Group) -> str:
        """`body.layer1.1 .. 2: bottleneck(64) × 2`."""
        if group.graph is None:
            return counted_text("", self.title(group), group.count)
        names = full_range(group.path, group.key, group.last)
        return counted_text(names, self.call(group), group.count)

    def shape(self, kind: TensorType, first: TensorType | None = None) -> str:
        """`[B, 64, H//2]`; with the `first` of several that grow, `[B, 64 .. 256, H//2]`."""
        return shape_text(kind, self.dims, first)

    def type(self, kind: TensorType) -> str:
        """`f32[B, 64, H//2]`."""
        return type_text(kind, self.dims)

    def exact_type(self, kind: TensorType) -> str:
        """The type without abbreviations, for tooltips."""
        return type_text(kind, self.dims.exact)

    def _below(self, group: int | None, key: str, last: str, name: str) -> str:
        prefix = self.prefixes.get(group, "") if group is not None else ""
        inner, end = (_without(prefix, one) for one in (key, last))
        return key_text(range_text(inner, end), name) if key_text(inner, name) else ""


def wording(flat: Flat, root: Graph, dims: Dims = SYMBOLIC, *, inference: bool = True) -> Wording:
    """The texts for an expanded graph."""
    prefixes = {group.index: _piece(group)[0] for group in flat.groups if group.pieces}
    return Wording(call_texts(root, dims), prefixes, dims, inference)


def _without(prefix: str, key: str) -> str:
    return key[len(prefix) + 1 :] if prefix and key.startswith(prefix + ".") else key


def _piece(group: Group) -> tuple[str, str]:
    """The prefix of the names in the first piece, and the range of the names of all pieces.

    `encoder.layers.0` and `encoder.layers.0 .. 11`; for layers in one sequence `features` and
    `features.0 .. 5`. If neither has numbers, the common prefix.
    """
    first, last = (_common(keys) for keys in group.pieces)
    if first and first == last:
        whole = range_text(group.pieces[0][0], group.pieces[1][-1])
        return ".".join(first), whole if whole.startswith(f"{'.'.join(first)}.") else ".".join(
            first
        )
    for place, (one, other) in enumerate(zip(first, last, strict=False)):
        if one != other:
            before = first[:place]
            if one.isdecimal() and other.isdecimal():
                return ".".join([*before, one]), ".".join([*before, f"{one} .. {other}"])
            return ".".join(before), ".".join(before)
    return ".".join(first), ".".join(first) or _numbered(group)


def _numbered(group: Group) -> str:
    """`conv2 .. 5` for pieces in one block whose names differ in the number at their end."""
    first, last = group.pieces
    if not first or not last:
        return ""
    if len({key.rstrip("0123456789") for key in (*first, *last)}) == 1:
        ends = first[0], last[-1]
    elif len(first) == len(last):
        ends = first[0], last[0]
    else:
        return ""
    stems = {key.rstrip("0123456789") for key in ends}
    return range_text(*ends) if len(stems) == 1 and not stems & {*ends} else ""


def _common(keys: Sequence[str]) -> list[str]:
    """The common prefix of all keys, without the last name of a key."""
    found: list[str] = []
    for together in zip(*(key.split(".")[:-1] for key in keys), strict=False):
        if len(set(together)) > 1:
            break
        found.append(together[0])
    return found
