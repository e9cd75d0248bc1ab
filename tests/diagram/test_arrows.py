"""Arrows that can be followed: where they enter and leave boxes, and how boxes are placed."""

import math
import re
from collections import Counter
from pathlib import Path

import networkx
import pytest

from archspec import load
from archspec.diagram import render as rendering
from archspec.diagram.draw import drawing
from archspec.diagram.drawing import drawing_of
from archspec.diagram.facts import Facts
from archspec.diagram.frames import LEAST
from archspec.diagram.ranks import levels, stretched
from archspec.diagram.titles import MARGIN, extent, moves, polyline
from archspec.diagram.wording import wording
from archspec.passes.expand import expand
from tests.diagram.test_looks import ATTENTION, network, program

__all__ = ["network", "program"]  # fixtures

T5 = Path(__file__).resolve().parents[1] / "tied/t5.arch"


def shown(net, depth=1, training=False):
    graph = net.compiled.training if training else net.compiled.inference
    flat = expand(graph, depth, fold=True)
    return drawing_of(flat, wording(flat, graph, inference=not training), Facts({}))


def box_of(result, text):
    (found,) = [
        box
        for box in result.boxes
        if text in " ".join([box.note, box.title, *(f"{x.key}: {x.text}" for x in box.lines)])
    ]
    return found


CROSS = """
network net {
  input x: f32[B = 1, N = 4, 8]
  input memory: f32[B, M = 6, 8]
  k = memory -> k: linear(8)
  v = memory -> v: linear(8)
  q = x -> q: linear(8)
  output y = (q, k, v) -> scaled_dot_product_attention -> o: linear(8)
}
"""


def test_tensors_enter_a_box_side_by_side_in_the_order_of_its_inputs(network):
    result = shown(network(CROSS))
    attention = box_of(result, "scaled_dot_product_attention")
    assert attention.heads == 3
    into = {arrow.start: arrow.into for arrow in result.arrows if arrow.end == attention.id}
    assert [into[box_of(result, f"{name}: linear").id] for name in "qkv"] == [0, 1, 2]


PARTS = """
network net {
  input x: f32[B = 1, 12]
  a, b, c = x -> l: linear(12) -> split([3, 4, 5], axis=1)
  output y = (c -> n: linear(2), b -> m: linear(2)) -> concat
  output z = a
}
"""


def test_tensors_leave_a_box_side_by_side_in_the_order_of_its_outputs(network):
    result = shown(network(PARTS))
    split = box_of(result, "split")
    out = {arrow.end: arrow.out for arrow in result.arrows if arrow.start == split.id}
    ends = [box_of(result, text).id for text in ("z", "m: linear", "n: linear")]
    assert out[ends[0]] < out[ends[1]] < out[ends[2]] < split.tails
    assert split.shapes == ("[B, 4]", "[B, 5]")  # the shape of the output is shown at its own box


def test_arrows_of_one_tensor_leave_at_one_point(network):
    result = shown(
        network("""
network net {
  input x: f32[B = 1, 8]
  h = x -> l: linear(8)
  output a = h
  output b = h -> m: linear(3)
  output c = h -> n: linear(4)
}
""")
    )
    box = box_of(result, "l: linear")
    assert box.tails == 0
    assert {arrow.out for arrow in result.arrows if arrow.start == box.id} == {None}


STRAIGHT = """
block layer(n: int) {
  input x: [B, N, D], y: [B, M, D]
  output (x -> a: linear(n) -> b: linear(D), y -> mean(axis=1, keepdim=true)) -> add
}

network net {
  input x: f32[B = 1, N = 4, 8]
  input memory: f32[B, M = 6, 8]
  h = (x -> one: linear(8), memory) -> first: layer(1)
  output y = (h -> two: linear(8), memory) -> second: layer(2)
}
"""


def test_single_arrow_stays_in_the_middle_of_a_box(network):
    result = shown(network(STRAIGHT))
    second = box_of(result, "second")
    into = {arrow.start: arrow.into for arrow in result.arrows if arrow.end == second.id}
    assert second.heads == 3  # one of them is unused
    assert into == {box_of(result, "two: linear").id: 1, box_of(result, "memory").id: 2}


@pytest.mark.parametrize(
    ("arrows", "apart", "outputs", "expected"),
    [
        # a branch to an output of its own is placed at its beginning
        ([(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (1, 6), (6, 7)], [], [5, 7], {6: 2, 7: 3}),
        # as is one that splits into two outputs
        ([(0, 1), (1, 2), (2, 3), (3, 4), (0, 5), (5, 6), (5, 7)], [], [4, 6, 7], {5: 1, 6: 2}),
        # a node that is read twice is placed directly above its readers
        ([(0, 1), (1, 2), (2, 3), (3, 4), (0, 5), (5, 3), (5, 4)], [], [], {5: 2}),
        # a node that reads two others, directly below them
        ([(0, 1), (1, 2), (2, 3), (3, 4), (0, 5), (0, 6), (5, 6), (6, 4)], [], [], {6: 2}),
        # and all others in the middle
        ([(0, 1), (1, 2), (2, 3), (3, 4), (0, 5), (5, 4)], [], [], {5: 2}),
        # pairs without an arrow
        ([(0, 1), (0, 2), (2, 3)], [(1, 2)], [], {1: 1, 2: 2}),
    ],
)
def test_levels(arrows, apart, outputs, expected):
    order = list(networkx.lexicographical_topological_sort(networkx.DiGraph([*arrows, *apart])))
    found = levels(order, arrows, apart, outputs)
    assert {box: found[box] for box in expected} == expected
    assert all(found[start] < found[end] for start, end in (*arrows, *apart))


def test_levels_with_extra_space_below_some():
    assert stretched({0: 0, 1: 1, 2: 1, 3: 2, 4: 3}, {1, 2}) == {0: 0, 1: 1, 2: 1, 3: 3, 4: 5}


def layout(net, depth, program, **options):
    dot = drawing(net.compiled, depth, **options)
    return rendering.place(rendering.Graphviz(program, 100), dot).layout


def extents(item):
    """Left, lower, right and upper edge of a box or frame."""
    if "bb" in item:
        return tuple(float(number) for number in item["bb"].split(","))
    x, y = (float(number) for number in item["pos"].split(","))
    width, height = float(item["width"]) * 72, float(item["height"]) * 72
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def titled(placed, text):
    (found,) = [o for o in placed["objects"] if "bb" in o and text in o.get("label", "")]
    return found


def test_frames_are_below_their_sources_and_above_their_readers(program):
    placed = layout(load("resnet50_fpn"), 2, program)
    body, pyramid = (extents(titled(placed, text)) for text in ("body: ", "fpn: "))
    assert pyramid[3] < body[1]
    outputs = [o for o in placed["objects"] if ">pyramid[" in o.get("label", "")]
    assert len(outputs) == 5
    assert all(extents(output)[3] < pyramid[1] for output in outputs)


def test_a_decoder_is_below_its_encoder(program):
    placed = layout(load(str(T5)), 2, program)
    encoder, decoder = (extents(titled(placed, text)) for text in ("encoder: ", "decoder: "))
    assert decoder[3] < encoder[1]


def test_an_auxiliary_classifier_is_next_to_the_next_layer():
    result = shown(load("googlenet"), training=True)
    (arrow,) = [a for a in result.arrows if a.end == box_of(result, "aux1").id]
    assert arrow.length == 1


def test_lines_leave_a_frame_at_its_bottom(program):
    placed = layout(load("resnet50_fpn"), 2, program)
    left, low, right, _ = extents(titled(placed, "fpn: "))
    places = {item["_gvid"]: item for item in placed["objects"]}
    for edge in placed["edges"]:
        to_output = ">pyramid[" in places[edge["head"]].get("label", "")
        if not to_output or edge.get("style") == "invis":
            continue
        points = [point for one in edge["_draw_"] if one["op"] == "b" for point in one["points"]]
        assert all(left < x < right for x, y in points if y > low + 1)


def test_lines_through_a_point_meet_there(program):
    placed = layout(load("dcgan_features"), 2, program)
    points = {o["_gvid"]: o for o in placed["objects"] if o.get("shape") == "point"}
    assert points
    for edge in placed["edges"]:
        for end, at in ((edge["tail"], 0), (edge["head"], -1)):
            if end in points and edge.get("style") != "invis":
                (line,) = [one["points"] for one in edge["_draw_"] if one["op"] == "b"]
                middle = [float(number) for number in points[end]["pos"].split(",")]
                radius = float(points[end]["width"]) * 36 + 0.25  # including half of its line width
                assert math.dist(line[at], middle) <= radius + 0.01


BARS = ["inception_v3", "deeplabv3_resnet50", "googlenet", "dcgan_features"]


@pytest.mark.parametrize("name", BARS)
def test_cells_of_a_bar_are_below_their_sources(name, program):
    placed = layout(load(name), 2, program)
    places = {item["_gvid"]: item for item in placed["objects"]}
    bars = {o["_gvid"] for o in placed["objects"] if 'port="o2"' in o.get("label", "")}
    assert bars
    for edge in placed["edges"]:
        if edge["head"] in bars and edge.get("style") != "invis":
            (points,) = [one["points"] for one in edge["_draw_"] if one["op"] == "b"]
            left, _, right, _ = extents(places[edge["tail"]])
            assert abs(points[0][0] - points[-1][0]) < right - left


WIDE = ["inception_v3", "swin_t", "resnet50_fpn", "googlenet", "halonet_h0", "hornet_tiny_7x7"]


@pytest.mark.parametrize("direction", ["TB", "LR"])
@pytest.mark.parametrize("name", WIDE)
def test_texts_stay_in_their_frames_and_boxes_do_not_overlap(name, direction, program):
    placed = layout(load(name), 2, program, direction=direction)
    items = placed["objects"]
    frames = {o["name"]: extents(o) for o in items if "bb" in o}
    names = {o["_gvid"]: o["name"] for o in items}
    for frame in (o for o in items if "bb" in o):
        outer = frames[frame["name"]]
        inner = [extents(items[at]) for at in frame.get("nodes", ()) if "pos" in items[at]]
        inner += [frames[names[at]] for at in frame.get("subgraphs", ())]
        for left, low, right, high in inner:
            assert outer[0] <= left + 0.5
            assert right <= outer[2] + 0.5
            assert outer[1] <= low + 0.5
            assert high <= outer[3] + 0.5
    boxes = sorted(extents(o) for o in items if "pos" in o)
    for at, one in enumerate(boxes):
        for other in boxes[at + 1 :]:
            if other[0] >= one[2]:
                break
            assert other[1] >= one[3] - 0.5 or one[1] >= other[3] - 0.5


TITLED = """
block a_block_with_quite_a_long_name(n: int) {
  input x: [B, D]
  output residual(linear(n) -> relu -> linear(D))
}

network net {
  input x: f32[B = 1, 8]
  output y = x -> l: linear(8) -> first: a_block_with_quite_a_long_name(4)
    -> second: a_block_with_quite_a_long_name(5)
}
"""


def test_frames_are_as_narrow_as_the_widest_content_of_their_column(network, program):
    text = TITLED.replace("output residual", "output x -> residual")
    placed = layout(network(text), 2, program)
    items = placed["objects"]
    pages = [float(number) for number in placed["bb"].split(",")]
    frames = [item for item in items if "bb" in item]
    assert len(frames) == 2
    room = []
    for frame in frames:
        left, _, right, high = extents(frame)
        inner = [extents(items[at]) for at in frame["nodes"]]
        title = extent(frame)
        spans = [(box[0], box[2]) for box in inner] + [(title[0], title[2])]
        spans += [
            (x, x)
            for edge in placed["edges"]
            for x, y in polyline(edge)
            if extents(frame)[1] < y < high
        ]
        first, last = min(span[0] for span in spans), max(span[1] for span in spans)
        room.append((first - left, right - last))
        assert pages[0] <= left
        assert right <= pages[2]
    assert all(min(side) < MARGIN + LEAST for side in zip(*room, strict=True))
    assert not moves(placed)


BRANCHING = ["resnet50_fpn", "siglip_base_patch16_224", "googlenet", "swin_t", T5]


@pytest.mark.parametrize("name", BRANCHING, ids=str)
def test_arrows_stay_in_their_frames_and_continue_through_points(name, program):
    placed = layout(load(str(name)), 2, program)
    items = placed["objects"]
    members = {}
    for item in reversed([item for item in items if "bb" in item]):
        inner = [members[at] for at in item.get("subgraphs", ())]
        members[item["_gvid"]] = set(item.get("nodes", ())).union(*inner)
    edges = [edge for edge in placed["edges"] if edge.get("style") != "invis"]
    for frame, boxes in members.items():
        left, low, right, high = extents(items[frame])
        for edge in edges:
            if {edge["tail"], edge["head"]} <= boxes:
                for x, y in polyline(edge):
                    assert left <= x <= right
                    assert low <= y <= high
    points = {item["_gvid"]: item for item in items if item.get("shape") == "point"}
    assert points
    for number, point in points.items():
        assert float(point["width"]) * 72 < 1  # not wider than a line
        x, y = (float(at) for at in point["pos"].split(","))
        for edge in edges:
            (line,) = [one["points"] for one in edge["_draw_"] if one["op"] == "b"]
            if edge["head"] == number:
                assert math.dist(line[-1], (x, y)) < 0.5
                assert abs(line[-2][0] - x) < 0.5  # from straight above
                assert line[-2][1] >= y
            if edge["tail"] == number:
                assert math.dist(line[0], (x, y)) < 1.5


@pytest.mark.parametrize("name", ["upernet", "resnet50_fpn"])
def test_boxes_are_directly_below_their_source_cells(name, program):
    placed = layout(load(name), 1, program)
    tails = [edge for edge in placed["edges"] if edge.get("tailport", "").startswith("o")]
    cells = Counter((edge["tail"], edge["tailport"]) for edge in tails)
    alone = [edge for edge in tails if cells[edge["tail"], edge["tailport"]] == 1]
    assert len(alone) >= 3
    for edge in alone:
        (line,) = [one["points"] for one in edge["_draw_"] if one["op"] == "b"]
        width = float(placed["objects"][edge["head"]]["width"]) * 72
        assert abs(line[0][0] - line[-1][0]) < width / 2


def test_middle_one_of_equal_paths_is_straight(network, program):
    placed = layout(network(THREE), 1, program)
    middles = {
        name: float(item["pos"].split(",")[0])
        for item in placed["objects"]
        if "pos" in item
        for name in ("split", "left", "centre", "right", "scaled_dot")
        if name in item["label"]
    }
    assert abs(middles["split"] - middles["centre"]) < 2
    assert abs(middles["scaled_dot"] - middles["centre"]) < 2
    assert middles["left"] < middles["centre"] < middles["right"]


THREE = """
network net {
  input x: f32[B = 1, N = 4, 8]
  s = x -> split: linear(8)
  output y = (s -> left: linear(8), s -> centre: linear(8), s -> right: linear(8))
    -> scaled_dot_product_attention
}
"""


ARMS = """
network net {
  input x: f32[B = 1, 8, H = 8, W = 8]
  s = x -> stem: conv(8, 1)
  arms = (s -> a: conv(8, 3) -> relu, s -> b: conv(8, 3) -> relu) -> concat
  skip = (arms, arms -> conv(8, 3)) -> concat
  output y = (skip -> c: conv(8, 1), skip -> d: conv(8, 1) -> relu -> conv(8, 3)) -> concat
}
"""


def test_two_branches_of_the_same_length_meet_at_a_bar(network):
    shapes = [box.shape for box in shown(network(ARMS)).boxes if box.lines[:1]]
    merging = [shape for shape in shapes if shape in ("bar", "merge")]
    assert merging == ["bar", "merge", "merge"]  # a path around others, and paths of other lengths


@pytest.mark.parametrize("name", ["deeplabv3_resnet50_aux", "inception_v3"])
def test_the_middle_branch_of_a_fan_is_straight(name, program):
    placed = layout(load(name), 2, program, training=True)
    places = {item["_gvid"]: item for item in placed["objects"]}
    edges = [edge for edge in placed["edges"] if edge.get("style") != "invis"]
    leaving, found = {}, 0
    for edge in edges:
        leaving.setdefault(edge["tail"], []).append(edge["head"])
    for start, ends in leaving.items():
        if len(ends) in (3, 5) and places[start].get("shape") == "point":
            xs = sorted(float(places[end]["pos"].split(",")[0]) for end in ends)
            x = float(places[start]["pos"].split(",")[0])
            assert abs(xs[len(xs) // 2] - x) < 2
            found += 1
    assert found


@pytest.mark.parametrize(
    ("name", "depth"), [("fasterrcnn_resnet50_fpn", 1), ("rpn_resnet50_fpn", 2)]
)
def test_two_outputs_of_a_head_are_in_order(name, depth, program):
    placed = layout(load(name), depth, program)
    xs = {}
    for item in placed["objects"]:
        found = re.search(r"<i>(.*?)</i>", item.get("label", ""))
        if found and "pos" in item:
            xs[found[1]] = float(item["pos"].split(",")[0])
    assert xs["proposals[0 .. 4][0]"] < xs["proposals[0 .. 4][1]"]


def test_an_output_is_next_to_its_source_though_another_path_is_as_long():
    """In a pyramid the map that is pooled for one more output does not move down for it."""
    longest = [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)]
    found = levels(range(9), [*longest, (1, 6), (6, 7), (7, 8)], [(4, 7)], outputs=[5, 8])
    assert found[6] == found[1] + 1
    assert found[7] == found[4] + 1


@pytest.mark.parametrize(
    ("name", "depth"), [(T5, 3), (T5, 2), ("siglip_base_patch16_224", 3), ("efficientnet_b0", 2)]
)
def test_no_title_is_crossed_and_the_page_is_as_wide_as_its_content(name, depth, program):
    placed = layout(load(str(name)), depth, program)
    assert not moves(placed)
    boxes = [extents(item) for item in placed["objects"]]
    lines = [point for edge in placed["edges"] for point in polyline(edge)]
    left, _, right, _ = (float(number) for number in placed["bb"].split(","))
    heading = extent(placed)
    lefts = [*(box[0] for box in boxes), *(x for x, _ in lines)]
    rights = [*(box[2] for box in boxes), *(x for x, _ in lines)]
    assert left == pytest.approx(min([heading[0], *lefts]), abs=1)
    assert right == pytest.approx(max([heading[2], *rights]), abs=1)
    assert heading[0] - left < MARGIN + LEAST


def test_no_label_is_next_to_an_arrow(network, program):
    placed = layout(network(ATTENTION), 2, program)
    assert not [edge for edge in placed["edges"] if "lp" in edge]
