"""What a drawing shows if nothing is asked for: its depth, sizes, and ops that change nothing."""

import re

import pytest

from archspec import load
from archspec.diagram.depth import (
    BY_EXAMPLE,
    CROWDED,
    FIRST_ONLY,
    MOST,
    at_depth,
    box_count,
    useful,
)
from archspec.diagram.draw import BOX_BUDGET, drawing, readable
from archspec.diagram.labels import tap_text
from archspec.diagram.simplified import simplified
from archspec.passes.flat import Tap
from tests.diagram.test_looks import ROOT, groups, network, program, svg_of, texts_of, words

__all__ = ["network", "program"]  # fixtures


def expanded(net):
    """The names of the blocks that a drawing without a depth expands, in order."""
    flat = useful(simplified(net.compiled, training=False).inference, BOX_BUDGET).flat
    return [g.graph.name for g in flat.groups if g.graph is not None and g.graph.kind != "rule"]


@pytest.mark.parametrize(
    ("name", "blocks"),
    [
        ("resnet18", ["basic", "basic"]),  # with and without a projection
        ("unet", ["double_conv"]),
        ("fractalnet", ["fractal", "unit"]),
        ("densenet121", ["dense_block", "dense_layer", "transition"]),
        ("inception_v3", ["unit", *(f"inception_{kind}" for kind in "abcde")]),
        ("vgg16_bn", []),
    ],
)
def test_without_a_depth_one_call_of_each_block_is_expanded(name, blocks):
    net = load(name)
    assert expanded(net) == blocks
    text = drawing(net.compiled)
    assert len(re.findall(r"\[label=<<table", text)) <= MOST
    assert (BY_EXAMPLE in text) == bool(blocks)


def test_a_block_that_has_no_room_is_not_expanded(network):
    branches = ", ".join(["conv(4, 3) -> relu -> conv(4, 1)"] * MOST)
    net = network(
        f"block wide {{\n [{branches}] -> add\n}}\n"
        "block thin(n: int) { residual(conv(4, 3) -> relu -> conv(4, n)) }\n"
        "network net {\n input x: f32[B = 1, 4, H = 8, W = 8]\n"
        " output y = x -> a: thin(1) -> b: wide -> c: thin(3)\n}\n"
    )
    assert expanded(net) == ["thin"]
    texts = texts_of(net, "auto")
    assert "b: wide" in texts
    assert "c: thin(3)" in texts


def test_a_rule_is_expanded_with_the_block_that_uses_it_as_far_as_there_is_room(network):
    rule = (
        "rule tree(0) => conv(4, 3)\n"
        "rule tree(n) => [tree(n - 1), tree(n - 1)] -> add\n"
        "block leaves(n: int) { tree(n) }\n"
        "network net(n: int) {\n input x: f32[B = 1, 4, H = 8, W = 8]\n"
        " output y = x -> first: leaves(n) -> second: leaves(n - 1)\n}\n"
    )
    few = network(f"{rule}preset few = net(3)\n", "few")
    assert len([text for text in texts_of(few, "auto") if text.startswith("conv")]) == 8 + 4
    many = network(f"{rule}preset many = net(40)\n", "many")
    assert "tree(37)" in texts_of(many, "auto")


def shown_frames(net):
    """The titles of the frames of a drawing without a depth, in order."""
    return [words(frame).strip() for frame in groups(svg_of(net, "auto"), "frame")]


@pytest.mark.parametrize(
    ("name", "typical", "plain"),
    [
        ("resnet50", "layer1.0: bottleneck(64)", "layer2.0: bottleneck(128, stride=2)"),
        ("swin_t", "features.1.1: swin_block", "features.1.0: swin_block"),
        ("u2netp", "stage3: rsu(n=5", "stage5: rsu(n=4"),
        ("tests/tied/t5.arch", "decoder: t5_stack", "encoder: t5_stack"),
    ],
)
def test_the_call_of_a_block_with_most_different_ops_is_expanded(name, typical, plain):
    net = load(str(ROOT / name) if name.endswith(".arch") else name)
    assert any(title.startswith(typical) for title in shown_frames(net))
    assert not any(title.startswith(plain) for title in shown_frames(net))
    assert any(text.startswith(plain) for text in texts_of(net, "auto"))


BLOCKS = """
block pair(norm: layer = identity) { residual(conv(4, 3) -> norm -> relu) }
block unit { conv(4, 3) -> sigmoid }

network net(more: int = 0) {
  input x: f32[B = 1, 4, H = 8, W = 8]
  output y = x -> a: pair -> b: pair(batch_norm) -> c: pair(batch_norm)
    -> for i in 0..more { "{i}": (conv(4 + i * i, 1) -> conv(4, 1)) } -> unit
}

preset large = net(14)
"""


def test_a_small_drawing_shows_each_form_of_a_block(network):
    def opened(name):
        return [title.partition(":")[0] for title in shown_frames(network(BLOCKS, name))]

    assert opened("net") == ["a", "b .. c"]
    assert opened("large") == ["b .. c"]  # only the form with most ops


TOWERS = """
block mixer(width: int) { residual(norm: layer_norm -> up: linear(width) -> gelu -> linear(64)) }
block head { residual(mixer(7)) }

network net {
  input image: f32[B = 1, N = 8, 64], words: f32[B, M = 9, 64]
  output y = image -> a: for _i in 0..3 { layer_norm -> mixer(32) } -> head -> mean(axis=1)
  output z = words -> b: for _i in 0..5 { layer_norm -> mixer(48) } -> mean(axis=1)
}
"""


def test_frames_with_the_same_contents_are_expanded_equally(network):
    titles = shown_frames(network(TOWERS))
    assert [title for title in titles if "mixer" in title] == ["1: mixer(32)", "1: mixer(48)"]
    assert "mixer(7)" in texts_of(network(TOWERS), "auto")  # in a frame of another kind


@pytest.mark.parametrize(
    ("inside", "all_shown"), [("unit", True), ("unit -> sigmoid -> unit", False)]
)
def test_a_block_of_one_box_is_expanded_in_all_places_if_it_is_in_most(network, inside, all_shown):
    net = network(
        "block unit { conv(4, 3) -> relu }\n"
        f"block inner {{ residual({inside}) }}\n"
        "block outer { residual(unit -> inner) }\n"
        "network net {\n input x: f32[B = 1, 4, H = 8, W = 8]\n output y = x -> outer -> relu\n}\n"
    )
    cases = {2: (1, 0), 3: (0, 2) if all_shown else (2, 1), 4: (0, 2 if all_shown else 3)}
    for depth, (closed, shown) in cases.items():
        texts = texts_of(net, depth)
        assert sum(text == "unit" for text in texts) == closed
        assert sum("conv(4, 3)" in text for text in texts) == shown


def test_a_network_of_which_everything_is_shown(network):
    assert "depth" not in drawing(network(SHALLOW).compiled)
    assert drawing(network(SHALLOW).compiled) == drawing(network(SHALLOW).compiled, None)


def test_a_large_drawing_to_a_depth_expands_the_first_of_blocks_that_differ_only_in_numbers():
    """The depth is that of what is drawn; with all levels, everything is."""
    graph = simplified(load("swin_t").compiled, training=False).inference

    def blocks(depth):
        found = at_depth(graph, depth, BOX_BUDGET)
        opened = [g.path for g in found.flat.groups if g.graph and g.graph.name == "swin_block"]
        return found.note, opened

    assert blocks(3) == (FIRST_ONLY, ["features.1.0", "features.1.1"])
    assert blocks(2)[0] == ""
    assert len(blocks(2)[1]) == 8
    assert blocks(None) == ("", blocks(2)[1])


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


def test_sizes_are_simple_where_the_spec_promises_multiples(network):
    shapes = {re.sub(r".*\[B, \d+, ", "", text) for text in texts_of(load("unet"), None)}
    halves = {"H, W]", "H//2, W//2]", "H//4, W//4]", "H//8, W//8]", "H//16, W//16]"}
    assert {text for text in shapes if text.startswith("H")} == halves
    net = network(
        "network net {\n input x: f32[B = 1, 3, H = 32, W = 32] where H % 8 == 0\n"
        " output y = x -> a: conv(4, 3, stride=8) -> b: upsample(6) -> c: conv(5, 1)\n}\n"
    )
    texts = " ".join(texts_of(net))
    assert "a: conv(4, 3, stride=8)[B, 4, H//8, (W + 7)//8]" in texts
    assert "b: upsample(scale=6)[B, 4, 3*(H//4), 24]" in texts


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


ZEROS = """
network net {
  input x: f32[B = 1, 4, 6]
  output y = x -> roll([BY, 0], axes=[1, 2]) -> pad([[1, 0, 0], [2, BY, 0]]) -> permute(0, 1, 2)
    -> linear(4)
}
"""


@pytest.mark.parametrize(
    ("by", "drawn"), [(0, {"linear"}), (1, {"roll", "pad", "linear"})], ids=["nothing", "by 1"]
)
def test_an_op_that_changes_nothing_with_its_attributes_is_not_drawn(network, by, drawn):
    texts = texts_of(network(ZEROS.replace("BY", str(by))))
    words = {text.partition("(")[0] for text in texts if "f32" not in text}
    assert words & {"roll", "pad", "permute", "linear"} == drawn


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


def test_amounts_that_depend_on_sizes_are_not_shown_as_0(network):
    net = network(
        "network net {\n  input x: f32[B = 1, 3, H = 64, W = 80]\n"
        "  output y = x -> conv(4, 3)\n"
        "    -> pad([[2, 0, 7 * ((H + 6) // 7) - H], [3, 0, 5 * ((W + 4) // 5) - W]])\n"
        "    -> pad([[1, 0, (H + 3) // 4 + (H + 7) // 8 - 24]])\n}\n"
    )
    texts = " ".join(texts_of(net))
    assert "pad([[2, 0, -H % 7], [3, 0, -W % 5]])" in texts
    assert "pad([[1, 0, …]])" in texts
    assert "pad([[2, 0, 6], [3, 0, 0]])" in " ".join(texts_of(net, concrete=True))


def test_numbers_that_a_call_leaves_out_are_an_ellipsis(network):
    net = network(
        "block few(a: int, b: int, rate: float, act: layer) { conv(a, b) -> act }\n"
        "block many(a: int, b: int, c: int) { conv(a, b) -> conv(c, 1) }\n"
        "network net {\n  input x: f32[B = 1, 3, H = 64, W = 64]\n"
        "  output y = x -> few(4, 3, 0.1, relu) -> many(5, 3, 6)\n}\n"
    )
    texts = " ".join(texts_of(net))
    assert "few(a=4, b=3)" in texts
    assert "many(a=5, b=3, …)" in texts


def test_a_crowded_drawing_names_the_depth_of_the_largest_one_that_is_not():
    net = load("u2netp")
    boxes, smaller = readable(net.compiled, None)
    assert boxes == len(re.findall(r"n\d+ \[label=", drawing(net.compiled, None))) > CROWDED
    shown = simplified(net.compiled, training=False).inference
    counts = [box_count(at_depth(shown, at, BOX_BUDGET).flat) for at in range(1, 6)]
    assert counts[smaller - 1] == max(count for count in counts if count <= CROWDED)
    assert readable(net.compiled, smaller) is None
    assert readable(net.compiled, "auto") is None
    assert readable(load("resnet50").compiled, None) is None


def test_a_box_that_reads_one_of_several_pieces_of_a_repetition_names_it():
    text = drawing(load("dpt_large").compiled, 2)
    boxes = re.findall(r"(\d\w\w of 4): ?</font>(?:<font[^>]*>)?split", text)
    assert sorted(boxes) == ["1st of 4", "2nd of 4", "3rd of 4", "4th of 4"]
    closed = drawing(load("dpt_large").compiled, 1)
    assert not re.search(r"\d\w\w of 4", closed)
    assert [tap_text(Tap(at, 30)) for at in (10, 11, 12, 20, 21, 22)] == [
        "11th of 30",
        "12th of 30",
        "13th of 30",
        "21st of 30",
        "22nd of 30",
        "23rd of 30",
    ]
