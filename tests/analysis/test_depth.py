"""Depth: which ops count as weight layers, and where learned weights are operands of a product."""

import pytest

from archspec.network import Network
from archspec.semantics.compile import load_network
from archspec.source import Source

BLOCKS = """
block project { input x: [B, N, D], w: [D, E]
  output (x, w) -> matmul }
block twice { input x, w
  y = (x, w) -> project
  output (y, w -> transpose(0, 1)) -> project }
block attend { input q, k
  output (q, k -> transpose(1, 2)) -> matmul -> softmax }
"""


def depth(result):
    text = (
        f"{BLOCKS}network net {{\n input x: f32[B = 1, 8, 16]\n"
        " param w: f32[16, 16] = normal(std=0.02)\n param v: f32[16, 16] = zeros\n"
        " buffer c: f32[16, 16] = ones([16, 16])\n param k: f32[8, 8, 3] = zeros\n"
        f" buffer blur: f32[8, 1, 3] = ones([8, 1, 3])\n output {result}\n}}"
    )
    return Network(load_network(Source("net.arch", text))[0]).depth


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ("(x, w) -> matmul", 1),
        ("(w, x -> transpose(1, 2)) -> matmul", 1),
        ("(x, w -> transpose(0, 1) -> relu) -> matmul", 1),
        ("(x, (w, v) -> matmul) -> matmul", 1),  # a product of weights is a weight
        ("(x, c) -> matmul", 0),
        ("(x, w * c) -> matmul", 1),
        ("(x, x -> transpose(1, 2)) -> matmul", 0),
        ("x -> [linear(16), linear(16)] -> attend", 1),
        ("(x, w) -> project", 1),
        ("(x, c) -> project", 0),
        ("(x, w) -> twice", 2),
        ("(x, c) -> twice", 0),
        ("(x, x -> relu -> linear(16)) -> attend", 1),
        ('(x, w) -> einsum("b n d, d e -> b n e")', 1),
        ('(x, x) -> einsum("b n d, b m d -> b n m")', 0),
        ("(x, k) -> convolve", 1),
        ("(x, blur) -> convolve(groups=8)", 0),
        ("x -> iterate({ input t\n output (t, w) -> matmul }, 3)", 3),
        ("x -> iterate({ input t\n output (t, c) -> matmul }, 3)", 0),
        ("x -> lstm(16, layers=3) -> {\n input y, h, s\n output y }", 3),
        ("x -> gru(16, layers=2) -> {\n input y, h\n output y }", 2),
        ("x -> lstm(16, bidirectional=true) -> {\n input y, h, s\n output y }", 1),
    ],
)
def test_weight_layers_on_the_longest_path(result, expected):
    assert depth(result) == expected
