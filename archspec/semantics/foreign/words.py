"""Initialisers and activations of other libraries, and replacements for calls without an op."""

from __future__ import annotations

INITIALISERS = {
    "heuniform": "kaiming_uniform",
    "henormal": "kaiming_normal",
    "glorotuniform": "xavier_uniform",
    "glorotnormal": "xavier_normal",
    "xavieruniform": "xavier_uniform",
    "xaviernormal": "xavier_normal",
    "kaimingnormal": "kaiming_normal",
    "kaiminguniform": "kaiming_uniform",
    "zeros": "zeros",
    "ones": "ones",
    "orthogonal": "orthogonal",
}
"""Initialisers by their name in Keras, in lower case and without `_`."""

ACTIVATIONS = {
    "swish": "silu",
    "hardswish": "hard_swish",
    "hardsigmoid": "hard_sigmoid",
    "leakyrelu": "leaky_relu",
    "logsoftmax": "log_softmax",
}
"""Activations with another name, in lower case and without `_`; the others are ops."""

ADVICE = {
    "ParameterList": "declare each tensor of weights: `param name: f32[..] = zeros`",
    "ParameterDict": "declare each tensor of weights: `param name: f32[..] = zeros`",
    "Softmin": "write `x -> neg -> softmax(axis=1)`",
    "RReLU": "write `leaky_relu(0.2)`",
    "Threshold": "write `(x > 0.5, x) -> where(otherwise=0.0)`",
    "ChannelShuffle": 'write `rearrange("b (g c) h w -> b (c g) h w", g=4)`',
    "CosineSimilarity": "write `l2_normalize` on both, and multiply and sum them",
    "EmbeddingBag": "write `embedding(count, width) -> mean(axis=1)`",
    "Bilinear": 'write `einsum("b i, o i j, b j -> b o")` with a `param`',
    "Transformer": "build it from blocks: `use std.attention { encoder_layer }`",
    "TransformerEncoder": "repeat a layer: `for i in 0..6 { layer }`; PyTorch's is "
    "`residual(multihead_attention(8, dropout=0.1) -> dropout(0.1)) -> layer_norm -> "
    "residual(mlp(2048, 0.1, relu)) -> layer_norm`, with `use std.attention { mlp }`",
    "TransformerEncoderLayer": "PyTorch's layer, which normalises after each shortcut, is "
    "`residual(multihead_attention(8, dropout=0.1) -> dropout(0.1)) -> layer_norm -> "
    "residual(mlp(2048, 0.1, relu)) -> layer_norm`, with `use std.attention { mlp }`; "
    "`encoder_layer` of `std.attention` normalises before each part, with GELU",
    "TransformerDecoder": "repeat a block of `self_attention` and `cross_attention` "
    "from `std.attention`",
    "TransformerDecoderLayer": "write a block of `self_attention` and `cross_attention` "
    "from `std.attention`",
    "DataParallel": "remove it: a spec does not mention devices",
    "RNNCell": "a recurrent layer is `lstm_cell(hidden)`, `gru_cell(hidden)` or "
    "`scan(layer, axis=1)`",
    "one_hot": "write `embedding` instead of one-hot vectors and `linear`",
    "Sequential": "layers in sequence are joined by `->`: `f -> g`",
    "ModuleList": "several layers are a list: `[f, g]`",
    "ModuleDict": "there are no dictionaries: layers are distinguished by labels, `a: f`",
    "Module": "a named layer is a `block`",
    "Model": "a model is a `network`, whose inputs and outputs are statements: remove this line",
    "Parameter": "a tensor of weights is declared with `param name: f32[..] = zeros`",
    "register_buffer": "a constant tensor is declared with `buffer name: f32[..] = value`",
    "Input": "inputs are declared with `input x: f32[B = 1, 3, H = 224, W = 224]`",
    "InputLayer": "inputs are declared with `input x: f32[B = 1, 3, H = 224, W = 224]`",
    "Lambda": "a body without a name is a layer: `{ relu -> conv(8, 3) }`",
    "Bidirectional": "write `lstm(hidden, bidirectional=true)`",
    "TimeDistributed": "`linear` works on the last axis of any tensor; remove it",
    "Rescaling": "write arithmetic: `x / 255`",
    "Normalization": "write arithmetic: `(x - mean) / deviation`",
    "Resizing": "write `resize([224, 224])`",
    "RepeatVector": "write `unsqueeze(1) -> expand(B, 10, 16)`, with `input x: [B, 16]`",
    "GaussianNoise": "noise is an input that exists in training: `input noise: f32[B, 8] when "
    "training`, and `if training { x + noise } else { x }`",
    "GaussianDropout": "write `dropout(0.5)`, or multiply by noise, which is an input",
    "ActivityRegularization": "remove it: it is a term of the loss",
    "Dot": "of vectors, for each of a batch, write `a * b -> sum(axis=-1)`; a product of matrices "
    "is `(a, b) -> matmul`",
    "DenseGeneral": 'write `linear(64) -> rearrange("b t (h d) -> b t h d", h=8)`',
    "MLP": "write `linear(64) -> relu -> linear(8)`, or `mlp(64)` of `std.attention`",
    "RandomFlip": "remove it: images are augmented where they are loaded",
    "RandomRotation": "remove it: images are augmented where they are loaded",
    "RandomCrop": "remove it: images are augmented where they are loaded",
    "RNN": "a recurrent layer is `lstm(hidden)`, `gru(hidden)` or `scan(layer, axis=1)`",
    "SimpleRNN": "a recurrent layer is `lstm(hidden)`, `gru(hidden)` or `scan(layer, axis=1)`",
    "checkpoint": "remove it: memory is a matter of training, not of the architecture",
    "no_grad": "gradients are stopped with `x -> detach`, a layer is frozen with `frozen(layer)`",
    "newaxis": "write `x -> unsqueeze(1)`",
    "tile": 'write `x -> repeat("b n d -> b (r n) d", r=2)`',
    "vmap": "ops work on a whole batch: `linear`, `softmax` and `matmul` on the last axes of any "
    "tensor; along another axis a layer is applied with `scan(f, axis=1)`",
    "randn_like": "noise is an input of the network: `input noise: f32[B, 8]`",
    "rand_like": "noise is an input of the network: `input noise: f32[B, 8]`",
    "compile": "remove it: a spec describes only the architecture",
}
"""Advice for calls without an equivalent op."""

LOSSES = (
    "a loss takes the prediction and the target, `(logits, labels) -> cross_entropy`, and can also "
    "be left to the code that trains"
)
"""A note on losses."""

SEQUENCES = {
    "mean": "over the positions of [B, T, C]; after a convolution, [B, C, T], write "
    "`global_avg_pool`",
    "max": "over the positions of [B, T, C]; after a convolution, [B, C, T], write "
    "`global_max_pool`",
}
"""Notes on a layer of Keras for sequences, whose channels are last there, by its op here."""

LEFT_OUT = frozenset(
    {"device", "dtype", "key", "rngs", "param_dtype", "precision", "deterministic"}
)
"""Arguments of any call that say nothing about the architecture."""

HOW = {
    "scan": "the step is a block with the inputs x and state: `y, last = (sequence, start) -> "
    "scan(step)`",
    "matmul": "a product of matrices is `(a, b) -> matmul`; of vectors, for each of a batch, "
    "`a * b -> sum(axis=-1)`",
    "split": "a number is that of the equal parts here, and not their size, "
    "`x -> split(2, axis=1)`; sizes are a list: `x -> split([4, 4], axis=1)`",
    "pad": "write (axis, before, after) for each axis: `x -> pad([(2, 1, 1), (3, 1, 1)])`",
    "resize": "for the size of another tensor write `(x, other) -> resize_like`",
    "where": "one tensor and a number: `(condition, x) -> where(otherwise=0.0)`",
}
"""Advice for an op whose foreign call cannot be rewritten."""

TRAINING = (
    "it belongs to training, not to the architecture: remove it, and use it with the module "
    "that `archspec build` writes"
)
"""The advice for losses, optimisers and other parts of training."""

_INFERRED = ("the number of input channels is inferred",)
_DECAY = ("regularisation is not part of the architecture: it is weight decay of the optimiser",)

NOTES = {
    "in_channels": _INFERRED,
    "in_features": _INFERRED,
    "num_features": _INFERRED,
    "kernel_regularizer": _DECAY,
    "bias_regularizer": _DECAY,
}
"""Notes on arguments that are left out."""
