"""Expressions in generated code: parts of statements, names of numbers, parentheses."""

import pytest
import torch

from archspec_torch.code.joining import Shown, joined
from archspec_torch.code.lines import Weight
from archspec_torch.code.pieces import call, code, listing
from archspec_torch.code.precedence import needs_parentheses
from archspec_torch.code.text import flat, lines, literal
from archspec_torch.module import to_module
from tests.backends.scripts import script
from tests.backends.sources import source

BUCKETS = """
inline block bucket(buckets: int, furthest: int, both: bool) {
  input far: [N, M]
  half = if both then buckets // 2 else buckets
  exact = half // 2
  behind = if both { far -> abs } else { -far -> clamp(low=0) }
  spread = ((behind -> cast(f32) -> clamp(low=1.0)) / exact) -> log
  large = ((spread / log(furthest / exact) * (half - exact) -> cast(i64)) + exact)
    -> clamp(high=half - 1)
  near = (behind < exact, behind, large) -> where
  output if both { near + half * ((far > 0) -> cast(i64)) } else { near }
}
block stack(buckets: int, both: bool) {
  input x: [B, N, D]
  far = (arange(N) -> unsqueeze(0)) - (arange(N) -> unsqueeze(1))
  bias = far
    -> bucket(buckets, 128, both)
    -> bias: embedding(buckets, 1)
    -> rearrange("n m 1 -> n m")
  output (bias, x) -> einsum("n m, b m d -> b n d")
}
network net {
  input x: f32[B = 1, N = 40, 8]
  output y = x -> near: stack(32, true) -> stack: stack(32, false)
}
"""


def both_agree(net, *inputs):
    module = to_module(net.compiled)
    torch.testing.assert_close(script(module)(*inputs), module(*inputs))


def test_numbers_bound_to_names_have_these_names(network):
    net = network(BUCKETS)
    text = source(net)
    assert "        half = self.buckets // 2 if self.both else self.buckets\n" in text
    assert "        exact = half // 2\n" in text
    assert text.count("self.buckets // 2") == 1
    both_agree(net, torch.randn(2, 40, 8))


def test_positions_are_computed_in_one_expression(network):
    text = source(network(BUCKETS))
    assert "torch.log(behind.to(torch.float32).clamp(min=1.0) / exact)" in text
    assert "near = torch.where(behind < exact, behind, large)" in text
    assert "half * (far > 0).to(torch.int64)" in text


def test_a_name_of_the_constructor(network):
    net = network(
        """
block unit(mid: int, dilated: bool) {
  rate = if dilated then 2 else 1
  a: conv(mid, 3, dilation=rate) -> b: conv(mid, 3, dilation=rate ** 2)
}
network net {
  input x: f32[B = 1, 8, H = 16, W = 16]
  output y = x -> a: unit(8, true) -> b: unit(16, false)
}
"""
    )
    text = source(net)
    assert "        rate = 2 if dilated else 1\n" in text
    assert "padding=rate ** 2, dilation=rate ** 2)" in text
    both_agree(net, torch.randn(1, 8, 16, 16))


def test_a_name_that_a_variable_has_is_not_used(network):
    net = network(
        """
inline block shifted(n: int) {
  input z
  far = if n > 4 then n // 2 * 3 else n
  output z * far + far
}
block unit(n: int) {
  input x: [B, D]
  far = x -> relu
  output (far -> shifted(n)) + far
}
network net { input x: f32[B = 1, 4]
  output y = x -> a: unit(5) -> b: unit(3) }
"""
    )
    assert "far = self.n" not in source(net)
    both_agree(net, torch.randn(2, 4))


def test_a_number_in_a_pattern_is_not_the_argument_that_is_equal(network):
    net = network(
        """
use std.attention { self_attention }
network net {
  input x: f32[B = 1, N = 4, 12]
  output y = x -> self_attention(3)
}
"""
    )
    text = source(net)
    assert "x.unflatten(2, [3, self.heads, -1])" in text
    assert "each [B, heads, N, in_features//heads]" in text
    assert "self.proj = nn.Linear(in_features, in_features)" in text
    both_agree(net, torch.randn(2, 4, 12))


def test_an_argument_has_the_name_of_one_that_its_block_does_not_read(network):
    net = network(
        """
block attention(heads: int) {
  input x: [B, N, D]
  output x -> rearrange("b n (h d) -> b h n d", h=heads) -> rearrange("b h n d -> b n (d h)")
}
block layer(heads: int, attention: layer = attention(heads)) { attn: attention -> linear(12) }
network net {
  input x: f32[B = 1, N = 4, 12]
  output y = x -> layer(2, attention(3))
}
"""
    )
    text = source(net)
    assert "Layer(in_features=12, heads=3)" in text
    both_agree(net, torch.randn(2, 4, 12))


# ---------------------------------------------------------------------- parts of statements


def shown(text, part=True, weight=Weight.HEAVY):
    return Shown(code(text), is_part=part, weight=weight)


def texts(*found, indent=8):
    return [flat(line.code) for line in joined(found, indent)]


def test_a_part_is_written_where_it_is_read():
    assert texts(shown("y = x > 0", weight=Weight.LIGHT), shown("z = z + y")) == ["z = z + (x > 0)"]
    y = Shown(code("y = ", call("x.unsqueeze", "1")), is_part=True)
    z = Shown(code("z = ", call("torch.where", "y", "a", "b")))
    assert texts(y, z) == ["z = torch.where(x.unsqueeze(1), a, b)"]
    z = Shown(code("z = ", call("y.to", "torch.int64")))
    assert texts(shown("y = a + b", weight=Weight.LIGHT), z) == ["z = (a + b).to(torch.int64)"]


@pytest.mark.parametrize(
    "found",
    [
        (shown("y = x + 1", part=False), shown("z = y * 2")),  # it has a name in the spec
        (shown("y = x + 1"), shown("z = y * y")),  # it would be computed twice
        (shown("y = x + 1"), shown("z = y * 2"), shown("return y + z")),  # read again
        (shown("y = x + 1"), shown("return y")),
    ],
)
def test_other_statements_stay_apart(found):
    assert texts(*found) == [flat(line.code) for line in found]


def test_no_activation_lives_longer():
    made = shown("x = self.norm(x)", part=False)
    assert texts(made, shown("x = x * 2"), shown("x = x + 1"))[1:] == ["x = x * 2", "x = x + 1"]
    kept = [made, shown("y = x * 2"), shown("y = y + 1"), shown("return x + y")]
    assert texts(*kept)[1:] == ["y = x * 2 + 1", "return x + y"]
    view = Shown(code("x = ", call("x.unsqueeze", "1")), is_part=True, weight=Weight.HEAVY)
    assert texts(made, view, shown("x = x + 1"))[1:] == ["x = x.unsqueeze(1) + 1"]


def test_a_variable_that_another_branch_reads_is_assigned():
    found = [
        Shown(code("if self.flag:")),
        Shown(code("y = x + 1"), 4, is_part=True),
        Shown(code("z = y * 2"), 4),
        Shown(code("else:")),
        Shown(code("y = x"), 4),
        Shown(code("return y")),
    ]
    assert texts(*found) == [flat(line.code) for line in found]


def test_long_lines_stay_apart():
    long = shown(f"y = {' + '.join(['position'] * 6)}", weight=Weight.NONE)
    assert len(texts(long, shown("z = y * position_of_the_other_one"))) == 2


# ---------------------------------------------------------------------- text


@pytest.mark.parametrize(
    ("text", "before", "after", "needed"),
    [
        ("a ** b", "x * ", "", False),
        ("a * b", "x + ", "", False),
        ("a * b", "x * ", "", True),  # another order of rounding
        ("a + b", "x * ", "", True),
        ("a + b", "x - ", "", True),
        ("a - b", "", " - x", False),
        ("a * b", "", " ** x", True),
        ("-a", "", ".abs()", True),
        ("a + b", "-", "", True),
        ("a if b else c", "x + ", "", True),
        ("a if b else c", "f(", ")", False),
        ("a + b", "x >= ", "", False),
        ("a > b", "x == ", "", True),
        ("f(a)[0]", "x * ", ".abs()", False),
    ],
)
def test_parentheses(text, before, after, needed):
    assert needs_parentheses(text, before, after) is needed


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1e-6, "1e-6"),
        (1.1e-5, "1.1e-5"),
        (-1e9, "-1e9"),
        (1e30, "1e30"),
        (0.02, "0.02"),
        (1000000.0, "1e6"),
        (1250000.0, "1250000.0"),
        (0.0, "0.0"),
        (-0.0, "-0.0"),
    ],
)
def test_numbers_are_written_as_people_do(value, text):
    assert literal(value) == text
    assert repr(float(text)) == repr(value)


def test_a_display_begins_on_the_line_of_its_call():
    item = call("nn.Conv2d", "channels", "channels", "3", "padding=1", "groups=channels")
    pairs = listing([call("", '"conv"', item), call("", '"act"', call("nn.ReLU"))])
    made = call("nn.Sequential", call("OrderedDict", pairs))
    assert lines(code("self.f = ", made), 8) == [
        "        self.f = nn.Sequential(OrderedDict([",
        '            ("conv", nn.Conv2d(channels, channels, 3, padding=1, groups=channels)),',
        '            ("act", nn.ReLU()),',
        "        ]))",
    ]


# ---------------------------------------------------------------------- classes and their arguments


def test_numbered_iterations_of_a_loop_are_one_class(network):
    net = network(
        """
network net {
  input x: f32[B = 1, 4, H = 16, W = 16]
  output y = x -> for i, width in enumerate([4, 8, 8]) {
    "hidden{i + 1}": (conv(width, 3) -> [identity, sigmoid] -> add -> max_pool(2, stride=2 - i % 2))
  }
}
"""
    )
    text = source(net)
    assert "class Hidden(nn.Module)" in text
    assert text.count("class ") == 2
    assert "self.hidden2 = Hidden(in_channels=4, out_channels=8, stride=1)" in text
    both_agree(net, torch.randn(1, 4, 16, 16))


def test_sizes_of_several_inputs_are_named_after_these(network):
    net = network(
        """
block decoder(width: int) {
  input deep, high
  output ((deep -> conv(width, 1)), high) -> concat -> conv(width, 3)
}
network net {
  input x: f32[B = 1, 6, H = 8, W = 8], y: f32[B, 5, H, W]
  z = (x, y) -> a: decoder(4)
  output w = (z, x) -> b: decoder(7)
}
"""
    )
    text = source(net)
    assert "Decoder(deep_channels=6, high_channels=5, width=4)" in text
    both_agree(net, torch.randn(1, 6, 8, 8), torch.randn(1, 5, 8, 8))


def test_numbers_of_layers_that_are_arguments_are_constants_if_nothing_varies_them(network):
    net = network(
        """
block unit(act: layer) { conv(8, 3) -> act }
block stage(act: layer) { a: unit(act) -> b: unit(act) }
network net {
  input x: f32[B = 1, 8, H = 8, W = 8]
  output y = x -> stage(max_pool(3, stride=1, padding=1) -> max_pool(2))
}
"""
    )
    text = source(net)
    assert "kernel_size" not in text
    both_agree(net, torch.randn(1, 8, 8, 8))


def test_branches_are_named_without_what_their_labels_have_in_common(network):
    net = network(
        """
use std.attention { merge_heads, split_heads }
block attention(heads: int) {
  input x: [B, N, D]
  output (x -> "{part}_proj": linear(D) -> split_heads(heads) for part in ["q", "k", "v"])
    -> scaled_dot_product_attention -> merge_heads
}
network net {
  input x: f32[B = 1, N = 4, 8]
  output y = x -> "encoder.layers": for _ in 0..2 { attention(2) }
}
"""
    )
    text = source(net)
    assert "q = self.q_proj(x)" in text
    assert "F.scaled_dot_product_attention(q, k, v)" in text
    assert 'self.encoder = nn.ModuleDict({\n            "layers": nn.Sequential(' in text
    assert "self.encoder.layers(x)" in text
    both_agree(net, torch.randn(2, 4, 8))


def test_variants_of_similar_lengths_are_one_class(network):
    net = network(
        """
block nested(n: int, dilated: bool) {
  conv: conv(4, 3) -> for i in 0..n {
    "c{i}": conv(4, 3, dilation=if dilated then 2 else 1) -> if not dilated { relu }
  }
}
network net {
  input x: f32[B = 1, 4, H = 16, W = 16]
  output y = x -> nested(6, false) -> nested(3, false) -> nested(3, true)
}
"""
    )
    text = source(net)
    assert text.count("class Nested") == 2
    both_agree(net, torch.randn(1, 4, 16, 16))
