"""Element types as torch names them."""

from __future__ import annotations

from archspec.types.tensor import DType

TORCH_TYPES = {
    DType.I64: "torch.int64",
    DType.I32: "torch.int32",
    DType.BOOL: "torch.bool",
    DType.C64: "torch.complex64",
}
"""All except the floating type, which the caller of a module chooses."""
