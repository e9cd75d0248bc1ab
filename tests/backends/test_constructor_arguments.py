"""Classes are right for other values of their constructor arguments, or refuse them."""

from __future__ import annotations

from pathlib import Path

import pytest

from archspec.loading import load
from archspec.shipped import networks
from archspec_torch.source import python_source
from tests.backends.constructor_arguments import differences

UNITS = """
block unit(width: int, kernel: int = 3, rate: int = 1) {
  conv(width, kernel, dilation=rate, bias=false) -> batch_norm -> relu
}
block attend(heads: int) {
  input x: [B, N, D], bias
  output x + (x + bias -> linear(D))
}
block mlp(hidden: int) { residual(linear(hidden) -> gelu -> linear(8)) }
block fuse { input x: [B, C, H, W], y: [B, C, H, W]
  output x + (y -> conv(C, 3)) }
"""

CASES = {
    "counts of loops with a second input": (
        """block stack(depth: int) {
  input x: [B, N, D]
  bias = x -> linear(D)
  output x -> block: for _ in 0..depth {
    _: { input h
      output (h, bias) -> "layer.0": attend(2) -> "layer.1": mlp(16) }
  }
}""",
        "x: f32[B = 2, 5, 8]",
        "x -> stack(4)",
        "def __init__(self, in_features: int, depth: int)",
    ),
    "counts of statements that are written out": (
        """block taps(depth: int, width: int) {
  input x
  a, ...more = x -> unit(width) -> maps: for i in 0..depth {
    input ...done
    output (...done, done[-1] -> "{i}": unit(width))
  }
  output (a, ...more) -> concat
}""",
        "x: f32[B = 1, 3, 8, 8]",
        "x -> taps(4, 8)",
        "for _ in range(4)",
    ),
    "a window with a dilation": (
        "block atrous(rate: int) { unit(8, 3, rate) }",
        "x: f32[B = 1, 4, 24, 24]",
        "x -> atrous(3)",
        "padding=rate",
    ),
    "an even kernel": (
        "block other(kernel: int) { unit(8, kernel) }",
        "x: f32[B = 1, 4, 24, 24]",
        "x -> other(5)",
        "padding=(kernel - 1) // 2",
    ),
    "widths that are equal by chance": (
        "block pair(a: int, b: int) { unit(32) -> unit(32) -> unit(a) -> unit(b) -> unit(b) }",
        "x: f32[B = 1, 32, 8, 8]",
        "x -> pair(32, 32)",
        "Unit(in_channels=32, width=a)",
    ),
    "sizes that grow in a loop": (
        """block dense(depth: int, growth: int) {
  for _ in 0..depth { [identity, unit(growth)] -> concat }
  -> batch_norm
}""",
        "x: f32[B = 1, 16, 8, 8]",
        "x -> dense(4, 8) -> dense(4, 16)",
        "in_channels + 4 * growth",
    ),
    "sizes of results of blocks": (
        """block dense(growth: int) { [identity, unit(growth), unit(growth)] -> concat }
block half { input x: [B, C, H, W]
  output x -> conv(C // 2, 1) -> batch_norm }
block stage(growth: int) { dense(growth) -> half }""",
        "x: f32[B = 1, 16, 8, 8]",
        "x -> stage(8)",
        "Half(in_channels=in_channels + 2 * growth)",
    ),
    "a condition on channels": (
        """block residual_unit(width: int, stride: int) {
  input x: [B, C, H, W]
  output x -> [
    if C != width or stride != 1 { conv(width, 1, stride=stride) } else { identity },
    unit(width) -> max_pool(3, stride=stride, padding=1),
  ] -> add
}""",
        "x: f32[B = 1, 16, 8, 8]",
        "x -> residual_unit(16, 1)",
        "def __init__(self) -> None",
    ),
    "an op whose code depends on a number": (
        """block quiet(drop: float) { input x: [B, N, D]
  output (x, x, x) -> scaled_dot_product_attention(dropout=drop) -> linear(D) }""",
        "x: f32[B = 2, 5, 8]",
        "x -> quiet(0.0)",
        "def __init__(self, in_features: int) -> None",
    ),
    "sizes after a stride": (
        """block rows(width: int, stride: int) {
  input x
  y: [B, C, H, W] = x -> conv(width, 3, stride)
  output y -> rearrange("b c h w -> b (h w) c") -> rearrange("b (h w) c -> b c h w", h=H)
}""",
        "x: f32[B = 1, 3, H = 32, W = 32]",
        "x -> rows(8, 2)",
        "def __init__(self, in_channels: int, width: int) -> None",
    ),
    "sizes by a number that varies": (
        """block cut(kernel: int, stride: int) {
  input x: [B, C, H, W]
  output x -> pad([(2, 0, ceil_div(H, stride) * stride - H)]) -> conv(C, kernel, stride)
}""",
        "x: f32[B = 1, 3, H = 32, W = 32]",
        "x -> cut(3, 2) -> cut(5, 3)",
        "(stride, padding) in ((2, 1), (3, 2))",
    ),
    "a condition within another one": (
        """block joined(width: int, stride: int) {
  input x: [B, C, H, W]
  f = x -> unit(width) -> max_pool(5, stride=stride, padding=2)
  output f + (x -> if stride > 1 {
    short: (max_pool(5, stride=stride, padding=2) -> if C != width { expand: conv(width, 1) })
  })
}""",
        "x: f32[B = 1, 16, 8, 8]",
        "x -> joined(32, 2) -> joined(32, 1) -> joined(64, 2) -> joined(64, 1)",
        "`Joined` is for stride <= 1 or in_channels != width",
    ),
    "what a `where` says of numbers": (
        """block heads_of(heads: int) {
  input x: [B, N, D] where D % heads == 0
  output x -> rearrange("b n (h d) -> b h n d", h=heads) -> rearrange("b h n d -> b n (h d)")
    -> linear(D)
}""",
        "x: f32[B = 2, 5, 8]",
        "x -> heads_of(4)",
        "`HeadsOf` is for in_features % heads == 0",
    ),
    "an axis that a pattern splits": (
        """block heads_of(heads: int) {
  input x: [B, N, D]
  output x -> linear(3 * D) -> rearrange("b n (three h d) -> three b h n d", three=3, h=heads)
    -> sum(axis=0) -> rearrange("b h n d -> b n (h d)")
}""",
        "x: f32[B = 2, 5, 8]",
        "x -> heads_of(4)",
        "`HeadsOf` is for in_features % heads == 0",
    ),
    "a multiple of an exact quotient is split": (
        """block grouped(group: int) {
  input x: [B, C, H, W] where C % group == 0
  output x -> conv(9 * C // group, 1) -> rearrange("b (g k) h w -> b g k h w", g=C // group)
    -> sum(axis=2) -> conv(C, 1)
}""",
        "x: f32[B = 2, 8, 6, 6]",
        "x -> grouped(4)",
        "if in_channels % group != 0:\n"
        '            raise ValueError("`Grouped` is for in_channels % group == 0")\n'
        "        self.in_channels = in_channels",
    ),
    "a factor between axes that a pattern exchanges": (
        """block exchanged(groups: int) {
  input x: [B, C, H, W]
  output x -> global_avg_pool(keepdim=true) -> conv(2 * C, 1)
    -> rearrange("b (g r c) 1 1 -> b r (g c) 1 1", g=groups, r=2) -> softmax(axis=1)
}""",
        "x: f32[B = 2, 24, 6, 6]",
        "x -> exchanged(4)",
        "self.groups, 2, self.in_channels // self.groups",
    ),
    "factors of several axes that are equal by chance": (
        """block windows(heads: int, size: int) {
  input x: [B, C, H, W]
  output x -> rearrange("b (h d) (r p) (s q) -> b h (r s) (p q) d", h=heads, p=size, q=size)
    -> linear(C)
}""",
        "x: f32[B = 1, 8, 16, 16]",
        "x -> windows(4, 4)",
        "self.heads,\n                self.features // self.heads,\n"
        "                self.H // self.size,\n                self.size,\n"
        "                self.W // self.size,\n                self.size,\n",
    ),
    "an open factor that is equal to a given one, beside two equal ones": (
        """block shuffled(rows: int, columns: int) {
  input x: [B, C, H, W]
  output x -> rearrange("b (g c) (r p) (s q) -> b (c g) (p r) (q s)", g=rows, p=rows, q=columns)
    -> conv(C, 1)
}""",
        "x: f32[B = 1, 8, 16, 16]",
        "x -> shuffled(4, 4)",
        "self.H // self.rows,\n                self.rows,\n",
    ),
    "an argument that callers give, but that has its default wherever it is used": (
        """block halved(stride: int = 2) { max_pool(3, stride=stride, padding=1) -> batch_norm }
block stage(width: int, stride: int = 1) {
  unit(width) -> if stride > 1 { halved(stride) }
}""",
        "x: f32[B = 1, 8, 12, 12]",
        "x -> stage(16) -> stage(16, 2)",
        "self.halved = Halved(channels=width, stride=stride)",
    ),
    "half of a window whose weight is data": (
        """block filtered(size: int) {
  input x: [B, C, H, W]
  param weight: f32[C, 1, size, size] = normal
  output (x, weight) -> convolve(groups=C)
}""",
        "x: f32[B = 1, 4, 16, 16]",
        "x -> filtered(3)",
        "padding=(self.size - 1) // 2",
    ),
    "a list that depends on a number": (
        """rule factors(4) => [2, 2]
rule factors(scale) => [scale]
block enlarge(scale: int) {
  input x: [B, C, H, W]
  output x -> body: for n in factors(scale) { conv(8 * n * n, 3) -> pixel_shuffle(n) }
}""",
        "x: f32[B = 1, 8, 4, 4]",
        "x -> enlarge(2) -> enlarge(3)",
        "(scale, out_channels) in ((2, 32), (3, 72))",
    ),
    "a loop that is written out on one side": (
        """block scaled(rate: float) { input x: [B, N, D]
  output x + (x -> dropout(rate) -> linear(D)) }
block stage(width: int, depth: int, last: bool, rate: float) {
  linear(width)
  -> if last { layer_norm }
  -> layers: for j in 0..depth { scaled(rate * [0.0, 0.3, 0.2, 0.1, 0.5][j]) }
  -> if last { linear(width) -> relu }
}""",
        "x: f32[B = 2, 5, 8]",
        "x -> stage(8, 2, false, 0.2) -> stage(8, 5, true, 0.4)",
        "(last, rate) in ((True, 0.4), (False, 0.2))",
    ),
    "values that a loop computes": (
        """block scaled(rate: float) { input x: [B, N, D]
  output x + (x -> dropout(rate) -> linear(D)) }
block stage(width: int, depth: int, last: bool, rate: float) {
  linear(width)
  -> if last { layer_norm }
  -> layers: for j in 0..depth { scaled(rate * j / max(1, depth - 1)) }
  -> if last { linear(width) -> relu }
}""",
        "x: f32[B = 2, 5, 8]",
        "x -> stage(8, 2, false, 0.2) -> stage(8, 5, true, 0.4)",
        "rate=rate * i / max(1, depth - 1))\n            for i in range(depth)",
    ),
    "values of a loop": (
        """block noisy(rate: float) { input x: [B, N, D]
  output x -> dropout(rate) -> linear(D) }
block stage(rate: float) { layers: for r in [0.0, 0.1, 0.4] { noisy(rate * r) } }""",
        "x: f32[B = 2, 5, 8]",
        "x -> stage(0.5)",
        "def __init__(self, in_features: int) -> None",
    ),
    "words for the channels of the input": (
        """block half { input x: [B, C, H, W]
  a, b = x -> split(2, axis=1)
  output (a -> dw: conv(same, 3, groups=each, bias=false), b) -> concat }""",
        "x: f32[B = 1, 8, 6, 6]",
        "x -> half",
        "groups=channels // 2",
    ),
    "channels of windows": (
        """block windows(heads: int) { input x: [B, C, H, W]
  output x -> unfold(3, padding=1) -> rearrange("b (h c k) n -> b h n k c", h=heads, k=9)
    -> rearrange("b h n k c -> b (h c k) n") -> fold((H, W), 3, padding=1) -> conv(C, 1) }""",
        "x: f32[B = 1, 8, 6, 6]",
        "x -> windows(4)",
        "nn.Conv2d(in_channels, in_channels, 1)",
    ),
    "a number that is rounded": (
        """block gated(rate: float) { input x: [B, C, H, W]
  output x -> unit(round(rate * C)) -> conv(C, 1) }""",
        "x: f32[B = 1, 8, 6, 6]",
        "x -> gated(0.25)",
        "width=round(rate * in_channels)",
    ),
    "sizes of inputs that are equally far apart by chance": (
        """block neck(width: int) {
  input a: [B, A, H, W], b: [B, E, H, W], c: [B, C, H, W]
  p, q, r = (x -> "convs.{i}": conv(width, 3) for i, x in enumerate((a, b, c)))
  output p + q + r }""",
        "a: f32[B = 1, 4, 6, 6], b: f32[B, 8, 6, 6], c: f32[B, 12, 6, 6]",
        "(a, b, c) -> neck(8)",
        "in_channels_3: int",
    ),
    "parts of one size": (
        """block parted(a: int, b: int) { input x: [B, N, D]
  y, z = x -> linear(a + b) -> split([a, b], axis=2)
  output (x, y -> linear(D), z -> linear(D)) -> sum_of }
block sum_of { input x, y, z
  output x + y + z }""",
        "x: f32[B = 2, 5, 8]",
        "x -> parted(4, 4)",
        "`Parted` is for a == b",
    ),
    "parts of an axis and initial values": (
        """block heads_of(heads: int) {
  input x: [B, N, D] where D % heads == 0
  output x -> rearrange("b n (h d) -> b h n d", h=heads) -> scores
    -> rearrange("b h n d -> b n (h d)")
}
block scores { input x: [B, H, N, E]
  param weight: f32[E, E] = trunc_normal(std=E ** -0.5)
  output (x, weight) -> matmul }""",
        "x: f32[B = 2, 5, 8]",
        "x -> heads_of(4) -> heads_of(2)",
        "std=self.E ** -0.5",
    ),
    "a list of sizes for an inline block": (
        """inline block drawn(shape: list[int]) {
  output arange(shape[0] * shape[1], dtype=f32) -> reshape(shape)
}
block shifted(width: int) { input x: [B, N, D]
  param table: f32[width, D] = drawn([width, D])
  output (x -> linear(D)) + (table -> sum(axis=0)) }""",
        "x: f32[B = 2, 5, 8]",
        "x -> shifted(8)",
        "reshape(width, D)",
    ),
    "a parameter of an inline block": (
        """inline block scaled { input x: [B, N, C]
  factor = gamma: param([C], ones)
  output x * factor }
block branch { input x: [B, N, D]
  output x + (x -> linear(D) -> scaled) }""",
        "x: f32[B = 2, 5, 8]",
        "x -> branch",
        "torch.empty(in_features)",
    ),
    "a parameter with equal sizes": (
        """block filters(width: int) {
  input x: [B, C, H, W]
  param weight: f32[width, C, 3, 3] = normal
  output (x, weight) -> convolve(padding=1)
}""",
        "x: f32[B = 1, 8, 4, 4]",
        "x -> filters(8)",
        "torch.empty(width, C, 3, 3)",
    ),
    "a size that the body computes": (
        """block tower(dim: int, depth: int, patch: int) {
  input image: [B, C, H, W]
  x: [B, N, _] = image -> conv(dim, patch, stride=patch, padding=0)
    -> rearrange("b d h w -> b (h w) d")
  output (x + (arange(N) -> position: embedding(N, dim)))
    -> layers: for _ in 0..depth { _: { residual(layer_norm -> linear(dim)) } }
}""",
        "x: f32[B = 1, 3, 24, 24]",
        "x -> tower(24, 2, 8)",
        "N = H // patch * (W // patch)",
    ),
    "sizes divided by a number, of data with divided sizes": (
        """block windows(window: int) {
  input x: [B, C, H, W]
  output x -> rearrange("b c (r p) (s q) -> (b r s) (p q) c", p=window, q=window) -> linear(C)
    -> rearrange("(b r s) (p q) c -> b c (r p) (s q)", r=H // window, s=W // window, p=window)
}""",
        "x: f32[B = 1, 8, H = 28, W = 28] where H % 28 == 0, W % 28 == 0",
        "x -> conv(8, 3, stride=2) -> windows(7) -> windows(14)",
        "def __init__(self, in_features: int) -> None",
    ),
    "two sizes of data that are equal": (
        """block shifted(window: int, shift: int) {
  input x: [B, H, W, C]
  rows = ceil_div(H, window)
  columns = ceil_div(W, window)
  output x
    -> pad([(1, 0, rows * window - H), (2, 0, columns * window - W)])
    -> roll([shift * min(rows - 1, 1), shift * min(columns - 1, 1)], axes=[1, 2])
    -> rearrange("b (r p) (s q) c -> (b r s) (p q) c", p=window, q=window)
    -> linear(C)
    -> rearrange("(b r s) (p q) c -> b (r p) (s q) c", r=rows, s=columns, p=window)
}""",
        "x: f32[B = 2, 28, 28, 8]",
        "x -> shifted(7, 3)",
        "W % window == 0",
    ),
    "names with a number": (
        'block named(width: int) { "reduce_{width}": unit(width) }',
        "x: f32[B = 1, 16, 8, 8]",
        "x -> named(8)",
        "reduce_8",
    ),
}


@pytest.mark.parametrize(("blocks", "data", "output", "expected"), CASES.values(), ids=CASES)
def test_arguments(tmp_path: Path, blocks: str, data: str, output: str, expected: str) -> None:
    path = tmp_path / "net.arch"
    (tmp_path / "probed").mkdir()
    body = f"network net {{\n  input {data}\n  output {output}\n}}"
    path.write_text(f"{UNITS}\n{blocks}\n{body}\n")
    assert expected in python_source(load(path, "net").compiled)[0]
    assert differences(path, "net", tmp_path / "probed") == []


FAMILIES = {path: name for name, path in networks().items()}
"""One network of each file: its last preset."""


@pytest.mark.slow
@pytest.mark.parametrize("path", FAMILIES, ids=lambda path: path.stem)
def test_arguments_of_shipped_networks(tmp_path: Path, path: Path) -> None:
    assert differences(path, FAMILIES[path], tmp_path) == []
