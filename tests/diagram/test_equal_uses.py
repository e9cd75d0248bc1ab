"""Drawings of a shared layer that is used several times."""

import re
from collections import Counter

import pytest

from archspec import load
from archspec.diagram.draw import drawing
from archspec.diagram.equal_uses import number_range
from tests.diagram.test_arrows import box_of, shown
from tests.diagram.test_looks import network, program, texts_of

__all__ = ["network", "program"]  # fixtures

HEADS = """
block head(anchors: int) {
  input x
  seen = x -> look: conv(same, 3) -> relu
  output seen -> [scores: conv(anchors, 1), boxes: conv(4 * anchors, 1)]
}

network net {
  input a: f32[B = 1, 8, H = 16, W = 16], b: f32[B, 8, H // 2, W // 2], c: f32[B, 8, H // 4, W // 4]
  shared head = head: head(3)
  output found = (x -> head for x in (a, b, c))
}
"""


def test_the_uses_of_a_shared_head_are_one_box_with_what_each_reads(network):
    net = network(HEADS)
    result = shown(net)
    box = box_of(result, "head(3)")
    assert box.uses == 3
    assert sorted(arrow.start for arrow in result.arrows if arrow.end == box.id) == [0, 1, 2]
    assert {arrow.into for arrow in result.arrows if arrow.end == box.id} == {None}
    ends = [box for box in result.boxes if box.shape == "end"]
    assert [box.title for box in ends[3:]] == ["found[0 .. 2][0]", "found[0 .. 2][1]"]
    assert [box.note for box in ends[3:]] == ["f32[B, 3, …, …]", "f32[B, 12, …, …]"]
    assert "head(3) × 3 shared" in texts_of(net)


def test_the_uses_of_a_shared_head_are_one_frame(network):
    net = network(HEADS)
    result = shown(net, 2)
    (frame,) = result.frames
    assert frame.uses == 3
    look = box_of(result, "look: conv")
    assert sorted(arrow.start for arrow in result.arrows if arrow.end == look.id) == [0, 1, 2]
    assert len([box for box in result.boxes if box.lines]) == 3
    (found,) = re.findall(
        r"label=<<table.*>(head.*?)</td></tr></table>> labeljust.* style=\"(.*?)\"",
        drawing(net.compiled, 2),
    )
    assert found == ("head(3) <b>× 3 shared</b>", "rounded,filled,dashed,bold")


@pytest.mark.parametrize(
    "end",
    [
        "output found = ((a -> head) -> relu, b -> head, c -> head)",  # read by another op
        "output found = (a, b) -> two\n  output other = c -> head",  # in another block
        "output found = (a -> head, b -> relu -> relu)",  # used once
    ],
)
def test_other_uses_are_drawn_one_by_one(network, end):
    text = """
block two { input x, y
  shared head = head: conv(4, 1)
  output (x -> head) + (y -> head) }

network net {
  input a: f32[B = 1, 8, H = 16, W = 16], b: f32[B, 8, H, W], c: f32[B, 8, H, W]
  shared head = head: conv(4, 1)
  END
}
"""
    text = text.replace("{ input", "{\n  input").replace("END", end)
    for depth in (1, 2):
        boxes = shown(network(text), depth).boxes
        assert not any(box.uses > 1 for box in boxes)
        heads = [box for box in boxes if box.lines and box.lines[0].key.endswith("head")]
        counts = Counter(box.frame for box in heads)
        assert all(box.shared == (counts[box.frame] > 1) for box in heads)
        assert not any(box.shared for box in boxes if box not in heads)


def test_an_op_that_is_used_several_times_is_one_box(network):
    text = """
network net {
  input a: f32[B = 1, 8], b: f32[B, 8], c: f32[B, 8]
  shared head = head: linear(4)
  output one = a -> head
  output two = b -> relu -> head
  output all = c -> head
}
"""
    result = shown(network(text))
    box = box_of(result, "head: linear")
    assert box.uses == 3
    assert "× 3 shared" in texts_of(network(text))[-2]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("p[0][1]", "p[1][1]", "p[4][1]"), "p[0 .. 4][1]"),
        (("scores_3", "scores_5"), "scores_3 .. 5"),
        (("small", "large"), "small .. large"),
        (("p[0][0]", "p[1][1]"), "p[0][0] .. p[1][1]"),
    ],
)
def test_the_name_of_the_outputs_of_all_uses(names, expected):
    assert number_range(names) == expected


def test_a_detector_fits_on_a_page(program):
    texts = texts_of(load("fasterrcnn_resnet50_fpn"))
    assert "rpn.head: region_proposals(3) × 5 shared" in texts
    assert len(texts) < 14


def test_pieces_of_one_block_are_named_by_their_numbers(network):
    text = """
network net {
  input x: f32[B = 1, 8, H = 8, W = 8]
  output y = x
    -> branch_2: conv(8, 3) -> max_pool(3, stride=1, padding=1)
    -> branch_3: conv(8, 3) -> max_pool(3, stride=1, padding=1)
    -> sigmoid
    -> conv1: conv(8, 5) -> bn1: batch_norm -> max_pool(3, stride=1, padding=1)
    -> conv2: conv(8, 5) -> bn2: batch_norm -> max_pool(3, stride=1, padding=1)
}
"""
    assert [frame.title for frame in shown(network(text)).frames] == ["branch_2 .. 3", "conv1 .. 2"]
