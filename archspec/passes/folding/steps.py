"""The changes of weights in folding, as data: a backend applies them to the tensors.

A step names tensors of the original network. Steps of a graph are applied in their order.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias

from archspec.frozen import frozen
from archspec.graph.names import join_path
from archspec.ops.channels import Numbers


@frozen
class Channelwise:
    """The map of the op at `owner`, of numbers that it owns; see `ChannelMap`."""

    owner: str
    scale: Numbers | None
    shift: Numbers | None


@frozen
class Factor:
    """Multiplication of each channel by a number of the parameter `owner`; `inverse`: division."""

    owner: str
    inverse: bool = False


@frozen
class Offset:
    """Addition of a number of the parameter `owner` to each channel."""

    owner: str


@frozen
class Scale:
    """Multiplication of all channels by one number."""

    number: float


@frozen
class Shift:
    """Addition of one number to all channels."""

    number: float


@frozen
class Slope:
    """The factor of a change, without what it adds."""

    of: Change


@frozen
class Chain:
    """Maps one after another; an empty chain is the identity."""

    parts: tuple[Change, ...]


@frozen
class Total:
    """The sum of several maps of one input."""

    parts: tuple[Change, ...]


Change: TypeAlias = Channelwise | Factor | Offset | Scale | Shift | Slope | Chain | Total
"""An affine map per channel, x * scale + shift."""

IDENTITY = Chain(())


@frozen
class Layer:
    """A convolution or linear layer: its path, and the layout of its weight.

    The weight is [outputs, inputs / groups, ...], or [inputs, outputs / groups, ...] if it is
    `transposed`. `weight` and `bias` are their names below the path.
    """

    owner: str
    groups: int = 1
    transposed: bool = False
    weight: str = "weight"
    bias: str = "bias"

    @property
    def weight_name(self) -> str:
        """The full name of its weight."""
        return join_path(self.owner, self.weight)

    @property
    def bias_name(self) -> str:
        """The full name of its bias, which may be missing."""
        return join_path(self.owner, self.bias)


@frozen
class After:
    """A map after a layer: weight * scale, bias * scale + shift."""

    layer: Layer
    change: Change


@frozen
class Before:
    """A map before a layer: weight * scale over its inputs, bias + weight @ shift.

    The inputs have the channels repeated `outer` times as a whole, each of them `inner` times in a
    row.
    """

    layer: Layer
    change: Change
    outer: int = 1
    inner: int = 1


@frozen
class Merge:
    """A layer, or a map of the input, that is added to a larger layer over the same input.

    Its kernel, spread by `dilation`, is added to that of `into` from position `start` on (both per
    spatial axis), and its bias to that bias. A map is a kernel with a single tap that connects each
    channel to itself, so the identity is the unit matrix.
    """

    into: Layer
    part: Layer | Change
    start: tuple[int, ...]
    dilation: tuple[int, ...]


@frozen
class SetNorm:
    """A norm whose weight and bias are set so that its whole map is `change`.

    `settings` are those of its `ChannelMap`.
    """

    owner: str
    settings: tuple[tuple[str, Numbers], ...]
    change: Change


Step: TypeAlias = After | Before | Merge | SetNorm


def below(step: Step, prefix: str) -> Step:
    """The step with all its paths below `prefix`."""
    if not prefix:
        return step
    match step:
        case After() | Before():
            return replace(
                step, layer=_moved(step.layer, prefix), change=_renamed(step.change, prefix)
            )
        case Merge(into, part, start, dilation):
            named = _moved(part, prefix) if isinstance(part, Layer) else _renamed(part, prefix)
            return Merge(_moved(into, prefix), named, start, dilation)
        case SetNorm(owner, settings, change):
            return SetNorm(join_path(prefix, owner), settings, _renamed(change, prefix))


def _moved(layer: Layer, prefix: str) -> Layer:
    return replace(layer, owner=join_path(prefix, layer.owner))


def _renamed(change: Change, prefix: str) -> Change:
    match change:
        case Channelwise() | Factor() | Offset():
            return replace(change, owner=join_path(prefix, change.owner))
        case Slope(of):
            return Slope(_renamed(of, prefix))
        case Chain(parts) | Total(parts):
            return replace(change, parts=tuple(_renamed(part, prefix) for part in parts))
        case _:
            return change
