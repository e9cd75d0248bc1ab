"""Attention (Vaswani et al. 2017), matrix products and sums over named indices."""

import numpy as np

from tests.ops.formulas.table import Case, reference


def softmax(scores):
    raised = np.exp(scores - scores.max(-1, keepdims=True))
    return raised / raised.sum(-1, keepdims=True)


def attended(q, k, v, mask, scale):
    scores = np.einsum("...ne,...me->...nm", q, k) * scale
    if mask is not None:
        scores = np.where(mask, scores, -np.inf) if mask.dtype.kind == "b" else scores + mask
    return np.einsum("...nm,...mv->...nv", softmax(scores), v)


def below(rows, columns):
    """The positions to which position i may attend: those up to i."""
    return np.arange(rows)[:, None] >= np.arange(columns)


QKV = ("f32[2, 3, 4]", "f32[2, 5, 4]", "f32[2, 5, 6]")
SQUARE = ("f32[2, 3, 5, 4]", "f32[2, 3, 5, 4]", "f32[2, 3, 5, 4]")


def a_mask_that_sees(rng, kind, position, op):
    """Masks without empty rows."""
    shape = [size.constant for size in kind.shape]
    found = rng.random(shape)
    if kind.dtype.value != "bool":
        return rng.normal(size=shape)
    return (found > 0.4) | (np.arange(shape[-1]) == 0)


def weights_are_dropped(op, inputs, results):
    """With the identity as values the result is the weights: each is 0 or scaled up."""
    q, k, v = inputs
    (found,) = results
    plain = attended(q, k, v, None, 1 / np.sqrt(q.shape[-1]))
    kept = found != 0
    np.testing.assert_allclose(found[kept] * (1 - op.dropout), plain[kept], 1e-9)
    assert abs(kept.mean() - (1 - op.dropout)) < 0.03


def identity_as_values(rng, kind, position, op):
    shape = [size.constant for size in kind.shape]
    if op.dropout and position == 2 and shape[-1] == shape[-2]:
        return np.broadcast_to(np.eye(shape[-1]), shape)
    return a_mask_that_sees(rng, kind, position, op)


@reference(
    "scaled_dot_product_attention",
    cases=(
        Case({"scale": 0.2}, QKV),
        Case({"causal": True}, ("f32[2, 3, 4]", "f32[2, 3, 4]", "f32[2, 3, 6]")),
        Case({}, (*SQUARE, "f32[5, 5]")),
        Case({"scale": 0.2}, (*SQUARE, "bool[3, 1, 5]")),
    ),
    draw=identity_as_values,
    drawn=(Case({"dropout": 0.3}, ("f32[9, 40, 4]", "f32[9, 40, 4]", "f32[9, 40, 40]")),),
    holds=weights_are_dropped,
)
def scaled_dot_product_attention(op, q, k, v, mask=None):
    if op.causal:
        mask = below(q.shape[-2], k.shape[-2])
    return attended(q, k, v, mask, 1 / np.sqrt(q.shape[-1]) if op.scale is None else op.scale)


def projections(width, q, k, v, weights):
    """q, k and v after their projections."""
    if "in_proj_weight" in weights:
        parts = np.split(weights["in_proj_weight"], 3)
    else:
        parts = [weights[f"{name}_proj_weight"] for name in "qkv"]
    biases = np.split(weights.get("in_proj_bias", np.zeros(3 * width)), 3)
    return [
        np.einsum("bnk,ek->bne", one, part) + bias
        for one, part, bias in zip((q, k, v), parts, biases, strict=True)
    ]


def some_weights_are_dropped(op, inputs, results, **weights):
    """A weight that is dropped or scaled up changes the result, but hardly its mean."""
    (found,) = results
    plain = multihead_attention(op, *inputs, **weights)
    far = np.abs(found - plain).max((1, 2)) / np.abs(plain).max()
    assert (far > 1e-3).mean() > 0.9
    assert abs((found - plain).mean()) < 0.1 * np.abs(plain).mean()


def all_weights_are_dropped(op, inputs, results, **weights):
    """With probability 1 only the last bias is left."""
    (found,) = results
    if op.dropout < 1:
        return some_weights_are_dropped(op, inputs, results, **weights)
    np.testing.assert_allclose(found, 0 * found + weights["out_proj_bias"], 1e-9)
    return None


MASKS = (
    "bool[2, 5]",
    "bool[5, 5]",
    "bool[1, 5]",
    "bool[2, 5, 5]",
    "bool[1, 5, 5]",
    "bool[2, 1, 5]",
)
MASKS += (
    "bool[2, 2, 5, 5]",
    "bool[2, 1, 1, 5]",
    "bool[1, 1, 5, 5]",
    "bool[1, 2, 1, 5]",
    "f32[5, 5]",
)
ADDED_MASKS = ("f32[2, 5]", "f32[2, 5, 5]", "f32[2, 2, 5, 5]", "f32[1, 1, 5, 5]")


def of_heads(mask, batch):
    """A mask as [batch, heads, queries, keys], with axes of size 1 that broadcast."""
    if mask.ndim == 2:
        return mask[:, None, None] if mask.shape[0] == batch else mask[None, None]
    return mask[:, None] if mask.ndim == 3 else mask


@reference(
    "multihead_attention",
    cases=(
        Case({"heads": 2, "bias": False, "causal": True}, ("f32[2, 5, 8]",)),
        Case({"heads": 4, "bias": False}, ("f32[2, 5, 8]", "f32[2, 7, 6]", "f32[2, 7, 4]")),
        Case({"heads": 1, "causal": True}, ("f32[2, 5, 8]", "f32[2, 5, 8]", "f32[2, 5, 8]")),
        Case({"heads": 2, "causal": True}, ("f32[2, 3, 8]", "f32[2, 5, 8]", "f32[2, 5, 8]")),
        Case({"heads": 2, "causal": True}, ("f32[2, 5, 8]", "f32[2, 3, 8]", "f32[2, 3, 8]")),
        *(Case({"heads": 2}, ("f32[2, 5, 8]", mask)) for mask in MASKS),
        *(Case({"heads": 2}, ("f32[2, 5, 8]",) * 3 + (mask,)) for mask in ADDED_MASKS),
        Case({"heads": 2, "causal": True, "bias": False}, ("f32[2, 5, 8]", "bool[2, 5]")),
        Case({"heads": 2, "causal": True}, ("f32[2, 5, 8]", "bool[1, 5]")),
        Case({"heads": 2, "causal": True}, ("f32[2, 5, 8]", "bool[2, 5, 5]")),
        Case({"heads": 2}, ("f32[2, 3, 8]", "f32[2, 5, 6]", "f32[2, 5, 4]", "bool[2, 5]")),
        Case({"heads": 2}, ("f32[2, 3, 8]", "f32[2, 5, 8]", "f32[2, 5, 8]", "f32[2, 2, 3, 5]")),
    ),
    draw=identity_as_values,
    drawn=(
        Case({"heads": 2, "dropout": 0.3}, ("f32[40, 6, 8]",)),
        Case({"heads": 2, "dropout": 1.0}, ("f32[2, 6, 8]",)),
    ),
    holds=all_weights_are_dropped,
)
def multihead_attention(op, *inputs, **weights):
    seen = inputs[-1] if len(inputs) in (2, 4) else None
    q, k, v = inputs[:3] if len(inputs) > 2 else inputs[:1] * 3
    width = q.shape[2]
    q, k, v = (
        np.moveaxis(one.reshape(*one.shape[:2], op.heads, -1), 2, 1)
        for one in projections(width, q, k, v, weights)
    )
    mask = of_heads(seen, q.shape[0]) if seen is not None else None
    if op.causal:
        mask = below(q.shape[2], k.shape[2]) & (True if mask is None else mask)
    found = attended(q, k, v, mask, 1 / np.sqrt(width // op.heads))
    joined = np.moveaxis(found, 1, 2).reshape(found.shape[0], -1, width)
    bias = weights.get("out_proj_bias", 0)
    return np.einsum("bnk,ek->bne", joined, weights["out_proj_weight"]) + bias


@reference("matmul", cases=(Case({}, ("c64[2, 3]", "c64[3, 4]")),))
def matmul(op, a, b):
    return (a[..., :, :, None] * b[..., None, :, :]).sum(-2)


@reference("outer", cases=(Case({}, ("i64[3]", "i64[4]")),))
def outer(op, a, b):
    return a[:, None] * b


SUMS = (
    Case({"pattern": "b i, j i -> b j"}, ("f32[2, 3]", "f32[4, 3]")),
    Case({"pattern": "i j -> j i"}, ("f32[2, 3]",)),
    Case({"pattern": "row col, ... col -> ... row"}, ("f32[2, 3]", "f32[4, 5, 3]")),
    Case({"pattern": "a, b -> "}, ("f32[2]", "f32[3]")),
)


@reference("einsum", cases=SUMS)
def einsum(op, *xs):
    """NumPy's einsum, with a number for each name."""
    left, right = op.pattern.split("->")
    names = sorted({*left.replace(",", " ").split(), *right.split()} - {"..."})
    numbers = {name: number for number, name in enumerate(names)} | {"...": Ellipsis}
    arguments = []
    for one, indices in zip(xs, left.split(","), strict=True):
        arguments += [one, [numbers[name] for name in indices.split()]]
    return np.einsum(*arguments, [numbers[name] for name in right.split()])
