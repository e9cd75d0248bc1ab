"""The encoder layer of PyTorch's transformer, and its repetition, written with their parts.

`encoder_layer` of `std.attention` is another layer: it normalises before each part, with GELU and
no dropout. PyTorch's normalises after each shortcut, with ReLU and dropout 0.1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from archspec.semantics.foreign.call_text import path_of
from archspec.syntax import ast

LAYER, REPEATED = "TransformerEncoderLayer", "TransformerEncoder"

AFTER = (
    "PyTorch's layer normalises after each shortcut; `encoder_layer` of `std.attention` "
    "normalises before each part, with GELU and no dropout"
)
BEFORE = "without `batch_first`, PyTorch's tensors are [T, B, E]; they are [B, T, E] here"

_ORDER = (
    "d_model", "nhead", "dim_feedforward", "dropout", "activation", "layer_norm_eps",
    "batch_first", "norm_first", "bias",
)  # fmt: skip
_EPS = "1e-5"


def encoder(node: ast.Call, text: Callable[[ast.Expr], str]) -> str | None:
    """The text of an encoder layer or of a stack of them; None if it is something else.

    `text` writes an argument in the notation of specs.
    """
    path = path_of(node.function)
    if not path or path[-1] not in (LAYER, REPEATED):
        return None
    if path[-1] == LAYER:
        given = _named(node, _ORDER)
        return _layer(given, text) if given is not None else None
    given = _named(node, ("encoder_layer", "num_layers", "norm", "enable_nested_tensor"))
    layer, count = (given or {}).get("encoder_layer"), (given or {}).get("num_layers")
    if given is None or count is None or not isinstance(layer, ast.Call):
        return None
    inner = encoder(layer, text) if path_of(layer.function)[-1:] == (LAYER,) else None
    if inner is None:
        return None
    norm = given.get("norm")
    plain = norm is None or norm.span.text == "None"
    behind = "" if plain or norm is None else f" -> {text(norm)}"
    return f"for i in 0..{text(count)} {{ {inner} }}{behind}"


def _named(node: ast.Call, order: tuple[str, ...]) -> Mapping[str, ast.Expr] | None:
    """The arguments by name; None if there is one without a place."""
    found: dict[str, ast.Expr] = {}
    for at, argument in enumerate(node.arguments):
        name = argument.name or (order[at] if at < len(order) else "")
        if isinstance(argument.value, ast.Spread) or name in found:
            return None
        if name not in (*order, "device", "dtype"):
            return None
        found[name] = argument.value
    return found


def _layer(given: Mapping[str, ast.Expr], text: Callable[[ast.Expr], str]) -> str | None:
    def one(name: str, default: str) -> str:
        return text(given[name]) if name in given else default

    act = one("activation", "relu").strip('"')
    if "activation" in given and (path := path_of(given["activation"])):
        act = path[-1].lower()
    first, bias = one("norm_first", "false"), one("bias", "true")
    if "nhead" not in given or act not in ("relu", "gelu") or bias != "true":
        return None
    if first not in ("true", "false"):
        return None
    drop, eps = one("dropout", "0.1"), one("layer_norm_eps", _EPS)
    norm = "layer_norm" if eps == _EPS else f"layer_norm(eps={eps})"
    attention = f"multihead_attention({text(given['nhead'])}, dropout={drop}) -> dropout({drop})"
    mlp = f"mlp({one('dim_feedforward', '2048')}, {drop}, {act})"
    if first == "true":
        return f"residual({norm} -> {attention}) -> residual({norm} -> {mlp})"
    return f"residual({attention}) -> {norm} -> residual({mlp}) -> {norm}"
