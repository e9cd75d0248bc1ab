"""Valid specs, and mutations of them."""

from __future__ import annotations

import random
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = re.compile(r"^```arch\n(.*?)^```", re.MULTILINE | re.DOTALL)
FILES = sorted(
    [*(ROOT / "specs").glob("*.arch"), *(ROOT / "archspec" / "stdlib").glob("*.arch")],
    key=lambda path: path.name,
)
TOKEN = re.compile(r"\s+|\w+|->|=>|\.\.\.|\.\.|\*\*|//|[<>=!]=|\"[^\"\n]*\"|.", re.DOTALL)
SPICE = (
    *'()[]{}:,=."_+-*/%<>#\n',
    *("->", "=>", "...", "..", "**", "//", "==", "!=", "x", "H", "0", "1", "-1", "2.5", "1e9"),
    *("for", "if", "else", "then", "in", "input", "output", "block", "rule", "network", "preset"),
    *("inline", "shared", "param", "buffer", "assert", "where", "when", "training", "use", "init"),
    *("conv", "relu", "add", "concat", "identity", "linear", "flatten", "true", "not", "and"),
    *("9223372036854775807", "1000000000", "\x00", "\u202e", "é", "🦆", "\t", "\r", "\\"),
)

SMALL = (
    """\
use std.cnn { conv_bn_relu }

rule unet(0, width: int) => conv(width, 3) -> relu
rule unet(n: int, width: int) => conv(width, 3)
  -> [identity, max_pool(2) -> unet(n - 1, 2 * width) -> upsample(2) -> conv(width, 1)] -> concat

network net(width: int in 1.. = 4, names: list[str] = ["a", "b"]) {
  input x: f32[B = 1, 3, H = 32, W = 32] where H % 4 == 0, W % 4 == 0
  y: [B, C, h, w] = x -> "stem.conv": conv(width, 3, stride=2) -> batch_norm -> relu
  shared f = conv(C, 3)
  z = y -> for i, n in enumerate(names) { "{n}{i}": residual(relu -> f) }
  output (z, y) -> add -> unet(1, width)
  output aux = z -> global_avg_pool -> flatten -> linear(10) when training
}
preset wide = net(8, names=["c"])
""",
    """\
block attention(heads: int) {
  input x: [B, N, D]
  q, k, v = x -> qkv: linear(3 * D)
              -> rearrange("b n (t h d) -> t b h n d", t=3, h=heads) -> unbind(0)
  output (q, k, v) -> scaled_dot_product_attention
         -> rearrange("b h n d -> b n (h d)") -> proj: linear(D)
}
network vit(size: int = 32, dim: int = 16, depth: int = 2, heads: int = 2, patch: int = 8) {
  assert size % patch == 0, "the size {size} is no multiple of {patch}"
  input image: f32[B = 1, 3, size, size]
  x: [B, N, D] = image -> conv(dim, patch, stride=patch, padding=0)
               -> rearrange("b d h w -> b (h w) d")
  param class_token: f32[1, 1, D] = zeros
  param pos: f32[1, N + 1, D] = normal(std=0.02)
  y = ((class_token -> expand(B, 1, D), x) -> concat(axis=1)) + pos
  output logits = y -> for i in 0..depth { residual(layer_norm -> attention(heads)) }
                    -> select(axis=1, index=0) -> if depth > 1 { linear(10) } else { linear(11) }
}
""",
    """\
rule columns(1, width) => [conv(width, 3)]
rule columns(c, width) if c > 1 => [conv(width, 3), ...(columns(c - 1, width) -> join(drop=0.1)
  -> columns(c - 1, width))]
rule widths(0) => []
rule widths(n) => [2 ** n * 4, ...widths(n - 1)]
network n {
  input x: f32[B = 1, 3, H = 8, W = 8]
  input m: i64[B, 4]
  draw column = mixed(0.5)
  init conv.weight = kaiming_normal(mode=fan_out)
  buffer table: i64[16] = arange(16) % 4
  a, ...rest = x -> [relu, tanh, sigmoid]
  b = (t * 2.0 - 1 for t in rest)
  c = x -> for w in widths(2) { _: columns(2, w) -> join } -> "{if true then 1 else 2}.c": relu
  output first = m -> embedding(10, 4)
  output second = c
}
""",
)


@cache
def specs() -> tuple[str, ...]:
    """Texts of valid specs, short ones first."""
    return (*SMALL, *(path.read_text(encoding="utf-8") for path in FILES))


@cache
def examples() -> tuple[str, ...]:
    """The examples of the language reference: every feature, and every kind of error."""
    return tuple(EXAMPLE.findall((ROOT / "docs" / "language.md").read_text(encoding="utf-8")))


def spoil(text: str, chance: random.Random, times: int) -> str:
    """The text after some mutations of characters or tokens."""
    for _ in range(times):
        parts = TOKEN.findall(text) if chance.random() < 0.7 else list(text)
        if not parts:
            return text
        at = chance.randrange(len(parts))
        other = chance.randrange(len(parts))
        match chance.randrange(7):
            case 0:
                del parts[at]
            case 1:
                parts[at], parts[other] = parts[other], parts[at]
            case 2:
                parts.insert(at, chance.choice(SPICE))
            case 3:
                parts[at] = chance.choice(SPICE)
            case 4:
                parts.insert(at, parts[other])
            case 5:
                first, last = sorted((at, other))
                last = min(last, first + 12)
                parts[first:last] = parts[first:last] * 2
            case _:
                first, last = sorted((at, other))
                del parts[first : min(last, first + 12)]
        text = "".join(parts)
    return text


NUMBER = re.compile(r"(?<![\w.])\d+(?![\w.])")
NAME = re.compile(r"(?<![\w.\"])[a-z_]\w*(?=\()")
ARROW = re.compile(r"-> ")
HEAD = re.compile(r"\binput [^\n{}]*$", re.MULTILINE)
NUMBERS = ("0", "1", "2", "3", "4", "8", "n", "C", "H", "H // 2", "if training then 2 else 3")
LAYERS = (
    *("relu", "dropout(0.5)", "conv(8, 3)", "batch_norm", "global_avg_pool", "flatten", "softmax"),
    *("if training { dropout(0.1) }", "if training { relu } else { tanh }", "[identity, relu]"),
    *("frozen(batch_norm)", "join", "residual(conv(same, 3))", "a: conv(same, 1)", "concat"),
    *("{ input v\n buffer b: f32[1] = ones([1])\n output v + b }", "transpose(-1, -2)"),
    *("{ input v\n param b: f32[1] = ones\n output v * b }", "iterate(conv(same, 3), 2)"),
)
PROMISES = (" where H % 2 == 0", " where H >= 0", " where H == W", ", z", " when training")


def change(text: str, chance: random.Random, times: int) -> str:
    """The text after some mutations that usually still parse: one word is replaced by another."""
    for _ in range(times):
        kind, words = chance.choice(
            ((NUMBER, NUMBERS), (NAME, ()), (ARROW, LAYERS), (ARROW, LAYERS), (HEAD, PROMISES))
        )
        found = [*kind.finditer(text)]
        if not found:
            continue
        place = chance.choice(found)
        word = chance.choice(words or [item[0] for item in found])
        new = {ARROW: f"-> {word} -> ", HEAD: f"{place[0]}{word}"}.get(kind, word)
        text = text[: place.start()] + new + text[place.end() :]
    return text
