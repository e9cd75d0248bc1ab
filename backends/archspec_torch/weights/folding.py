"""The weights of a folded network, from those of the original network."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, TypeAlias

import torch
from torch import Tensor

from archspec.diagnostics.failure import CompileFailed
from archspec.graph.names import join_path
from archspec.ops.channels import Calculation, Function, Number, Numbers, Owned, Wanted
from archspec.passes.folding.steps import (
    After,
    Before,
    Chain,
    Change,
    Channelwise,
    Factor,
    Layer,
    Merge,
    Offset,
    Scale,
    SetNorm,
    Shift,
    Slope,
    Step,
    Total,
)
from archspec.targets.weights import Weights
from archspec_torch.weights.fit import fit, persistent
from archspec_torch.weights.tensors import tensors

if TYPE_CHECKING:
    from archspec.graph.compiled import Compiled
    from archspec.passes.folding.fold import Folding
    from archspec_torch.weights.selection import Stored


def fit_folded(
    folding: Folding, given: Stored, whole: Compiled | None = None, names_only: bool = False
) -> Weights:
    """The weights of a folded network, from a state dict of the original network, or of itself.

    Raises CompileFailed (E0842), about the original network, if neither fits.
    """
    try:
        found = fit(folding.whole, given, whole, names_only)
    except CompileFailed as fault:
        try:
            return fit(folding.compiled, given, names_only=names_only)
        except CompileFailed:
            raise fault from None
    return folded_weights(folding, found)


def folded_weights(folding: Folding, weights: Weights) -> Weights:
    """The weights of a folded network, from all weights of the original network."""
    names = persistent(folding.compiled)
    values = folded(folding.steps, tensors(weights), names)
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
            case After():
                work.after(step)
            case Before():
                work.before(step)
            case Merge():
                work.merge(step)
            case SetNorm():
                work.set_norm(step)
    return {name: work.result(name) for name in names}


_FUNCTIONS: Mapping[Function, Callable[..., Tensor]] = {
    Function.ADD: torch.add,
    Function.SUBTRACT: torch.sub,
    Function.MULTIPLY: torch.mul,
    Function.DIVIDE: torch.div,
    Function.NEGATIVE: torch.neg,
    Function.SQRT: torch.sqrt,
    Function.RSQRT: torch.rsqrt,
    Function.EXP: torch.exp,
}

_Map: TypeAlias = tuple[Tensor, Tensor | None]
"""Scale and shift, one for each channel or one for all; the shift is None if it is zero."""


class _Work:
    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        self._given = tensors
        self._made: dict[str, Tensor] = {}
        self._biased: dict[str, str] = {}  # the weights that belong to new biases

    def after(self, step: After) -> None:
        """Fold a map of the outputs."""
        layer = step.layer
        weight, bias = self._value(layer.weight_name), self._bias(layer)
        scale, shift = self._map(step.change)
        width = weight.shape[1] * layer.groups if layer.transposed else weight.shape[0]
        if bias is not None:
            bias = bias * scale
        self._keep(layer, _scaled(weight, scale.expand(width), layer), _sum(bias, shift, width))

    def before(self, step: Before) -> None:
        """Fold a map of the inputs."""
        layer = step.layer
        weight, bias = self._value(layer.weight_name), self._bias(layer)
        count = weight.shape[0] if layer.transposed else weight.shape[1] * layer.groups
        scale, shift = (
            _spread(value, step, count) if value is not None else None
            for value in self._map(step.change)
        )
        assert scale is not None
        if shift is not None:
            parts = shift.reshape(layer.groups, 1, -1)
            rows = weight.flatten(2).sum(2) if weight.dim() > 2 else weight
            rows = rows.reshape(layer.groups, -1, rows.shape[1])
            rows = rows.transpose(1, 2) if layer.transposed else rows
            added = (rows * parts).sum(2).flatten()
            bias = added if bias is None else bias + added
        self._keep(layer, _scaled_inputs(weight, scale, layer), bias)

    def merge(self, step: Merge) -> None:
        """Add a layer, or the kernel of a map, to a larger layer."""
        into = step.into
        weight, bias = self._value(into.weight_name).clone(), self._bias(into)
        width = weight.shape[1] * into.groups if into.transposed else weight.shape[0]
        if isinstance(step.part, Layer):
            part, groups = self._value(step.part.weight_name), step.part.groups
            more = self._bias(step.part)
        else:
            scale, more = self._map(step.part)
            part, groups = scale.expand(width).reshape(width, *(1,) * (weight.dim() - 1)), width
        part = _regrouped(part, groups, into.groups)
        taps = zip(step.start, part.shape[2:], step.dilation, strict=True)
        window = (slice(at, at + (size - 1) * every + 1, every) for at, size, every in taps)
        weight[(slice(None), slice(None), *window)] += part
        self._keep(into, weight, _sum(bias, more, width))

    def set_norm(self, step: SetNorm) -> None:
        """Set the weight and bias of a norm so that its map is a given one."""
        scale, shift = self._map(step.change)
        wanted = {"scale": scale, "shift": self._number(0.0) if shift is None else shift}
        made = {
            join_path(step.owner, name): self._numbers(step.owner, numbers, wanted)
            for name, numbers in step.settings
        }
        self._made |= {name: self._shaped(name, value) for name, value in made.items()}

    def result(self, name: str) -> Tensor:
        """The current value of a tensor."""
        if name not in self._made:
            return self._given[name]
        like = self._given[self._biased.get(name, name)]
        return self._made[name].to(like.dtype)

    def _value(self, name: str) -> Tensor:
        found = self._made.get(name)
        return found if found is not None else self._given[name].detach().double()

    def _bias(self, layer: Layer) -> Tensor | None:
        name = layer.bias_name
        return self._value(name) if name in self._made or name in self._given else None

    def _keep(self, layer: Layer, weight: Tensor, bias: Tensor | None) -> None:
        self._made[layer.weight_name] = weight
        if bias is None:
            return
        self._made[layer.bias_name] = bias
        if layer.bias_name not in self._given:
            self._biased[layer.bias_name] = layer.weight_name

    def _shaped(self, name: str, value: Tensor) -> Tensor:
        """Values of channels in the shape of a tensor."""
        like = self._given[name]
        return value.expand(max(value.numel(), like.numel())).reshape(like.shape)

    def _map(self, change: Change) -> _Map:
        match change:
            case Channelwise(owner, scale, shift):
                factor = self._number(1.0) if scale is None else self._numbers(owner, scale)
                return factor, None if shift is None else self._numbers(owner, shift)
            case Factor(owner, inverse):
                value = self._value(owner).flatten()
                return (value.reciprocal() if inverse else value), None
            case Offset(owner):
                value = self._value(owner).flatten()
                return torch.ones_like(value[:1]), value
            case Scale(number):
                return self._number(number), None
            case Shift(number):
                return self._number(1.0), self._number(number)
            case Slope(of):
                return self._map(of)[0], None
            case Chain(parts):
                return self._chain(parts)
            case Total(parts):
                return self._total(parts)

    def _chain(self, parts: Iterable[Change]) -> _Map:
        scale, shift = self._number(1.0), None
        for factor, offset in map(self._map, parts):
            scale = scale * factor
            shift = offset if shift is None else _sum(shift * factor, offset, 1)
        return scale, shift

    def _total(self, parts: Iterable[Change]) -> _Map:
        scale, shift = self._number(0.0), None
        for factor, offset in map(self._map, parts):
            scale = scale + factor
            shift = _sum(shift, offset, 1)
        return scale, shift

    def _numbers(
        self, owner: str, numbers: Numbers, wanted: Mapping[str, Tensor] | None = None
    ) -> Tensor:
        """The value of an expression over the tensors of `owner`."""
        match numbers:
            case Number(value):
                return self._number(value)
            case Owned(name):
                return self._value(join_path(owner, name)).flatten()
            case Wanted(name) if wanted is not None:
                return wanted[name]
            case Calculation(function, arguments):
                found = (self._numbers(owner, one, wanted) for one in arguments)
                return _FUNCTIONS[function](*found)
        raise TypeError(f"{numbers!r} is not an expression over tensors of {owner}")

    def _number(self, number: float) -> Tensor:
        # on the device of the weights, which may be meta
        like = next(iter(self._given.values()))
        return torch.full((1,), number, dtype=torch.float64, device=like.device)


def _sum(left: Tensor | None, right: Tensor | None, width: int) -> Tensor | None:
    """The sum of the existing values, at least `width` long."""
    if left is None or right is None:
        found = left if right is None else right
        return found.expand(max(width, found.numel())) if found is not None else None
    return (left + right).expand(max(width, left.numel(), right.numel()))


def _spread(value: Tensor, step: Before, count: int) -> Tensor:
    """The numbers of the channels, one for each input of a layer."""
    channels = value.expand(count // (step.outer * step.inner))
    return channels.repeat_interleave(step.inner).repeat(step.outer)


def _scaled(weight: Tensor, scale: Tensor, layer: Layer) -> Tensor:
    """The weight with each output multiplied by its number."""
    if not layer.transposed:
        return weight * scale.reshape(-1, *(1,) * (weight.dim() - 1))
    grouped = weight.reshape(layer.groups, -1, *weight.shape[1:])
    places = (layer.groups, 1, -1, *(1,) * (weight.dim() - 2))
    return (grouped * scale.reshape(places)).reshape(weight.shape)


def _scaled_inputs(weight: Tensor, scale: Tensor, layer: Layer) -> Tensor:
    """The weight with each input multiplied by its number."""
    if layer.transposed:
        return weight * scale.reshape(-1, *(1,) * (weight.dim() - 1))
    grouped = weight.reshape(layer.groups, -1, *weight.shape[1:])
    places = (layer.groups, 1, -1, *(1,) * (weight.dim() - 2))
    return (grouped * scale.reshape(places)).reshape(weight.shape)


def _regrouped(weight: Tensor, before: int, after: int) -> Tensor:
    """The weight of a layer of `before` groups as that of one of `after`, which divides `before`.

    Several groups become one, in which the weights between them are zero. It does not matter which
    of the two first axes is that of the outputs.
    """
    if before == after:
        return weight
    many, (rows, columns) = before // after, (weight.shape[0] // before, weight.shape[1])
    kernel = weight.shape[2:]
    parts = weight.reshape(after, many, rows, columns, *kernel)
    made = weight.new_zeros(after, many, rows, many, columns, *kernel)
    for at in range(many):
        made[:, at, :, at] = parts[:, at]
    return made.reshape(after * many * rows, many * columns, *kernel)
