"""The results of the lowering of one op, for comparison with values from another source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from archspec.graph.model import GraphOutput
from archspec.types.dim import dim
from archspec.types.tensor import DType, TensorType
from archspec_torch.module import to_module
from tests.backends.graphs import Builder, compiled

KINDS = {"f": DType.F32, "i": DType.I64, "b": DType.BOOL}


def module_of(
    name: str, inputs: Sequence[np.ndarray], attributes: Mapping[str, Any]
) -> torch.nn.Module:
    """A network of only the op, with its weights under the name `it`, in double precision."""
    build = Builder("net", "network")
    ports = [
        build.input(TensorType(KINDS[x.dtype.kind], tuple(map(dim, x.shape))), f"x{number}")
        for number, x in enumerate(inputs)
    ]
    made = build.op(name, ports, key="it", **attributes)
    ends = made if isinstance(made, tuple) and not hasattr(made, "node") else (made,)
    graph = build.build(*(GraphOutput(f"y{n}", (end,)) for n, end in enumerate(ends)))
    return to_module(compiled(graph)).double().eval()


def values(
    name: str,
    inputs: Sequence[np.ndarray],
    weights: Mapping[str, np.ndarray] | None = None,
    **attributes: Any,
) -> list[np.ndarray]:
    """Results in double precision, in inference; `weights` are those of the op, by name."""
    module = module_of(name, inputs, attributes)
    if weights:
        state = {f"it.{key}": torch.from_numpy(value) for key, value in weights.items()}
        module.load_state_dict(state)
    with torch.no_grad():
        found = module(*map(torch.from_numpy, inputs))
    return [one.numpy() for one in (found if isinstance(found, tuple) else (found,))]
