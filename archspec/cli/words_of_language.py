"""Words of the language that are neither ops nor blocks, each explained with an example."""

from __future__ import annotations

from collections.abc import Mapping

WORDS: Mapping[str, str] = {
    "input": "declares an input of a block or network, with its type: `input x: [B, C, H, W]`; in "
    "a network the type has an element type and sizes, `input x: f32[B = 1, 3, H = 32, W = 32]`.",
    "output": "declares an output: `output y`, `output logits = x -> f`. The name of an output is "
    "not a variable of the body.",
    "block": "defines a layer with parameters: `block unit(width: int) { conv(width, 3) "
    "-> relu }`.",
    "network": "defines a network, which can be built by itself: `network net(classes: int = 10) "
    "{ .. }`.",
    "preset": "is a network with some parameters set: `preset small = net(width=16)`.",
    "rule": "defines a layer or value by clauses, which may be recursive: `rule widths(1) => "
    "[64]`.",
    "inline": "before `block` or `rule`: its layers are named as if they were written where it is "
    "used.",
    "use": "imports names: `use std.cnn { conv_bn_relu }`, `use resnet { resnet50 }`.",
    "for": "is a layer that composes its iterations in sequence: `x -> for i in 0..3 { f }`.",
    "if": "chooses layers or data when the spec is compiled: `if c { f } else { g }`; values are "
    "chosen with `if c then a else b`.",
    "where": "after the type of an input: a condition that the sizes meet, `input x: [B, C, H, W] "
    "where H % 2 == 0`. Without it, `archspec check` says which sizes are valid.",
    "when": "after an input or output: it exists only if the condition holds, `output loss = .. "
    "when training`.",
    "training": "is true in the graph for training, and false in that for inference: `if training "
    "{ f }`, `output aux = .. when training`.",
    "shared": "declares one instance of a layer, with the same weights at each use: `shared f = "
    "conv(8, 3)`.",
    "param": "declares a tensor that learns: `param scale: f32[8] = ones`.",
    "buffer": "declares a constant tensor: `buffer position: i64[n] = arange(n)`.",
    "init": "sets initial values for all weights of a kind in a block: `init conv.weight = "
    "normal(std=0.02)`.",
    "draw": "says how a random choice that several layers share is sampled: `draw column = "
    "mixed(0.5)`.",
    "tie": 'makes two weights one tensor: `tie "head.weight" = "embed.weight"`.',
    "assert": 'states a condition on values: `assert width % 8 == 0, "heads divide the width"`.',
    "label": "names the instance of a layer, and so its weights: `stem: conv(64, 7)` has "
    "`stem.weight`.",
    "tap": "is a layer that yields values inside of a network, by the paths of their layers: `low, "
    'high = image -> tap(resnet18, "layer1", "layer4")`. Layers that are not needed are left out.',
    "frozen": "is a layer in inference mode, in both modes of the network, whose weights are not "
    "trained: `x -> teacher: frozen(unit(64))`.",
    "mask": "is a further input of attention: `(x, keep) -> multihead_attention(8)`, `(q, k, v, "
    "keep) -> scaled_dot_product_attention`. A mask of type bool is true for what may be attended "
    "to. `causal=true` needs no mask: `archspec explain multihead_attention`.",
    "none": "means that an attribute has no value. A parameter without a type can have it as its "
    "default: `block b(scale = none)`.",
}


def word_page(word: str, level: int = 1) -> str:
    """The explanation of a word, as Markdown under a heading of this level."""
    return f"{'#' * level} {word}\n\n`{word}` {WORDS[word]}"
