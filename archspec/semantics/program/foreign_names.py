"""Names that people bring from elsewhere, where their letters do not say what was meant."""

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
"""Ops that have another name here, by the other name in small letters."""

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
"""What to write instead of a word; None where the most similar name is not what was meant."""

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
    """What was probably meant by a name that means nothing, as words for a fix."""
    plain = name.lower()
    if plain in _OPS:
        return meant(_OPS[plain])
    return _WORDS[plain] if plain in _WORDS else did_you_mean(name, candidates)


def meant_by_attribute(op: type[Op], name: str, names: Iterable[str]) -> str | None:
    """What was probably meant by an attribute that an op has not."""
    if name in _INFERRED and op.inferred is not None:
        return "leave it out: the number of channels that come in is inferred"
    if name == "inplace":
        return "leave it out: nothing is computed in place"
    known = [*names]
    other = next((item for item in _ATTRIBUTES.get(name, ()) if item in known), None)
    return meant(other) or did_you_mean(name, known)
