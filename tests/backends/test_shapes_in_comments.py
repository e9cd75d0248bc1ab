"""Shapes in comments of generated code use the names of the class."""

import re

import pytest

from archspec.graph.expression import Name, Number, Operation
from archspec_torch.code.products import product, quotient
from archspec_torch.source import python_source

A, B, C = Name("a"), Name("b"), Name("c")


def ratio(above, below):
    return Operation("//", (above, below))


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (product([A, ratio(C, A)]), C),
        (product([ratio(C, A), A, A]), Operation("*", (A, C))),
        (product([A, A]), Operation("**", (A, Number(2)))),
        (product([Operation("**", (A, Number(2))), A]), Operation("**", (A, Number(3)))),
        (product([Number(2), Number(3), A]), Operation("*", (Number(6), A))),
        (quotient(Operation("*", (Number(3), C)), [Number(3), A]), ratio(C, A)),
        (quotient(Operation("**", (A, Number(2))), [A]), A),
        (quotient(C, [C]), Number(1)),
        (quotient(Number(12), [Number(4)]), Number(3)),
        (quotient(C, [Number(2)]), ratio(C, Number(2))),
    ],
)
def test_products_and_quotients_are_short(found, expected):
    assert found == expected


def comments(net, name):
    text, _ = python_source(net.compiled)
    body = text.partition(f"class {name}(")[2].partition("def forward")[2].partition("\n\n\n")[0]
    return re.findall("# (.*)", body)


WINDOWS = """
block windowed(heads: int, window: int) {
  input x: [B, H, C]
  rows = ceil_div(H, window)
  output x
    -> pad([(1, 0, rows * window - H)])
    -> rearrange("b (r p) (h d) -> (b r) h p d", p=window, h=heads)
    -> rearrange("n h p d -> n p (h d)")
    -> linear(2 * C)
    -> split(2, axis=2)
    -> concat(axis=1)
}
network net {
  input x: f32[B = 1, H = 10, 8]
  output a = x -> windowed(2, 4)
  output b = x -> windowed(4, 5)
}
"""


def test_sizes_are_expressions_from_the_spec(network):
    assert comments(network(WINDOWS), "Windowed") == [
        "[B, window*rows, in_features]",
        "[B*rows, heads, window, in_features//heads]",
        "[B*rows, window, in_features]",
        "[B*rows, window, 2*in_features]",
        "each [B*rows, window, in_features]",
        "[B*rows, 2*window, in_features]",
    ]


JOINED = """
block strided(width: int, stride: int) { conv(width, 3, stride) -> relu }
network net {
  input x: f32[B = 1, 3, H = 8, W = 8]
  output x -> a: strided(8, 1) -> b: strided(4, 2) -> c: strided(4, 4)
}
"""


def test_sizes_after_a_stride_that_is_an_argument(network):
    assert comments(network(JOINED), "Strided") == ["[B, width, ceil(H/stride), ceil(W/stride)]"]


def test_joined_sizes_are_sums(network):
    net = network(
        """
block fork(pool: int) { [conv(6, 1), conv(2, 1), conv(pool, 1)] -> concat }
network net {
  input x: f32[B = 1, 3, H = 8, W = 8]
  output x -> fork(5) -> fork(6)
}
"""
    )
    assert comments(net, "Fork")[-1] == "[B, pool + 8, H, W]"


def test_equal_numbers_of_different_origin_are_not_combined(network):
    """The data here has width 12, and the number of heads happens to be 12, too."""
    net = network(
        """
block layer(heads: int, width: int) {
  input x: [B, N, D]
  y = x * heads
  output y -> linear(width)
}
network net {
  input x: f32[B = 1, N = 3, 12]
  output x -> layer(12, 16) -> linear(12) -> tanh -> layer(13, 17)
}
"""
    )
    assert comments(net, "Layer") == ["[B, N, in_features]", "[B, N, width]"]


def test_sizes_that_differ_between_uses_have_the_names_of_axes(network):
    net = network(
        """
block attention {
  input x: [B, N, D], context: [B, M, D]
  k = context -> k: linear(D)
  output (x -> q: linear(D), k) -> einsum("b n d, b m d -> b n m") -> softmax
}
block doubled { input x: [B, C, H, W]
  output x -> upsample(2) -> conv: conv(C, 3) }
network net {
  input x: f32[B = 2, P = 5, 8], y: f32[B, Q = 3, 8], image: f32[B, 4, S = 6, T = 7]
  z = (x, x) -> own: attention
  output z
  output (x, y) -> cross: attention
  output image -> doubled -> doubled
}
"""
    )
    assert comments(net, "Attention") == ["[B, M, in_features]", "[B, N, in_features]", "[B, N, M]"]
    assert comments(net, "Doubled") == ["[B, in_channels, 2*H, 2*W]"]


def test_shapes_of_which_little_is_known_are_no_comments(network):
    net = network(
        """
network net {
  input x: f32[B = 2, 3, H = 8, W = 9]
  maps = (x -> "convs.{i}": (conv(4 + i, 3, stride=i + 1) -> relu) for i in 0..3)
  output maps
}
"""
    )
    text, _ = python_source(net.compiled)
    assert "conv(x)\n" in text
    assert "[B, _, _, _]" not in text


COINCIDENCES = """
block summed(group: int) {
  input x: [B, C, H, W] where C % group == 0
  output x -> rearrange("b (g c) h w -> b g c h w", c=group) -> sum(axis=-1)
}

block similar(heads: int) {
  input x: [B, N, C]
  q = x -> rearrange("b n (h d) -> b h n d", h=heads)
  k = x -> rearrange("b n (h d) -> b h n d", h=heads)
  output (q, k) -> einsum("b h n d, b h m d -> b h n m")
}

block merged {
  input x: [B, H, W, C]
  output x -> pad([(1, 0, 2 * ceil_div(H, 2) - H), (2, 0, 2 * ceil_div(W, 2) - W)]) -> relu
}

block taken(step: int) {
  input x: [B, H, W, C]
  output x -> slice(axis=1, step=step) -> relu
}
"""


@pytest.mark.parametrize(
    ("body", "name", "expected"),
    [
        (
            "x: f32[B = 1, 4, 8, 8]\n  output y = x -> summed(2)",
            "Summed",
            "[B, C//group, group, H]",
        ),
        ("x: f32[B = 1, 4, 8]\n  output y = x -> similar(2)", "Similar", "[B, heads, N, N]"),
        (
            "x: f32[B = 1, 5, 5, 3]\n  output y = x -> merged",
            "Merged",
            "[B, 2*-(-H//2), 2*-(-W//2), C]",
        ),
        ("x: f32[B = 1, 4, 4, 3]\n  output y = x -> taken(2)", "Taken", "[B, -(-H//step), W, C]"),
    ],
)
def test_a_size_has_the_expression_of_its_axis_although_others_are_equal(
    network, body, name, expected
):
    net = network(f"{COINCIDENCES}\nnetwork n {{\n  input {body}\n}}\n")
    assert expected in comments(net, name)
