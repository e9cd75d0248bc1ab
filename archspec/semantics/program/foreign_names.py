"""Names from other frameworks whose spelling does not suggest the right name here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from archspec.diagnostics.suggest import did_you_mean, meant
from archspec.ops.base import Op

_OPS: Mapping[str, str] = {
    "cat": "concat",
    "concatenate": "concat",
    "view": "reshape",
    "chunk": "split",
    "interpolate": "resize",
    "bmm": "matmul",
    "mm": "matmul",
    "clip": "clamp",
    "swish": "silu",
    "batchnormalization": "batch_norm",
    "globalaveragepooling2d": "global_avg_pool",
}
"""Ops with another name here, by the foreign name in lower case."""

_WORDS: Mapping[str, str | None] = {
    "sequential": "layers in sequence are joined by `->`: `f -> g`",
    "modulelist": "several layers are a list: `[f, g]`",
    "parameter": "a tensor of weights is declared by `param name: f32[..] = zeros`",
    "range": "a range is written `0..n`",
    "none": "there is no such value: leave the attribute out, or give `false`",
    "self": "a block has no object: its layers and variables are called by their names",
    "print": None,
    "list": None,
    "sorted": None,
}
"""Advice for a word; None if the most similar name would be misleading."""

_ATTRIBUTES: Mapping[str, tuple[str, ...]] = {
    "dim": ("axis", "axes"),
    "dims": ("axes", "axis"),
    "out_channels": ("width",),
    "out_features": ("width",),
    "filters": ("width",),
    "units": ("width",),
    "num_groups": ("groups",),
    "num_heads": ("heads",),
    "num_layers": ("layers",),
    "hidden_size": ("hidden",),
    "scale_factor": ("scale",),
}
_INFERRED = frozenset(
    {"in_channels", "in_features", "num_features", "num_channels", "normalized_shape", "input_size"}
)


def meant_by(name: str, candidates: Iterable[str]) -> str | None:
    """A fix for an unknown name: the name that was probably meant."""
    plain = name.lower()
    if plain in _OPS:
        return meant(_OPS[plain])
    return _WORDS[plain] if plain in _WORDS else did_you_mean(name, candidates)


def meant_by_attribute(op: type[Op], name: str, names: Iterable[str]) -> str | None:
    """A fix for an unknown attribute of an op: the attribute that was probably meant."""
    if name in _INFERRED and op.inferred is not None:
        return "leave it out: the number of channels that come in is inferred"
    if name == "inplace":
        return "leave it out: nothing is computed in place"
    known = [*names]
    other = next((item for item in _ATTRIBUTES.get(name, ()) if item in known), None)
    return meant(other) or did_you_mean(name, known)
