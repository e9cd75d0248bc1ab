"""The texts of one drawing: ops and calls, names and types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archspec.diagram.calls import call_texts
from archspec.diagram.labels import key_text, op_text, shape_text, shortened, type_text
from archspec.frozen import frozen
from archspec.graph.model import Graph
from archspec.passes.expand import Flat, FlatNode, Group
from archspec.types.tensor import TensorType


@frozen
class Wording:
    """`calls` has a text for each block, `prefixes` the prefix of the names in a repeated piece.

    With `sizes`, shapes are numbers. In inference, ops are shown as their replacements there.
    """

    calls: Mapping[Graph, str]
    prefixes: Mapping[int, str]
    sizes: Mapping[str, int] | None = None
    inference: bool = True

    def op(self, item: FlatNode) -> str:
        """`conv(64, 3, stride=2)`."""
        assert item.node is not None
        op, instance = item.node.op, item.node.instance
        assert op is not None
        assert instance is not None
        meant = op.in_inference() if self.inference and op.stochastic else op
        text = op_text(meant, instance.regions, self.sizes)
        if instance.frozen and instance.key and not (item.graph is not None and item.graph.frozen):
            return shortened(f"frozen({text})")
        return text

    def key(self, item: FlatNode) -> str:
        """The name of an op, unless it has no meaning: numbers are shown if there are weights."""
        node = item.node
        if node is None or node.instance is None:
            return ""
        key, op = node.instance.key, node.op
        owns = op is None or (item.graph is not None and bool(item.graph.parameters_of(node)))
        if not owns and key.rpartition(".")[2].isdecimal():
            return ""
        return self._below(item.group, key, node.instance.title)

    def title(self, group: Group) -> str:
        """`layer1.1: bottleneck(64) × 2`, and for a repetition `encoder.layers.0–11 × 12`."""
        times = f"× {group.count}" if group.count > 1 else ""
        if group.graph is None:
            return f"{key_text(_piece(group)[1], '')} {times}".strip()
        key = self._below(group.parent, group.key, group.graph.name)
        parts = (f"{key}:" if key else "", self.call(group), times)
        return " ".join(part for part in parts if part)

    def call(self, group: Group) -> str:
        """`bottleneck(64, 2)`."""
        return self.calls[group.graph] if group.graph is not None else ""

    def shape(self, kind: TensorType) -> str:
        """`[B, 64, H//2]`."""
        return shape_text(kind, self.sizes)

    def type(self, kind: TensorType) -> str:
        """`f32[B, 64, H//2]`."""
        return type_text(kind, self.sizes)

    def _below(self, group: int | None, key: str, name: str) -> str:
        prefix = self.prefixes.get(group, "") if group is not None else ""
        inner = key[len(prefix) + 1 :] if prefix and key.startswith(prefix + ".") else key
        return key_text(inner, name)


def wording(
    flat: Flat, root: Graph, sizes: Mapping[str, int] | None = None, *, inference: bool = True
) -> Wording:
    """The texts for an expanded graph."""
    prefixes = {group.index: _piece(group)[0] for group in flat.groups if group.pieces}
    return Wording(call_texts(root, sizes), prefixes, sizes, inference)


def _piece(group: Group) -> tuple[str, str]:
    """The prefix of the names in the first piece, and the same with the number of the last piece.

    `encoder.layers.0` and `encoder.layers.0–11`; if pieces are not numbered, the common prefix.
    """
    first, last = (_common(keys) for keys in group.pieces)
    for place, (one, other) in enumerate(zip(first, last, strict=False)):
        if one != other:
            before = first[:place]
            if one.isdecimal() and other.isdecimal():
                return ".".join([*before, one]), ".".join([*before, f"{one}–{other}"])
            return ".".join(before), ".".join(before)
    return ".".join(first), ".".join(first)


def _common(keys: Sequence[str]) -> list[str]:
    """The common prefix of all keys, without the last name of a key."""
    found: list[str] = []
    for together in zip(*(key.split(".")[:-1] for key in keys), strict=False):
        if len(set(together)) > 1:
            break
        found.append(together[0])
    return found
