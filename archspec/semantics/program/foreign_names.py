"""Names from other frameworks whose spelling does not suggest the right name here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from archspec.diagnostics.suggest import suggestion

_OPS: Mapping[str, str] = {
    "cat": "concat",
    "concatenate": "concat",
    "view": "reshape",
    "chunk": "split",
    "bmm": "matmul",
    "mm": "matmul",
    "clip": "clamp",
    "swish": "silu",
    "batchnormalization": "batch_norm",
    "globalaveragepooling2d": "global_avg_pool",
    "bn": "batch_norm",
    "ln": "layer_norm",
    "gn": "group_norm",
    "lrelu": "leaky_relu",
    "fc": "linear",
    "gap": "global_avg_pool",
    "avgpool": "avg_pool",
    "maxpool": "max_pool",
    "mha": "multihead_attention",
}
"""Ops with another name here, by the foreign name in lower case."""

_TYPES: Mapping[str, str] = {
    "float": "f32",
    "int": "i64",
    "float32": "f32",
    "float64": "f32",
    "float16": "f32",
    "bfloat16": "f32",
    "double": "f32",
    "f64": "f32",
    "f16": "f32",
    "long": "i64",
    "int64": "i64",
    "int32": "i32",
    "short": "i32",
    "bool_": "bool",
    "complex64": "c64",
}
"""Element types by their names elsewhere."""

_NOISE = "noise is an input of the network: `input noise: f32[B, 8]`"

_CAUSAL = "a causal mask is the attribute `causal=true`: `x -> multihead_attention(8, causal=true)`"

_MLP = "write `linear(256) -> relu -> linear(64)`, or `mlp(256)` with `use std.attention { mlp }`"
_POSITIONS = (
    "learned positions are `param position: f32[1, 16, 64] = normal(std=0.02)`, added as `x + "
    "position`; fixed ones are a `buffer` that is computed from `arange(16, dtype=f32)`"
)

_WORDS: Mapping[str, str] = {
    "ffn": _MLP,
    "feedforward": _MLP,
    "positional_encoding": _POSITIONS,
    "position_embedding": _POSITIONS,
    "positional_embedding": _POSITIONS,
    "pos_embed": _POSITIONS,
    "causal_mask": _CAUSAL,
    "subsequent_mask": _CAUSAL,
    "look_ahead_mask": _CAUSAL,
    "square_subsequent_mask": _CAUSAL,
    "generate_square_subsequent_mask": _CAUSAL,
    "sequential": "layers in sequence are joined by `->`, `f -> g`, or repeated: "
    "`for i in 0..n { f }`",
    "modulelist": "several layers are a list: `[f, g]`",
    "parameter": "a tensor of weights is declared with `param name: f32[..] = zeros`",
    "range": "a range is written `0..n`",
    "none": "there is no such value: omit the attribute, or write `false`",
    "self": "a block is not an object: its layers and values have plain names",
    "print": "a spec prints nothing; `archspec show` prints the shapes",
    "list": "a list is written `[a, b]`, or `[x for x in xs]`",
    "tuple": "a tuple is written `(a, b)`",
    "dict": "there are no dictionaries: settings are parameters, `width: int = 8`, results get "
    "names as outputs, `output a = ..`, and a table is a rule with a clause for each key",
    "set": "there are no sets: write a list, `[a, b]`",
    "str": 'a type is only declared, `name: str`; a number is inserted into a string, `"layer{i}"`',
    "sorted": "lists cannot be sorted: write the list in order",
    "map": "write `[f(x) for x in xs]`",
    "filter": "write `[x for x in xs if x > 0]`",
    "isinstance": "the type of a parameter is declared: `n: int`",
    "super": "a block needs no constructor",
    "lambda": "a layer without a name is written in braces: `{ relu -> conv(8, 3) }`",
    "log2": "write `log(x) / log(2)`",
    "log10": "write `log(x) / log(10)`",
    "inf": "there is no infinity: before a softmax write `-1e4`, and give attention a mask: "
    "`(x, keep) -> multihead_attention(8)`",
    "nan": "there is no such number",
    "pi": "write `3.141592653589793`",
    "randn": "a random initial value is `normal(std=0.02)`; noise is an input of the network: "
    "`input noise: f32[B, 8]`",
    "rand": "a random initial value is `uniform(0.0, 1.0)`; noise is an input of the network: "
    "`input noise: f32[B, 8]`",
    "randn_like": _NOISE,
    "rand_like": _NOISE,
    "normal_like": _NOISE,
    "vmap": "ops work on a whole batch: `linear`, `softmax` and `matmul` on the last axes of any "
    "tensor; along another axis a layer is applied with `scan(f, axis=1)`",
    "getattr": "a layer that varies is a parameter: `act: layer = relu`",
    "one_hot": "write `embedding(10, 32)` in place of one-hot vectors and `linear`",
    "stop_gradient": "write `detach`",
    "pack_padded_sequence": "sequences are not packed: pass a mask, or the lengths, to what reads "
    "the results",
    "pad_packed_sequence": "sequences are not packed: remove it",
    "transformer_encoder": "repeat a layer: `for i in 0..6 { encoder_layer(8, 2048) }`, with "
    "`use std.attention { encoder_layer }`",
    "divmod": "write `a // b` and `a % b`",
}
"""Advice for each word."""


def meant_by(name: str, candidates: Iterable[str]) -> str | None:
    """A fix for an unknown name: the name that was probably meant."""
    plain = name.lower()
    if plain in _OPS:
        return _OPS[plain]
    if plain in _TYPES:
        return _TYPES[plain]
    return None if plain in _WORDS else suggestion(name, candidates)


def word_of_elsewhere(name: str) -> str | None:
    """A fix for a word of Python."""
    return _WORDS.get(name.lower())
