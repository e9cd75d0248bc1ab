"""Drawings of dense connections, side outputs, references for a size, and unused layers."""

import re
from itertools import pairwise

import pytest

from archspec import load
from archspec.diagram.draw import drawing
from archspec.diagram.titles import moves
from tests.diagram.test_arrows import box_of, layout, shown
from tests.diagram.test_looks import network, program

__all__ = ["network", "program"]  # fixtures

UNUSED = """
block two(width: int) {
  input x: [B, C, H, W]
  output a = x -> a: conv(width, 3) -> relu
  output b = x -> b: conv(width, 1)
}

network net {
  input x: f32[B = 1, 3, H = 8, W = 8]
  y = x -> stem: conv(4, 3)
  _kept = y -> kept: conv(5, 3)
  a, _ = y -> two(6)
  output z = a
}
"""


def test_what_no_output_needs_is_pale(network):
    net = network(UNUSED)
    result = shown(net, 2)
    assert {box.lines[0].key for box in result.boxes if box.idle and box.lines} == {"kept", "b"}
    assert "no output needs it" in box_of(result, "kept: conv").tooltip
    assert "no output needs it" not in box_of(result, "stem: conv").tooltip
    idle = {box.id for box in result.boxes if box.idle}
    assert all(arrow.idle == (arrow.end in idle) for arrow in result.arrows)
    assert "pale: not used" in drawing(net.compiled, 2)
    assert "pale" not in drawing(load("resnet18").compiled, 2)


SIZES = """
block grown { input x, like: [B, C, H, W]
  output (x, like) -> resize_like }

block named { input x, like: [B, C, H, W]
  output x -> resize((H, W)) }

block nested { input x, like
  output (x, like) -> grown }

block read { input x, like
  output ((x, like) -> resize_like) + like }

network net {
  input x: f32[B = 1, 3, H = 8, W = 8], like: f32[B, 3, P = 16, Q = 16]
  output a = (x, like) -> resize_like
  output b = (x, like) -> grown
  output c = (x, like) -> nested
  output d = (x, like) -> named
  output e = (x, like) -> read
  output f = like -> ones_like
}
"""


def test_data_of_which_only_the_shape_is_used_are_dashed(network):
    text = SIZES.replace("{ input", "{\n  input")
    net = network(text)
    result = shown(net)
    like = box_of(result, "Q] like").id
    dashed = {arrow.end for arrow in result.arrows if arrow.shape_only}
    assert {arrow.start for arrow in result.arrows if arrow.shape_only} == {like}
    found = {name for name in ("grown", "nested", "named", "read", "ones_like", "resize_like")
             if box_of(result, name).id in dashed}  # fmt: skip
    assert found == {"grown", "nested", "named", "ones_like", "resize_like"}
    inner = shown(net, 3)
    assert sum(arrow.shape_only for arrow in inner.arrows) >= 4
    dot = drawing(net.compiled, 1)
    assert "only the shape is used" in dot
    assert len(re.findall(r"style=dashed", dot)) == len(dashed)


@pytest.mark.parametrize(
    ("output", "dashed"),
    [
        ("resized + like", 0),
        ("(resized, like) -> concat(axis=1)", 0),
        ("(resized + like) * (resized -> relu)", 1),  # another op reads it, too
        ("resized + (like -> relu)", 1),
    ],
)
def test_a_shape_is_clear_where_the_result_is_merged_with_the_same_data(network, output, dashed):
    net = network(
        "network net {\n  input x: f32[B = 1, 3, H = 8, W = 8], like: f32[B, 3, P = 16, Q = 16]\n"
        f"  resized = (x, like) -> resize_like\n  output y = {output}\n}}\n"
    )
    assert sum(arrow.shape_only for arrow in shown(net).arrows) == dashed


DENSE = """
network net {
  input x: f32[B = 1, 8, H = 8, W = 8]
  a = x -> a: conv(8, 3)
  b = a -> b: conv(8, 3)
  c = (a, b) -> concat -> c: conv(8, 3)
  d = c -> d: conv(8, 3)
  output y = (a, b, c, d) -> concat -> e: conv(8, 3)
}
"""


def middles(placed, names):
    return [
        float(item["pos"].split(",")[0])
        for name in names
        for item in placed["objects"]
        if "pos" in item and name in item["label"]
    ]


def test_dense_connections_are_drawn_along_one_straight_path(network, program):
    net = network(DENSE)
    assert not any(box.shape == "bar" for box in shown(net).boxes)
    placed = layout(net, 1, program)
    xs = middles(placed, [f">{name}: <" for name in "abcde"])
    assert len(xs) == 5
    assert max(xs) - min(xs) < 2


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("u2netp", [f"stage{at}:" for at in [1, 2, 3, 4, 5, 6, "5d", "4d", "3d", "2d"]]),
    ],
)
def test_side_outputs_leave_the_main_path_straight(name, words, program):
    xs = middles(layout(load(name), 1, program), words)
    assert len(xs) == len(words)
    assert all(abs(one - other) < 2 for one, other in pairwise(xs))


BIAS = """
block layer {
  input x: [B, N, D], bias: [1, N, D]
  output (x + bias) -> l: linear(D)
}

network net {
  input ids: i64[B = 1, N = 4]
  x = ids -> table: embedding(10, 8)
  far = arange(N, dtype=f32) -> unsqueeze(1) -> expand([N, 8])
  bias = far -> rearrange("n d -> d n") -> rearrange("d n -> n d") -> unsqueeze(0)
  output y = (x, bias) -> layer: layer
}
"""


def test_the_path_of_the_data_is_straight_though_that_of_constants_is_longer(network, program):
    one, other = middles(layout(network(BIAS), 2, program), [">table: <", ">l: <"])
    assert abs(one - other) < 2


DECODER = """
block stage {
  input x: [B, N, D], memory: [B, M, D]
  y = x -> first: linear(D) -> relu
  z = (y, memory) -> scaled_attention
  output z -> last: linear(D)
}

block scaled_attention { input x, memory
  output (x, memory, memory) -> scaled_dot_product_attention -> o: linear(8) }

network net {
  input source: f32[B = 1, M = 6, 8], target: f32[B, N = 4, 8]
  memory = source -> a: linear(8) -> relu -> b: linear(8) -> sigmoid -> c: linear(8)
  output y = (target, memory) -> stage
}
"""


def test_the_path_of_a_decoder_is_straight_though_that_of_its_encoder_is_longer(network, program):
    net = network(DECODER.replace("{ input", "{\n  input"))
    one, other = middles(layout(net, 2, program), [">first: <", ">last: <"])
    assert abs(one - other) < 2


@pytest.mark.parametrize("name", ["inception_v3", "googlenet"])
def test_columns_are_straight_above_the_cells_of_a_bar(name, program):
    placed = layout(load(name), 2, program)
    bars = {item["_gvid"] for item in placed["objects"] if 'port="o2"' in item.get("label", "")}
    ends = [edge for edge in placed["edges"] if edge["head"] in bars]
    bends = []
    for edge in ends:
        if edge.get("style") != "invis":
            (points,) = [one["points"] for one in edge["_draw_"] if one["op"] == "b"]
            bends.append(abs(points[0][0] - points[-1][0]))
    assert len(bends) >= 30
    assert sum(bend > 2 for bend in bends) <= 4


def test_texts_are_in_the_middle_of_their_boxes(network, program):
    placed = layout(network(DENSE), 1, program)
    (box,) = [item for item in placed["objects"] if ">b: <" in item.get("label", "")]
    (y,) = {one["pt"][1] for one in box["_ldraw_"] if one["op"] == "T"}
    assert abs(y + 0.36 * 11 - float(box["pos"].split(",")[1])) < 2  # half the height of capitals


def test_sources_are_in_the_order_in_which_they_are_read(network, program):
    net = network("""
block mixed { INPUT token: [B, 1, D], x: [B, N, D]
  output (token, x) -> concat(axis=1) -> l: linear(D) }

network net {
  input image: f32[B = 1, N = 9, 8]
  x = image -> table: linear(8)
    -> rearrange("b n d -> b d n") -> rearrange("b d n -> b n d")
  param token: f32[1, 1, 8] = zeros
  output y = (token -> expand(B), x) -> mixed
}
""".replace("{ INPUT", "{\n  input"))  # fmt: skip
    one, other = middles(layout(net, 1, program), ["expand", ">table: <"])
    assert one < other


def test_no_title_is_crossed_after_lines_are_smoothed(program):
    assert not moves(layout(load("attention56"), 1, program))
