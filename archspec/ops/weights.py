"""Initialisers and parametrisations of the weights of convolutions and linear layers."""

from __future__ import annotations

from math import prod, sqrt
from typing import Literal, TypeAlias

from archspec.ops.base import Parameter
from archspec.types.initialiser import (
    Initialiser,
    KaimingUniform,
    NormOf,
    SingularVectorsOf,
    fan_in_uniform,
)

Parametrization: TypeAlias = Literal["none", "weight_norm", "spectral_norm"]

DEFAULT_WEIGHT = KaimingUniform(slope=sqrt(5))
"""PyTorch's default for `Linear` and `Conv`: uniform in +-1/sqrt(fan_in), as in its code."""


def fan_in(shape: tuple[int, ...]) -> int:
    """Fan-in of a weight as `torch.nn.init` counts it: axis 1 times the axes that follow."""
    return prod(shape[1:])


def weight_parameters(
    shape: tuple[int, ...],
    initialiser: Initialiser | None,
    parametrization: Parametrization,
    *,
    rows: int = 0,
) -> tuple[Parameter, ...]:
    """`weight`, or the tensors from which it is computed.

    `weight_norm` has `weight_g` and `weight_v`: weight = weight_g * weight_v / norm(weight_v), with
    the norm of each slice along axis 0 (Salimans and Kingma 2016), with the names of
    `torch.nn.utils.weight_norm`. `spectral_norm` has the weight, which is divided by its largest
    singular value as a matrix with axis `rows` as rows, and the two singular vectors (Miyato et
    al. 2018), with the names of `torch.nn.utils.parametrizations.spectral_norm`.
    """
    initialiser = initialiser if initialiser is not None else DEFAULT_WEIGHT
    if parametrization == "none":
        return (Parameter("weight", shape, initialiser),)
    if parametrization == "spectral_norm":
        holder = "parametrizations.weight"
        sizes = shape[rows], prod(shape) // shape[rows]
        first = SingularVectorsOf(of=f"{holder}.original")
        return (
            Parameter(f"{holder}.original", shape, initialiser, parametrises="weight"),
            Parameter(f"{holder}.0._u", sizes[:1], first, learnable=False),
            Parameter(f"{holder}.0._v", sizes[1:], learnable=False),
        )
    lengths = (shape[0],) + (1,) * (len(shape) - 1)
    return (
        Parameter("weight_g", lengths, NormOf(of="weight_v")),
        Parameter("weight_v", shape, initialiser, parametrises="weight"),
    )


def bias_parameter(
    present: bool, width: int, shape: tuple[int, ...], initialiser: Initialiser | None
) -> tuple[Parameter, ...]:
    """`bias` of `width` numbers if present; uniform in +-1/sqrt(fan-in of `shape`) by default."""
    if not present:
        return ()
    return (Parameter("bias", (width,), initialiser or fan_in_uniform(fan_in(shape))),)
