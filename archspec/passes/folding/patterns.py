"""The properties of nodes for folding: layers, affine maps per channel, ops that preserve them."""

from __future__ import annotations

from functools import lru_cache
from math import prod

from archspec.frozen import frozen
from archspec.graph.model import Node, Port
from archspec.graph.names import join_path
from archspec.ops.base import Op
from archspec.ops.channel_layout import ChannelLayout
from archspec.ops.channels import ChannelMap, LinearLayer, Number, Numbers
from archspec.passes.folding.changes import chained, leaves
from archspec.passes.folding.draft import Draft
from archspec.passes.folding.steps import (
    IDENTITY,
    Change,
    Channelwise,
    Factor,
    Layer,
    Offset,
    Scale,
    Shift,
)
from archspec.types.dim import product
from archspec.types.tensor import TensorType

_NEGATIVE = Scale(-1.0)


@frozen
class Parts:
    """A node as a sum of maps of its inputs, by index.

    `axis` is that of the channels, None if all are changed alike. `spare` is how many numbers of
    the state dict are not needed if the node is removed. `settings` are those of the `ChannelMap`
    of an op that can represent any other map, a norm; other nodes have none.
    """

    terms: tuple[tuple[int, Change], ...]
    axis: int | None = None
    spare: int = 0
    settings: tuple[tuple[str, Numbers], ...] = ()

    @property
    def is_change(self) -> bool:
        """Whether it is more than a sum."""
        return any(change not in (IDENTITY, _NEGATIVE) for _, change in self.terms)


def spare_of(parts: Parts) -> dict[str, int]:
    """By owner, how many numbers of the state dict are not needed if a node is removed."""
    return {
        leaf.owner: parts.spare
        for _, change in parts.terms
        for leaf in leaves(change)
        if isinstance(leaf, Channelwise | Factor | Offset)
    }


def parts_of(draft: Draft, node: Node) -> Parts | None:
    """The node as a sum of affine maps per channel in inference, if it is one."""
    op = node.op
    if op is None or not node.inputs:
        return None
    if len(node.inputs) > 1:
        return _arithmetic(draft, node, op) if op.arithmetic else None
    own = _own_map(draft, node, op)
    if own is not None:
        return own
    rank = draft.type_of(node.inputs[0]).rank
    same = op.permutation(rank) == tuple(range(rank))
    return Parts(((0, IDENTITY),)) if same else None


def _own_map(draft: Draft, node: Node, op: Op) -> Parts | None:
    """The affine map of an op with one input, if the op alone owns all of its numbers."""
    instance = node.instance
    if instance is None:
        return None
    found = _described(op, draft.type_of(node.inputs[0]))
    if found is None:
        return None
    one, owned = found
    change = _of_numbers(one)
    if change is not None:
        return Parts(((0, change),), one.axis)
    if not draft.owns(node):
        return None
    change = Channelwise(instance.key, one.scale, one.shift)
    return Parts(((0, change),), one.axis, owned, one.settings)


@lru_cache(maxsize=4096)
def _described(op: Op, given: TensorType) -> tuple[ChannelMap, int] | None:
    """The map of an op, and how many numbers are not needed if the op is removed.

    These are the learned ones, or the buffers if nothing is learned.
    """
    found = op.affine_per_channel(given)
    if found is None:
        return None
    owned = [one for one in op.parameters(given) if one.persistent and one.dtype.is_float]
    learnt = [one for one in owned if one.learnable]
    return found, sum(prod(one.shape) for one in learnt or owned)


def _of_numbers(one: ChannelMap) -> Change | None:
    """The map for known numbers; None if it has others."""
    change: Change = IDENTITY
    for numbers, kind in ((one.scale, Scale), (one.shift, Shift)):
        if isinstance(numbers, Number):
            change = chained(change, kind(numbers.value))
        elif numbers is not None:
            return None
    return change


def _arithmetic(draft: Draft, node: Node, op: Op) -> Parts | None:
    found = _with_parameter(draft, node, op) if len(node.inputs) == 2 else None
    if found is not None:
        return found
    if op.arithmetic == "sum":
        return Parts(tuple((at, IDENTITY) for at in range(len(node.inputs))))
    return Parts(((0, IDENTITY), (1, _NEGATIVE))) if op.arithmetic == "difference" else None


def _with_parameter(draft: Draft, node: Node, op: Op) -> Parts | None:
    for at in (0, 1):
        source = node.inputs[1 - at]
        other = draft.node(source.node)
        name = other.op.yields_parameter if other.op is not None else None
        if name is None or other.instance is None:
            continue
        change = _change_by(op, join_path(other.instance.key, name), at)
        shape, rank = other.types[0].shape, node.types[0].rank
        long = [rank - len(shape) + axis for axis, size in enumerate(shape) if size != 1]
        if change is None or len(long) > 1 or draft.type_of(node.inputs[at]) != node.types[0]:
            continue
        is_spare = draft.reads(source) == 1 and draft.owns(other)
        spare = (product(shape).constant or 0) if is_spare else 0
        return Parts(((at, change),), long[0] if long else None, spare)
    return None


def _change_by(op: Op, owner: str, at: int) -> Change | None:
    """The map of its input `at` for arithmetic with a parameter."""
    match op.arithmetic:
        case "sum":
            return Offset(owner)
        case "product":
            return Factor(owner)
        case "difference" if at == 0:
            return chained(chained(_NEGATIVE, Offset(owner)), _NEGATIVE)
        case "difference":
            return chained(_NEGATIVE, Offset(owner))
        case _:
            return Factor(owner, inverse=True) if at == 0 else None


@frozen
class Linearity:
    """A node that is a linear layer with its own weights, as its op declares."""

    layer: Layer
    own: LinearLayer

    @property
    def gain(self) -> int:
        """How many numbers a bias adds to it."""
        return 0 if self.own.biased else self.own.width


def linearity_of(draft: Draft, node: Node) -> Linearity | None:
    """The node as a layer that can be folded, if it is one."""
    op, instance = node.op, node.instance
    if op is None or instance is None or len(node.inputs) != 1:
        return None
    own = _layer(op, draft.type_of(node.inputs[0]))
    if own is None or not draft.owns(node):
        return None
    layer = Layer(instance.key, own.groups, own.transposed, own.weight, own.bias)
    return Linearity(layer, own)


@lru_cache(maxsize=4096)
def _layer(op: Op, given: TensorType) -> LinearLayer | None:
    """The declaration of the op, if it can have a bias."""
    found = op.linear_layer(given)
    return found if found is None or found.biased or op.with_bias() is not None else None


@frozen
class Taps:
    """The taps of a layer: two layers that differ only in these can be merged.

    Per spatial axis, `first` and `last` are the positions of the outer taps relative to the output
    position, and `every` is their distance; a linear layer has no such axes. `edge` is the padding
    mode: "" for no padding.
    """

    source: Port
    kind: str
    width: int
    inputs: int
    groups: int
    stride: tuple[int, ...]
    first: tuple[int, ...]
    last: tuple[int, ...]
    every: tuple[int, ...]
    edge: str

    @property
    def weights(self) -> int:
        """Number of weights."""
        spans = zip(self.first, self.last, self.every, strict=True)
        kernel = prod((last - first) // every + 1 for first, last, every in spans)
        return self.width * self.inputs // self.groups * kernel

    def holds(self, other: Taps) -> bool:
        """Whether each weight of another layer over the same input has a position in this one."""
        same = (self.source, self.kind, self.width, self.inputs, self.stride)
        if same != (other.source, other.kind, other.width, other.inputs, other.stride):
            return False
        if other.groups % self.groups or other.edge not in ("", self.edge):
            return False
        return all(
            self.first[axis] <= other.first[axis]
            and other.last[axis] <= self.last[axis]
            and not (other.first[axis] - self.first[axis]) % self.every[axis]
            and not (other.last[axis] - other.first[axis]) % self.every[axis]
            and (other.first[axis] == other.last[axis] or not other.every[axis] % self.every[axis])
            for axis in range(len(self.first))
        )

    def places(self, other: Taps) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The offset of the other kernel in this one, and its dilation."""
        axes = range(len(self.first))
        start = tuple((other.first[at] - self.first[at]) // self.every[at] for at in axes)
        return start, tuple(max(other.every[at] // self.every[at], 1) for at in axes)

    def diagonal(self) -> Taps | None:
        """The taps of a map of each channel of its input to itself, if such a layer can exist."""
        if self.width != self.inputs or any(step != 1 for step in self.stride):
            return None
        zero, one = (0,) * len(self.first), (1,) * len(self.first)
        return Taps(
            self.source,
            self.kind,
            self.width,
            self.inputs,
            self.width,
            self.stride,
            zero,
            zero,
            one,
            "",
        )


def taps_of(draft: Draft, node: Node, source: Port) -> Taps | None:
    """The taps of a layer that reads `source`, if it declares them."""
    op, kind = node.op, draft.type_of(node.inputs[0])
    own = _layer(op, kind) if op is not None else None
    if op is None or own is None or own.rows is None:
        return None
    return Taps(
        source,
        op.name,
        own.width,
        kind.shape[own.inputs].constant or 0,
        own.groups,
        stride=tuple(row.stride for row in own.rows),
        first=tuple(row.first for row in own.rows),
        last=tuple(row.first + row.every * (row.count - 1) for row in own.rows),
        every=tuple(row.every for row in own.rows),
        edge=own.edge,
    )


def channel_layout_of(draft: Draft, node: Node, axis: int) -> ChannelLayout | None:
    """The new axis of the channels, if the node preserves maps of channels."""
    op = node.op
    if op is None or len(node.inputs) != 1 or len(node.types) != 1:
        return None
    return _channel_layout(op, axis, draft.type_of(node.inputs[0]))


@lru_cache(maxsize=4096)
def _channel_layout(op: Op, axis: int, given: TensorType) -> ChannelLayout | None:
    """The declaration of the op; memoised, because blocks are visited several times."""
    return op.channel_layout(axis, given)
