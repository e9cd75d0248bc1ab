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
    """Multiplication of each channel by a number of the parameter `owner`."""

    owner: str


@frozen
class Offset:
    """Addition of a number of the parameter `owner` to each channel."""

    owner: str


Change: TypeAlias = Statistics | Factor | Offset
"""An affine map of each channel on its own, x * scale + shift."""


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
    """A change in front of a layer: weight * scale over its inputs, bias + weight @ shift."""

    layer: Layer
    change: Change


@frozen
class Merge:
    """A convolution that is added to a larger one over the same input.

    Its kernel, spread by `dilation`, is added to that of `into` from position `start` on (both
    per spatial axis), and its bias to that bias.
    """

    into: str
    part: str
    start: tuple[int, ...]
    dilation: tuple[int, ...]


Step: TypeAlias = After | Before | Merge


def below(step: Step, prefix: str) -> Step:
    """The step with all its paths below `prefix`."""
    if isinstance(step, Merge):
        return replace(step, into=join_path(prefix, step.into), part=join_path(prefix, step.part))
    layer = replace(step.layer, owner=join_path(prefix, step.layer.owner))
    change = replace(step.change, owner=join_path(prefix, step.change.owner))
    return replace(step, layer=layer, change=change)
