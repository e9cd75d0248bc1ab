"""What folding knows of nodes: layers, affine maps of single channels, and what passes them on."""

from __future__ import annotations

from functools import lru_cache
from math import prod

from archspec.frozen import frozen
from archspec.graph.model import Node, Port
from archspec.ops.arithmetic import Add, Div, Mul, Sub
from archspec.ops.base import Op
from archspec.ops.convolution import Conv
from archspec.ops.linear import Linear
from archspec.ops.normalisation import BatchNorm, FrozenBatchNorm
from archspec.ops.passage import Passage
from archspec.ops.random import DropPath
from archspec.ops.shape_rules import Slide
from archspec.ops.source import Param
from archspec.ops.symbols import number
from archspec.ops.transposed_convolution import ConvTranspose
from archspec.passes.folding.changes import chained, leaves
from archspec.passes.folding.draft import Draft
from archspec.passes.folding.steps import (
    IDENTITY,
    Change,
    Factor,
    Layer,
    Offset,
    Scale,
    Shift,
    Statistics,
)
from archspec.types.tensor import TensorType

_NEGATIVE = Scale(-1.0)


@frozen
class Parts:
    """A node as a sum: for each input that it reads, by index, what becomes of its channels.

    `axis` is that of the channels, None where all are changed alike. `spare` is how many numbers
    of the state dict are no longer needed where the node is gone.
    """

    terms: tuple[tuple[int, Change], ...]
    axis: int | None = None
    spare: int = 0

    @property
    def is_change(self) -> bool:
        """Whether it does more than add up."""
        return any(change not in (IDENTITY, _NEGATIVE) for _, change in self.terms)


def spare_of(parts: Parts) -> dict[str, int]:
    """By owner, how many numbers of the state dict are not needed where a node is gone."""
    return {
        leaf.owner: parts.spare
        for _, change in parts.terms
        for leaf in leaves(change)
        if isinstance(leaf, Statistics | Factor | Offset)
    }


def parts_of(draft: Draft, node: Node) -> Parts | None:
    """The node as a sum of affine maps of single channels in inference, if it is one."""
    match node.op:
        case BatchNorm() | FrozenBatchNorm():
            return _norm(draft, node)
        case Add() | Sub() | Mul() | Div():
            return _arithmetic(draft, node)
        case DropPath(scale="inference", p=p):
            return Parts(((0, Scale(1.0 - p)),))
        case None:
            return None
        case op if len(node.inputs) == 1:
            rank = draft.type_of(node.inputs[0]).rank
            same = op.permutation(rank) == tuple(range(rank))
            return Parts(((0, IDENTITY),)) if same else None
        case _:
            return None


def statistics_of(node: Node) -> Statistics | None:
    """The map of a batch norm that has running averages."""
    op, instance = node.op, node.instance
    if instance is None:
        return None
    if isinstance(op, BatchNorm):
        return Statistics(instance.key, op.eps, op.affine) if op.track else None
    return Statistics(instance.key, op.eps) if isinstance(op, FrozenBatchNorm) else None


def _norm(draft: Draft, node: Node) -> Parts | None:
    op, change = node.op, statistics_of(node)
    if change is None or op is None or not draft.owns(node):
        return None
    axis = op.axis % node.types[0].rank if isinstance(op, BatchNorm) else 1
    # weight and bias; where there is nothing to learn, what there is in their place
    each = 4 if isinstance(op, FrozenBatchNorm) else 2
    return Parts(((0, change),), axis, each * (node.types[0].shape[axis].constant or 0))


def _arithmetic(draft: Draft, node: Node) -> Parts | None:
    op = node.op
    assert isinstance(op, Add | Sub | Mul | Div)
    if op.scalar is not None or len(node.inputs) == 1:
        return _with_number(op)
    if len(node.inputs) == 2:
        found = _with_parameter(draft, node, op)
        if found is not None:
            return found
    if isinstance(op, Add):
        return Parts(tuple((at, IDENTITY) for at in range(len(node.inputs))))
    return Parts(((0, IDENTITY), (1, _NEGATIVE))) if isinstance(op, Sub) else None


def _with_number(op: Add | Sub | Mul | Div) -> Parts | None:
    number = op.scalar
    if not isinstance(number, int | float):
        return None
    match op:
        case Add():
            change: Change = Shift(float(number))
        case Sub() if op.reverse:
            change = chained(_NEGATIVE, Shift(float(number)))
        case Sub():
            change = Shift(-float(number))
        case Mul():
            change = Scale(float(number))
        case _:
            if op.reverse or not number:
                return None
            change = Scale(1.0 / number)
    return Parts(((0, change),))


def _with_parameter(draft: Draft, node: Node, op: Add | Sub | Mul | Div) -> Parts | None:
    for at in (0, 1):
        source = node.inputs[1 - at]
        other = draft.node(source.node)
        if not isinstance(other.op, Param) or other.instance is None:
            continue
        change = _change_by(op, other.instance.key, at)
        shape, rank = other.op.shape, node.types[0].rank
        long = [rank - len(shape) + axis for axis, size in enumerate(shape) if size != 1]
        if change is None or len(long) > 1 or draft.type_of(node.inputs[at]) != node.types[0]:
            continue
        spare = prod(shape) if draft.reads(source) == 1 and draft.owns(other) else 0
        return Parts(((at, change),), long[0] if long else None, spare)
    return None


def _change_by(op: Add | Sub | Mul | Div, owner: str, at: int) -> Change | None:
    """What arithmetic with a parameter makes of its input `at`."""
    match op:
        case Add():
            return Offset(owner)
        case Mul():
            return Factor(owner)
        case Sub() if at == 0:
            return chained(chained(_NEGATIVE, Offset(owner)), _NEGATIVE)
        case Sub():
            return chained(_NEGATIVE, Offset(owner))
        case _:
            return Factor(owner, inverse=True) if at == 0 else None


@frozen
class Linearity:
    """A node that is a layer with weights of its own.

    `inputs` and `outputs` are the axes of its channels, `width` is the number of its outputs.
    `padded` says whether its windows reach over an edge where zeros are, so that a number that
    was added before is missing.
    """

    layer: Layer
    inputs: int
    outputs: int
    width: int
    padded: bool
    biased: bool


def linearity_of(draft: Draft, node: Node) -> Linearity | None:
    """The node as a layer that can be folded, if it is one."""
    op, instance = node.op, node.instance
    if instance is None or not isinstance(op, Conv | ConvTranspose | Linear):
        return None
    if op.parametrization != "none" or not draft.owns(node):
        return None
    kind = draft.type_of(node.inputs[0])
    if isinstance(op, Linear):
        last = kind.rank - 1
        return Linearity(Layer(instance.key), last, last, number(op.width), False, op.bias)
    if isinstance(op, ConvTranspose):
        layer = Layer(instance.key, number(op.groups), transposed=True)
        return Linearity(layer, 1, 1, number(op.width), True, op.bias)
    padded = _reaches_over(op.slides(kind.rank - 2)) and op.padding_mode == "zeros"
    width, groups = map(number, op.counts(kind))
    return Linearity(Layer(instance.key, groups), 1, 1, width, padded, op.bias)


def _reaches_over(slides: tuple[Slide, ...]) -> bool:
    return any(slide.before or slide.after for slide in slides)


@frozen
class Taps:
    """What a layer reads of its input, and how: two that agree in all but the taps add up.

    Per spatial axis, `first` and `last` are the places of the outer taps relative to the output
    position, and `every` is their distance; a linear layer has no such axis. `edge` says what is
    read beyond the edge: "" for nothing.
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
        """Whether each weight of another layer over the same input has its place in this one."""
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
        """Where in this kernel that of the other begins, and how far apart its weights are."""
        axes = range(len(self.first))
        start = tuple((other.first[at] - self.first[at]) // self.every[at] for at in axes)
        return start, tuple(max(other.every[at] // self.every[at], 1) for at in axes)

    def diagonal(self) -> Taps | None:
        """Those of the map of each channel of its input to itself, where it can be such a layer."""
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
    """The taps of a layer that reads `source`."""
    op, kind = node.op, draft.type_of(node.inputs[0])
    if isinstance(op, Linear):
        inputs = kind.shape[-1].constant or 0
        return Taps(source, op.name, number(op.width), inputs, 1, (), (), (), (), "")
    if not isinstance(op, Conv | ConvTranspose):
        return None
    slides, inputs = op.slides(kind.rank - 2), kind.shape[1].constant or 0
    counts = op.counts(kind) if isinstance(op, Conv) else (op.width, op.groups)
    width, groups = map(number, counts)
    is_padded = isinstance(op, Conv) and _reaches_over(slides)
    return Taps(
        source,
        op.name,
        width,
        inputs,
        groups,
        stride=tuple(slide.stride for slide in slides),
        first=tuple(-slide.before for slide in slides),
        last=tuple(slide.reach - 1 - slide.before for slide in slides),
        every=tuple(slide.dilation if slide.kernel > 1 else 1 for slide in slides),
        edge=op.padding_mode if isinstance(op, Conv) and is_padded else "",
    )


def passage_of(draft: Draft, node: Node, axis: int) -> Passage | None:
    """Where the channels of an axis of the input go, where the node passes on maps of them."""
    op = node.op
    if op is None or len(node.inputs) != 1 or len(node.types) != 1:
        return None
    return _passage(op, axis, draft.type_of(node.inputs[0]))


@lru_cache(maxsize=4096)
def _passage(op: Op, axis: int, given: TensorType) -> Passage | None:
    """What the op says; blocks are looked at several times, on trial too."""
    return op.passage(axis, given)
