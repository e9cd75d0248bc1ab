"""What folding does to weights, as data: a backend carries it out on the tensors.

A step names tensors of the network as it was. Steps of a graph are carried out in their order.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias

from archspec.frozen import frozen
from archspec.graph.names import join_path


@frozen
class Statistics:
    """The map of a batch norm in inference, per channel.

    scale = weight / sqrt(running_var + eps), shift = bias - running_mean * scale (Ioffe and
    Szegedy 2015, algorithm 2); weight and bias are 1 and 0 unless it is `affine`.
    """

    owner: str
    eps: float
    affine: bool = True


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
    """Changes one after another. Of none it is the identity."""

    parts: tuple[Change, ...]


@frozen
class Total:
    """The sum of what several changes make of one input."""

    parts: tuple[Change, ...]


Change: TypeAlias = Statistics | Factor | Offset | Scale | Shift | Slope | Chain | Total
"""An affine map of each channel on its own, x * scale + shift."""

IDENTITY = Chain(())


@frozen
class Layer:
    """A convolution or linear layer: its path, and how its weight is laid out.

    The weight is [outputs, inputs / groups, ...], or [inputs, outputs / groups, ...] where it is
    `transposed`.
    """

    owner: str
    groups: int = 1
    transposed: bool = False


@frozen
class After:
    """A change behind a layer: weight * scale, bias * scale + shift."""

    layer: Layer
    change: Change


@frozen
class Before:
    """A change in front of a layer: weight * scale over its inputs, bias + weight @ shift.

    The inputs have the channels `outer` times in their order, each `inner` times in a row.
    """

    layer: Layer
    change: Change
    outer: int = 1
    inner: int = 1


@frozen
class Merge:
    """A layer, or a change of the input, that is added to a larger layer over the same input.

    Its kernel, spread by `dilation`, is added to that of `into` from position `start` on (both
    per spatial axis), and its bias to that bias. A change is the kernel of a single tap that
    joins each channel to itself, so the identity is the unit matrix.
    """

    into: Layer
    part: Layer | Change
    start: tuple[int, ...]
    dilation: tuple[int, ...]


@frozen
class Become:
    """A batch norm whose weight and bias become what makes `change` of its whole map."""

    norm: Statistics
    change: Change


Step: TypeAlias = After | Before | Merge | Become


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
        case Become(norm, change):
            return Become(
                replace(norm, owner=join_path(prefix, norm.owner)), _renamed(change, prefix)
            )


def _moved(layer: Layer, prefix: str) -> Layer:
    return replace(layer, owner=join_path(prefix, layer.owner))


def _renamed(change: Change, prefix: str) -> Change:
    match change:
        case Statistics() | Factor() | Offset():
            return replace(change, owner=join_path(prefix, change.owner))
        case Slope(of):
            return Slope(_renamed(of, prefix))
        case Chain(parts) | Total(parts):
            return replace(change, parts=tuple(_renamed(part, prefix) for part in parts))
        case _:
            return change
