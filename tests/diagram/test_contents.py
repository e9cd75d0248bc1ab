"""What a drawing shows if nothing is asked for: its depth, sizes, and ops that change nothing."""

import re

import pytest

from archspec import load
from archspec.diagram.depth import FEW, MANY, MOST, useful_depth
from archspec.diagram.draw import drawing
from archspec.diagram.simplified import simplified
from tests.diagram.test_looks import groups, network, program, svg_of, texts_of, words

__all__ = ["network", "program"]  # fixtures


@pytest.mark.parametrize(
    ("name", "depth"),
    [("resnet18", 1), ("unet", 7), ("resnet50_fpn", 2), ("bts_densenet121_nyu", 2), ("u2netp", 1)],
)
def test_the_depth_for_which_none_is_given(name, depth):
    compiled = load(name).compiled
    graph = simplified(compiled, training=False).inference
    assert useful_depth(graph) == depth
    assert drawing(compiled) == drawing(compiled, depth)
    boxes = len(re.findall(r"\[label=<<table", drawing(compiled)))
    assert FEW <= boxes <= (MOST if depth == 2 or name == "u2netp" else MANY)


def test_a_network_of_which_everything_is_shown(network):
    assert "depth" not in drawing(network(SHALLOW).compiled)
    assert drawing(network(SHALLOW).compiled) == drawing(network(SHALLOW).compiled, None)


SHALLOW = """
network net {
  input x: f32[B = 1, 8]
  output y = x -> linear(4)
}
"""

SIZES = """
network net {
  input x: f32[B = 1, 3, H = 64, W = 64]
  output y = x -> a: conv(4, 3, stride=2) -> b: max_pool(3, stride=2) -> c: conv(5, 3, padding=0)
    -> pad([[2, 0, (H + 7) // 8], [3, 0, (W + 7) // 8]]) -> conv(6, 1)
}
"""


def test_sizes_with_long_expressions_are_numbers(network):
    net = network(SIZES)
    texts = " ".join(texts_of(net))
    assert "[B, 4, (H + 1)//2, (W + 1)//2]" in texts
    assert "[B, 5, 13, 13]" in texts
    assert "pad([[2, 0, (H + 7)//8], [3, 0, (W + 7)//8]])[B, 5, 21, 21]" in texts
    assert "f32[B, 6, 21, 21]" in texts
    assert "yields f32[B, 5, (H + 3)//4 - 3, (W + 3)//4 - 3]" in drawing(net.compiled)
    assert "[B, 5, 29, 13]" in " ".join(texts_of(net.at(H=128)))
    assert "[1, 4, 32, 32]" in " ".join(texts_of(net, concrete=True))


NOTHING = """
network net {
  input x: f32[B = 1, 8]
  a = 0 + x * 1 - 0
  output y = (a / 1.0 -> linear(4)) * 2
  output z = 0 - x
  output u = 1 / x
}
"""


def test_arithmetic_that_changes_nothing_is_not_drawn(network):
    texts = [text for text in texts_of(network(NOTHING)) if "f32" not in text]
    assert sorted(text.partition("[")[0] for text in texts) == [
        "0 - x", "1 / x", "linear(4)x * 2",
    ]  # fmt: skip


BUNDLE = """
block two {
  input x: [B, C]
  output a = x -> l: linear(4)
  output b = x -> m: linear(5)
}

block sum {
  input a: [B, 4], b: [B, 5]
  output a + (b -> linear(4))
}

network net {
  input x: f32[B = 1, 8]
  output y = (x -> two -> sum -> relu) + 1 -> unsqueeze(0)
}
"""


def test_an_arrow_of_several_tensors_shows_their_number(network, program):
    svg = svg_of(network(BUNDLE), 1)
    counts = [words(item) for item in groups(svg, "arrow") if words(item)]
    assert counts == ["2"]
    assert not [item for item in groups(svg_of(network(BUNDLE), 2), "arrow") if words(item)]


def test_the_legend_has_the_words_of_the_field(network):
    (legend,) = re.findall(r"■</font>.*?</td>", drawing(network(BUNDLE).compiled, 1))
    named = re.sub(r"<.*?>|■", "", legend).split("  ")
    assert [name.strip() for name in named if name.strip()] == [
        "activation", "reshaping, transposition",
    ]  # fmt: skip
