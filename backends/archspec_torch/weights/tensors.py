"""Weights as tensors, for arrays of any library."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from archspec.targets.weights import Array, Weights


def tensors(weights: Weights) -> Mapping[str, Tensor]:
    """Their values by name, in their order. Arrays of other libraries are copied."""
    return {name: _tensor(value) for name, value in weights.tensors.items()}


def _tensor(value: Array) -> Tensor:
    return value if isinstance(value, Tensor) else torch.tensor(value)
