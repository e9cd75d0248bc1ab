"""Repetitions whose pieces differ in numbers, and those whose outputs are collected."""

import pytest

from archspec import load
from archspec.diagram.draw import drawing
from archspec.passes.expand import expand
from tests.diagram.test_looks import groups, network, svg_of, texts_of, title, words

__all__ = ["network"]  # a fixture

DENSE = """
block dense(growth: int) {
  norm: batch_norm -> relu -> conv: conv(growth, 3, bias=false)
}

network net(layers: int = 5) {
  input image: f32[B = 1, 16, H = 8, W = 8]
  output y = image
    -> for i in 0..layers { [identity, "layer{i}": dense(12)] -> concat }
    -> fuse: conv(16, 1)
}
"""

COLLECTED = """
block part { conv: conv(8, 3) -> relu }

network net {
  input image: f32[B = 1, 8, H = 8, W = 8]
  _, ...parts = image
    -> for i in 0..5 {
      input ...previous
      output (...previous, previous[-1] -> "part{i}": part)
    }
  output y = parts -> concat -> fuse: conv(8, 1)
  output all = parts
}
"""


def frames(net, depth=1, **options):
    return [words(frame) for frame in groups(svg_of(net, depth, **options), "frame")]


@pytest.mark.parametrize("depth", [1, 2])
def test_a_dense_block_is_one_frame_with_the_range_of_its_channels(network, depth):
    net = network(DENSE)
    assert frames(net, depth) == ["layer0 .. 4 × 5   16 -> 76, +12 each"]
    texts = " ".join(texts_of(net, depth))
    assert "concat[B, 28 .. 76, H, W]" in texts
    assert "dense(12)" in texts
    assert "fuse: conv(16, 1)" in texts


def test_a_shortcut_inside_the_frame_shows_the_dense_connection(network):
    flat = expand(network(DENSE).compiled.inference, 1, fold=True)
    layer, concat = (item for item in flat.nodes if item.group is not None)
    assert concat.inputs == (layer.inputs[0], (layer.index, 0))
    assert [str(kind) for kind in (*concat.first_types, *concat.types)] == [
        "f32[B, 28, H, W]",
        "f32[B, 76, H, W]",
    ]


def test_tooltips_have_the_costs_of_the_first_and_the_last_piece(network):
    (box,) = [one for one in groups(svg_of(network(DENSE)), "box") if "dense(12)" in words(one)]
    # weight and bias of the norm, then the kernels, of 16 and of 64 channels
    first, last = 2 * 16 + 9 * 16 * 12, 2 * 64 + 9 * 64 * 12
    assert f"{first:,} .. {last:,} parameters" in title(box)


def test_the_dense_blocks_of_densenet_are_a_frame_each():
    net = load("densenet121")
    inner = [text for text in frames(net, 2) if "×" in text]
    assert {text.partition("× ")[2] for text in inner} == {
        "6   64 -> 256, +32 each",
        "12   128 -> 512, +32 each",
        "24   256 -> 1024, +32 each",
        "16   512 -> 1024, +32 each",
    }


@pytest.mark.parametrize(
    ("layers", "folded"),
    [
        ("conv(8 + 4 * i, 3)", "conv(8 .. 24, 3) × 54 -> 24, +4 each"),
        ("conv(4, 3) -> dropout(0.1 + 0.1 * i)", "conv(4, 3)dropout(p=0.1 .. 0.5)"),
        ("conv(4, 2 * i + 1)", "conv(4, 1 .. 9) × 5"),
    ],
)
def test_attributes_that_grow_are_ranges(network, layers, folded):
    net = network(
        "network net {\n input x: f32[B = 1, 4, H = 8, W = 8]\n"
        f" output y = x -> start: conv(4, 1) -> for i in 0..5 {{ {layers} }}\n}}"
    )
    assert any(folded in text for text in texts_of(net, training=True))


@pytest.mark.parametrize(
    "widths", ["[8, 16, 32, 64]", "[8, 12]", "[8, 12, 20, 24]", "[4, 8, 4, 8]"]
)
def test_numbers_that_do_not_grow_regularly_are_not_folded(network, widths):
    net = network(
        "network net {\n input x: f32[B = 1, 4, H = 8, W = 8]\n"
        f" output y = x -> for w in {widths} {{ conv(w, 3) -> relu }}\n}}"
    )
    assert not any(".." in text or "×" in text for text in (*texts_of(net), *frames(net)))


def test_outputs_of_all_pieces_that_are_read_together_are_one_arrow(network):
    net = network(COLLECTED)
    assert "part0 .. 4: part × 5" in texts_of(net)
    assert "all[0 .. 4]f32[B, 8, H, W]" in texts_of(net)
    (concat,) = [
        item for item in expand(net.compiled.inference, 1, fold=True).nodes if item.name == "concat"
    ]
    assert (len(concat.inputs), concat.times) == (1, (5,))
    assert "f32[B, 8, H, W] × 5" in drawing(net.compiled, 1)
    arrows = groups(svg_of(net), "arrow")
    assert [words(arrow) for arrow in arrows if words(arrow)] == ["all 5", "all 5"]


def test_a_call_that_reads_the_outputs_of_all_pieces_shows_their_number(network):
    block = "block neck { input ...maps\n output maps -> concat -> conv(8, 1) }\n"
    text = COLLECTED.replace("concat -> fuse: conv(8, 1)", "neck").replace("output all = parts", "")
    arrows = groups(svg_of(network(block + text)), "arrow")
    assert [words(arrow) for arrow in arrows if words(arrow)] == ["all 5"]


def test_the_blocks_of_a_residual_dense_network_are_one():
    assert any("rdbs.0 .. 15: dense_block" in text for text in texts_of(load("rdn_x2"), 1))


def test_parallel_branches_are_not_a_sequence(network):
    branches = ", ".join(["conv(8, 3) -> relu"] * 5)
    net = network(
        "network net {\n input x: f32[B = 1, 8, H = 8, W = 8]\n"
        f" output y = x -> [{branches}] -> concat -> conv(8, 1)\n}}\n"
    )
    assert len([text for text in texts_of(net) if "conv(8, 3)relu" in text]) == 5


def test_outputs_that_are_read_one_by_one_are_not_collected(network):
    text = COLLECTED.replace("output all = parts", "output third = parts[2]")
    assert not any("× 5" in text for text in texts_of(network(text)))
