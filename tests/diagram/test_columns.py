"""Frames below each other: equally wide, with their titles on one side."""

import pytest

from archspec import load
from archspec.diagram import render as rendering
from archspec.diagram.columns import align
from archspec.diagram.draw import drawing
from archspec.diagram.titles import extent, moves
from tests.diagram.test_looks import program

__all__ = ["program"]  # a fixture


def test_frames_below_each_other_are_equally_wide_with_titles_on_one_side(program):
    placed = rendering.place(
        rendering.Graphviz(program, 60), drawing(load("resnet50").compiled, 2)
    ).layout
    frames = [item for item in placed["objects"] if "bb" in item]
    assert len(frames) == 8
    sides = [tuple(map(float, frame["bb"].split(",")[::2])) for frame in frames]
    assert all(max(side) - min(side) < 0.1 for side in zip(*sides, strict=True))
    starts = [extent(frame)[0] for frame in frames]
    assert max(starts) - min(starts) < 0.1
    assert not moves(placed)


def test_a_frame_is_not_widened_over_what_is_beside_it(program):
    placed = rendering.place(
        rendering.Graphviz(program, 60), drawing(load("linknet").compiled, 3)
    ).layout
    frames = [item for item in placed["objects"] if "bb" in item]
    members = {frame["name"]: set(frame.get("nodes", ())) for frame in frames}
    for frame in frames:
        left, low, right, high = map(float, frame["bb"].split(","))
        for box in placed["objects"]:
            if "pos" in box and box["_gvid"] not in members[frame["name"]]:
                x, y = map(float, box["pos"].split(","))
                assert not (left < x < right and low < y < high)


@pytest.mark.parametrize("depth", ["auto", 1, 2, 3, 4])
def test_the_tensors_of_an_output_are_side_by_side_in_their_order(depth, program):
    dot = drawing(load("resnet50_fpn").compiled, depth)
    placed = rendering.place(rendering.Graphviz(program, 60), dot).layout
    boxes = [item for item in placed["objects"] if "pyramid[" in item.get("label", "")]
    boxes.sort(key=lambda item: item["label"].partition("pyramid[")[2])
    places = [tuple(map(float, item["pos"].split(","))) for item in boxes]
    assert len(places) == 5
    assert places == sorted(places)
    assert len({y for _, y in places}) == 1


def test_columns_are_aligned_also_where_an_arrow_passes_beside_them():
    def frame(number, left, right, low):
        text = {"op": "T", "pt": [left + 8, low + 30], "align": "l", "width": 20, "text": "t"}
        return {
            "_gvid": number,
            "name": f"cluster_{number}",
            "bb": f"{left},{low},{right},{low + 40}",
            "lp": f"{left + 18},{low + 30}",
            "nodes": [],
            "_draw_": [{"op": "p", "points": [[left, low], [right, low]]}],
            "_ldraw_": [{"op": "F", "size": 11}, text],
        }

    def frames():
        return [frame(0, 10, 200, 100), frame(1, 50, 150, 50), frame(2, 0, 160, 0)]

    free = {"objects": frames()}
    assert align(free) == {"cluster_0", "cluster_1", "cluster_2"}
    assert [item["bb"] for item in free["objects"]] == [
        "0,100,200,140",
        "0,50,200,90",
        "0,0,200,40",
    ]
    assert [extent(item)[0] for item in free["objects"]] == [8, 8, 8]
    line = [[180, 120], [180, 100], [180, 30], [180, 0]]
    passed = {"objects": frames(), "edges": [{"_draw_": [{"op": "b", "points": line}]}]}
    align(passed)
    assert [item["bb"] for item in passed["objects"]] == [
        "0,100,200,140",
        "0,50,150,90",
        "0,0,160,40",
    ]
