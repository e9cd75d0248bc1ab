"""Which modules an `init` statement means: `conv.weight` is the weight of `nn.Conv1d` to `3d`."""

from __future__ import annotations

from archspec_torch.code import literal

MODULES = {
    "conv": ("nn.Conv1d", "nn.Conv2d", "nn.Conv3d"),
    "conv_transpose": ("nn.ConvTranspose1d", "nn.ConvTranspose2d", "nn.ConvTranspose3d"),
    "linear": ("nn.Linear",),
    "embedding": ("nn.Embedding",),
    "batch_norm": ("nn.BatchNorm1d", "nn.BatchNorm2d", "nn.BatchNorm3d"),
    "layer_norm": ("nn.LayerNorm",),
    "group_norm": ("nn.GroupNorm",),
    "instance_norm": ("nn.InstanceNorm1d", "nn.InstanceNorm2d", "nn.InstanceNorm3d"),
    "rms_norm": ("nn.RMSNorm",),
}


def rule_modules(op: str, parameter: str) -> str:
    """The condition under which `module` is such an op and has the parameter."""
    kinds = MODULES.get(op, ())
    written = kinds[0] if len(kinds) == 1 else f"({', '.join(kinds)})"
    condition = f"isinstance(module, {written})"
    return f"{condition} and getattr(module, {literal(parameter)}, None) is not None"
