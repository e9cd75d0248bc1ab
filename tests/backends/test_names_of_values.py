"""Names of variables in generated code, and when statements are split into lines."""

import torch

from archspec_torch.code.pieces import call, code
from archspec_torch.code.text import lines
from archspec_torch.module import to_module
from archspec_torch.source import python_source


def forward(net, name):
    text, _ = python_source(net.compiled)
    return text.partition(f"class {name}(")[2].partition("def forward")[2].partition("\n\n\n")[0]


ATTENTION = """
block attention(heads: int) {
  input x: [B, N, D]
  q, k, v = x
    -> qkv: linear(3 * D)
    -> rearrange("b n (three h d) -> three b h n d", three=3, h=heads)
    -> unbind(0)
  weights = (q * 0.5, k) -> einsum("b h n d, b h m d -> b h n m")
  output (weights -> softmax, v) -> matmul -> rearrange("b h n d -> b n (h d)") -> proj: linear(D)
}
network net {
  input x: f32[B = 1, N = 3, 8]
  output y = x -> attention(2)
}
"""


def test_values_bound_together_keep_their_names(network):
    text = forward(network(ATTENTION), "Attention")
    assert "q, k, v = x.unflatten(2, [3, self.heads, -1]).permute(2, 0, 3, 1, 4).unbind(0)" in text
    assert "q = q * 0.5" in text
    assert "weights = torch.einsum(" in text
    assert "weights = F.softmax(weights, dim=-1)" in text
    assert "x = torch.matmul(weights, v)" in text  # a value that is neither has another name
    assert "x = self.proj(x)" in text


def test_elements_of_a_tuple_are_numbered(network):
    net = network(
        """
block parts {
  input x: [B, C]
  first, ...rest = x -> split([2, 2, 4])
  both = x -> [tanh, sigmoid]
  output (first, both -> add, rest -> concat) -> concat
}
network net {
  input x: f32[B = 1, 8]
  output y = x -> parts
}
"""
    )
    text = forward(net, "Parts")
    assert "first, rest_0, rest_1 = x.split(" in text
    assert "both_0 = torch.tanh(x)" in text
    x = torch.randn(2, 8)
    expected = torch.cat([x[:, :2], x.tanh() + x.sigmoid(), x[:, 2:]], 1)
    torch.testing.assert_close(to_module(net.compiled)(x), expected)


def test_names_of_the_spec_are_reused_for_later_values(network):
    net = network(
        """
inline block weighed(by: float) {
  input x
  gate = x -> sigmoid
  other = x * by
  output gate * other
}
network net {
  input x: f32[B = 1, 8]
  output y = x -> weighed(2) -> weighed(3) -> weighed(4)
}
"""
    )
    text = forward(net, "Net")
    assert text.count(" gate = torch.sigmoid(") == 2
    assert text.count(" gate_2 = torch.sigmoid(") == 1  # there is another value called gate
    assert text.count(" other = ") == 3
    x = torch.randn(2, 8)
    y = x
    for by in (2, 3, 4):
        y = y.sigmoid() * y * by
    torch.testing.assert_close(to_module(net.compiled)(x), y)


BRANCHES = """
network net {
  input x: f32[B = 1, 3, H = 8, W = 8]
  output y = x
    -> [
      branch3x3_1: conv(4, 3) -> relu -> branch3x3_2: conv(4, 3),
      conv(4, 1),
      avg_pool(3, stride=1, padding=1) -> branch_pool: conv(4, 1),
    ]
    -> concat
}
"""


def test_branches_are_named_after_their_layers(network):
    text = forward(network(BRANCHES), "Net")
    assert "branch3x3 = self.branch3x3_2(branch3x3)" in text
    assert "branch_pool = F.avg_pool2d(image" not in text
    assert "branch_pool = self.branch_pool(branch_pool)" in text
    assert "torch.cat([branch3x3, y, branch_pool], dim=1)" in text


def test_calls_of_methods_are_broken_one_a_line():
    long = ", ".join(f"argument_{number}" for number in range(6))
    chain = code("x", " = ", "x", call(".first", long), call(".second", long), ".third()")
    assert lines(chain, 4) == [
        "    x = (",
        f"        x.first({long})",
        f"        .second({long})",
        "        .third()",
        "    )",
    ]
    short = code("return ", call("x.first", "1"), call(".second", "2"))
    assert lines(short, 0) == ["return x.first(1).second(2)"]
