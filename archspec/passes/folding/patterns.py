"""What can be folded: layers, affine maps of single channels, and reorderings of axes."""

from __future__ import annotations

import operator
from collections.abc import Hashable
from math import prod

from archspec.frozen import frozen
from archspec.graph.model import Graph, Node, Port
from archspec.ops.arithmetic import Add, Mul
from archspec.ops.base import Op
from archspec.ops.convolution import Conv
from archspec.ops.linear import Linear
from archspec.ops.normalisation import BatchNorm, FrozenBatchNorm
from archspec.ops.source import Param
from archspec.ops.transposed_convolution import ConvTranspose
from archspec.passes.folding.steps import Change, Factor, Layer, Offset, Statistics


@frozen
class Affine:
    """A node that changes each channel of its input on its own.

    `at` is the index of the input that it changes, `axis` that of the channels.
    """

    change: Change
    axis: int
    at: int = 0

    @property
    def is_factor(self) -> bool:
        """Whether nothing is added, so that zeros stay zeros."""
        return isinstance(self.change, Factor)


def affine_of(graph: Graph, node: Node) -> Affine | None:
    """The node as an affine map of single channels in inference, if it is one."""
    op, instance = node.op, node.instance
    if instance is None or op is None:
        return None
    if isinstance(op, BatchNorm):
        axis = op.axis % node.types[0].rank
        return Affine(Statistics(instance.key, op.eps, op.affine), axis) if op.track else None
    if isinstance(op, FrozenBatchNorm):
        return Affine(Statistics(instance.key, op.eps), 1)
    if isinstance(op, Add | Mul) and op.scalar is None and len(node.inputs) == 2:
        return _with_parameter(graph, node, Factor if isinstance(op, Mul) else Offset)
    return None


def _with_parameter(graph: Graph, node: Node, kind: type[Factor] | type[Offset]) -> Affine | None:
    for at in (0, 1):
        other = graph.nodes[node.inputs[1 - at].node]
        if not isinstance(other.op, Param) or other.instance is None:
            continue
        if graph.type_of(node.inputs[at]) != node.types[0]:
            return None
        rank, shape = node.types[0].rank, other.op.shape
        long = [rank - len(shape) + axis for axis, size in enumerate(shape) if size != 1]
        return Affine(kind(other.instance.key), long[0], at) if len(long) == 1 else None
    return None


@frozen
class Linearity:
    """A node that is a layer with weights of its own.

    `inputs` and `outputs` are the axes of its channels. `padded` says whether its windows reach
    over the edge, where a number that was added before is missing.
    """

    layer: Layer
    inputs: int
    outputs: int
    padded: bool


def linearity_of(graph: Graph, node: Node) -> Linearity | None:
    """The node as a layer, if it is one; not where its weight is parametrised."""
    op, instance = node.op, node.instance
    if instance is None or not isinstance(op, Conv | ConvTranspose | Linear):
        return None
    if op.parametrization != "none":
        return None
    kind = graph.type_of(node.inputs[0])
    if isinstance(op, Linear):
        return Linearity(Layer(instance.key), kind.rank - 1, kind.rank - 1, padded=False)
    if isinstance(op, ConvTranspose):
        return Linearity(Layer(instance.key, op.groups, transposed=True), 1, 1, padded=True)
    padded = any(slide.before or slide.after for slide in op.slides(kind.rank - 2))
    return Linearity(Layer(instance.key, op.counts(kind)[1]), 1, 1, padded)


def with_bias(op: Op) -> Op:
    """The layer with a bias."""
    return op.model_copy(update={"bias": True})


@frozen
class Taps:
    """What a convolution reads of its input, and how: two that agree in all but the taps add up.

    Per spatial axis, `first` and `last` are the places of the outer taps relative to the output
    position, `dense` says whether there is a tap at each place between.
    """

    source: Port
    width: int
    groups: int
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    first: tuple[int, ...]
    last: tuple[int, ...]
    dense: bool

    @property
    def frame(self) -> tuple[Hashable, ...]:
        """All but the taps."""
        return self.source, self.width, self.groups, self.stride

    @property
    def span(self) -> int:
        """Places between the outer taps, with these."""
        return prod(end - start + 1 for start, end in zip(self.first, self.last, strict=True))

    def holds(self, other: Taps) -> bool:
        """Whether each tap of another convolution of the same frame is one of this."""
        return (
            self.dense
            and all(map(operator.le, self.first, other.first))
            and all(map(operator.ge, self.last, other.last))
        )


def taps_of(graph: Graph, node: Node, source: Port) -> Taps | None:
    """The taps of a convolution that reads `source` and is padded with zeros."""
    op = node.op
    if not isinstance(op, Conv) or op.padding_mode != "zeros" or op.parametrization != "none":
        return None
    kind = graph.type_of(node.inputs[0])
    width, groups = op.counts(kind)
    slides = op.slides(kind.rank - 2)
    return Taps(
        source,
        width,
        groups,
        stride=tuple(slide.stride for slide in slides),
        dilation=tuple(slide.dilation for slide in slides),
        first=tuple(-slide.before for slide in slides),
        last=tuple(slide.reach - 1 - slide.before for slide in slides),
        dense=all(slide.dilation == 1 or slide.kernel == 1 for slide in slides),
    )


def order_of(graph: Graph, node: Node) -> tuple[int, ...] | None:
    """The axes of its input in their new order, where the node does no more than reorder them."""
    op = node.op
    if op is None or len(node.inputs) != 1:
        return None
    return op.permutation(graph.type_of(node.inputs[0]).rank)
