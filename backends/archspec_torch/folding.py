"""The weights of a folded network, from those of the network as it was."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from archspec.diagnostics.model import CompileFailed
from archspec.passes.folding.steps import (
    After,
    Before,
    Change,
    Layer,
    Merge,
    Offset,
    Statistics,
    Step,
)
from archspec.targets.base import Weights
from archspec_torch.fit import fit, persistent
from archspec_torch.module import to_module

if TYPE_CHECKING:
    from archspec.graph.compiled import Compiled
    from archspec.passes.folding.fold import Folding
    from archspec_torch.checkpoint import Stored


def fit_folded(
    folding: Folding, given: Stored, whole: Compiled | None = None, names_only: bool = False
) -> Weights:
    """The weights of a folded network, from a state dict of the network as it was, or of its own.

    Raises CompileFailed (E0842) where neither fits; it speaks of the network as it was.
    """
    try:
        found = fit(folding.whole, given, whole, names_only)
    except CompileFailed as fault:
        try:
            return fit(folding.compiled, given, names_only=names_only)
        except CompileFailed:
            raise fault from None
    return _folded(folding, found)


def first_folded(folding: Folding, seed: int) -> Weights:
    """The weights with which the network as it was begins, folded."""
    values = to_module(folding.whole, seed).state_dict()
    return _folded(folding, Weights(values, f"seed {seed}"))


def _folded(folding: Folding, weights: Weights) -> Weights:
    names = persistent(folding.compiled)
    values = folded(folding.steps, weights.tensors, names)
    return Weights(values, f"{weights.source}, folded", weights.liberties)


def folded(
    steps: Iterable[Step], tensors: Mapping[str, Tensor], names: Iterable[str]
) -> dict[str, Tensor]:
    """The tensors called `names` once all steps are carried out, in their order.

    `tensors` are those of the whole network; they stay as they are. Sums are taken in float64,
    and the results have the element types of the weights that they came from.
    """
    work = _Work(tensors)
    for step in steps:
        match step:
            case After(layer, change):
                work.after(layer, change)
            case Before(layer, change):
                work.before(layer, change)
            case Merge():
                work.merge(step)
    return {name: work.result(name) for name in names}


class _Work:
    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        self._given = tensors
        self._made: dict[str, Tensor] = {}

    def after(self, layer: Layer, change: Change) -> None:
        """Fold a change of the outputs."""
        weight, bias = self._value(f"{layer.owner}.weight"), self._bias(layer)
        scale, shift = self._map(change)
        if scale is not None:
            per_output = scale.reshape(layer.groups, 1, -1) if layer.transposed else scale
            weight = _scaled(weight, per_output, layer)
            bias = bias * scale if bias is not None else None
        if shift is not None:
            bias = shift if bias is None else bias + shift
        self._keep(layer, weight, bias)

    def before(self, layer: Layer, change: Change) -> None:
        """Fold a change of the inputs."""
        weight, bias = self._value(f"{layer.owner}.weight"), self._bias(layer)
        scale, shift = self._map(change)
        if shift is not None:
            # a transposed convolution takes no shift, since its windows reach over the edge
            parts = shift.reshape(layer.groups, 1, -1)
            rows = weight.flatten(2).sum(2) if weight.dim() > 2 else weight
            rows = rows.reshape(layer.groups, -1, rows.shape[1])
            added = (rows * parts).sum(2).flatten()
            bias = added if bias is None else bias + added
        if scale is not None:
            weight = _scaled_inputs(weight, scale, layer)
        self._keep(layer, weight, bias)

    def merge(self, step: Merge) -> None:
        """Add a convolution to a larger one."""
        weight = self._value(f"{step.into}.weight").clone()
        part = self._value(f"{step.part}.weight")
        taps = zip(step.start, part.shape[2:], step.dilation, strict=True)
        window = (slice(at, at + (size - 1) * every + 1, every) for at, size, every in taps)
        weight[(slice(None), slice(None), *window)] += part
        into = Layer(step.into)
        bias, more = self._bias(into), self._bias(Layer(step.part))
        if more is not None:
            bias = more if bias is None else bias + more
        self._keep(into, weight, bias)

    def result(self, name: str) -> Tensor:
        """A tensor as it is now."""
        if name not in self._made:
            return self._given[name]
        like = self._given.get(name)
        if like is None:  # a bias that was not there before
            like = self._given[f"{name.rpartition('.')[0]}.weight"]
        return self._made[name].to(like.dtype)

    def _value(self, name: str) -> Tensor:
        found = self._made.get(name)
        return found if found is not None else self._given[name].detach().double()

    def _bias(self, layer: Layer) -> Tensor | None:
        name = f"{layer.owner}.bias"
        return self._value(name) if name in self._made or name in self._given else None

    def _keep(self, layer: Layer, weight: Tensor, bias: Tensor | None) -> None:
        self._made[f"{layer.owner}.weight"] = weight
        if bias is not None:
            self._made[f"{layer.owner}.bias"] = bias

    def _map(self, change: Change) -> tuple[Tensor | None, Tensor | None]:
        """Scale and shift per channel; None where there is none."""
        if not isinstance(change, Statistics):
            value = self._value(change.owner).flatten()
            return (None, value) if isinstance(change, Offset) else (value, None)
        scale = torch.rsqrt(self._value(f"{change.owner}.running_var") + change.eps)
        if change.affine:
            scale = scale * self._value(f"{change.owner}.weight")
        shift = -self._value(f"{change.owner}.running_mean") * scale
        if change.affine:
            shift = shift + self._value(f"{change.owner}.bias")
        return scale, shift


def _scaled(weight: Tensor, scale: Tensor, layer: Layer) -> Tensor:
    """The weight with each output times its number; [groups, 1, ...] where transposed."""
    if not layer.transposed:
        return weight * scale.reshape(-1, *(1,) * (weight.dim() - 1))
    grouped = weight.reshape(layer.groups, -1, *weight.shape[1:])
    return (grouped * scale.reshape(*scale.shape, *(1,) * (weight.dim() - 2))).reshape(weight.shape)


def _scaled_inputs(weight: Tensor, scale: Tensor, layer: Layer) -> Tensor:
    """The weight with each input times its number."""
    if layer.transposed:
        return weight * scale.reshape(-1, *(1,) * (weight.dim() - 1))
    grouped = weight.reshape(layer.groups, -1, *weight.shape[1:])
    places = (layer.groups, 1, -1, *(1,) * (weight.dim() - 2))
    return (grouped * scale.reshape(places)).reshape(weight.shape)
