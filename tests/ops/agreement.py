"""Compare the shapes that an op infers for symbolic sizes with torch's at given sizes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch

from archspec.ops.base import Check, Op, OpError
from archspec.types.condition import evaluate
from archspec.types.dim import Dim
from archspec.types.tensor import DType, TensorType


def symbolic(*shape: int | str, dtype: DType = DType.F32) -> TensorType:
    """A type whose shape may contain free dims."""
    return TensorType(
        dtype, tuple(Dim.symbol(s) if isinstance(s, str) else Dim.constant_of(s) for s in shape)
    )


def inferred(
    op: Op, inputs: tuple[TensorType, ...], sizes: Mapping[str, int], *, training: bool = False
) -> tuple[int, ...] | None:
    """The output shape at these sizes; None if the op is rejected or a requirement fails."""
    check = Check()
    try:
        out = op.infer(check, *inputs)
    except OpError:
        return None
    needs = [need for need in check.needs if training or not need.training_only]
    if not all(evaluate(need.condition, sizes) for need in needs):
        return None
    assert isinstance(out, TensorType)
    return tuple(size.evaluate(sizes) for size in out.shape)


def happens(run: Callable[[], torch.Tensor]) -> tuple[int, ...] | None:
    """The output shape of torch; None if it raises or returns an empty tensor.

    Whether a transposed convolution with an empty result raises depends on torch's kernel (oneDNN
    returns an empty tensor, the native one raises); sizes here are positive.
    """
    try:
        shape = tuple(run().shape)
    except (RuntimeError, ValueError):
        return None
    return shape if all(shape) else None


def table(op: Op, *inputs: TensorType, learnable: bool | None = None) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the parameters, in order."""
    return {
        p.name: p.shape
        for p in op.parameters(*inputs)
        if learnable is None or p.learnable is learnable
    }


def state(module: torch.nn.Module) -> dict[str, tuple[int, ...]]:
    """Names and shapes in the state dict, in order."""
    return {name: tuple(value.shape) for name, value in module.state_dict().items()}


def attributes(**given: Any) -> dict[str, Any]:
    """Those that are not None."""
    return {name: value for name, value in given.items() if value is not None}
