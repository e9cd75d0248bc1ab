"""Frames as wide as their content.

A frame that is laid out wider so that its title has a place next to the arrows may have room to
spare on both sides, and so may the frames around it. In a layout that is done their sides move in.
An arrow between boxes of a frame that bends out of it is bent back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from archspec.diagram.titles import (
    MARGIN,
    Layout,
    closest,
    crossed,
    extent,
    move_title,
    polyline,
)

LEAST = 6.0
"""Points by which a side moves, or not at all."""
BEND = 3.0
"""Distance between the sides of a frame and the arrows inside."""


def tighten(layout: Layout) -> Mapping[str, str]:
    """Move the sides of frames in a layout; returns the new boxes of those that have moved."""
    items = layout.get("objects", ())
    frames = [item for item in items if "bb" in item]
    lines = [list(polyline(edge)) for edge in layout.get("edges", ())]
    found: dict[str, str] = {}
    # Frames are listed outermost first.
    for frame in reversed(frames):
        left, low, right, high = box_of(frame)
        spans = [*_inner(frame, items)]
        spans += [(x, x) for line in lines for x, y in line if low < y < high and left < x < right]
        title = extent(frame)
        if not spans or title is None:
            continue
        places = [at for span in spans for at in span]
        first, last = max(left, min(places) - MARGIN), min(right, max(places) + MARGIN)
        width, sides = title[2] - title[0], (left + MARGIN, right - MARGIN)
        place = closest(crossed(lines, title), width, sides, (first + MARGIN, last - MARGIN))
        place = title[0] if place is None else place
        first, last = min(first, place - MARGIN), max(last, place + width + MARGIN)
        first = first if first - left >= LEAST else left
        last = last if right - last >= LEAST else right
        if (first, last) != (left, right):
            move_title(frame, place - title[0])
            move_sides(frame, first - left, last - right)
            found[frame["name"]] = frame["bb"] = f"{first:g},{low:g},{last:g},{high:g}"
    _fit(layout, frames, lines)
    return found


def keep_inside(layout: Layout) -> None:
    """Bend arrows between boxes of a frame so that they are in it; boxes are further inside."""
    items = layout.get("objects", ())
    members = _members(items)
    for frame in (item for item in items if "bb" in item):
        left, low, right, high = box_of(frame)
        for edge in layout.get("edges", ()):
            if {edge["tail"], edge["head"]} <= members[frame["_gvid"]]:
                for operation in edge.get("_draw_", ()):
                    operation["points"] = [
                        [
                            min(max(x, left + BEND), right - BEND),
                            min(max(y, low + BEND), high - BEND),
                        ]
                        for x, y in operation.get("points", ())
                    ]


def _fit(layout: Layout, frames: Sequence[Mapping[str, Any]], lines: Sequence[Any]) -> None:
    """Make the page as wide as its content, with the heading at its left side."""
    left, low, right, high = box_of(layout)
    spans = [(box[0], box[2]) for box in map(box_of, frames)]
    spans += [ends(item) for item in layout.get("objects", ()) if "pos" in item]
    spans += [(x, x) for line in lines for x, _ in line]
    heading = extent(layout)
    if spans:
        first, last = min(span[0] for span in spans), max(span[1] for span in spans)
        if heading is not None:
            start = max(left, min(first, right - MARGIN - heading[2] + heading[0]))
            move_title(layout, start - heading[0])
            last = max(last, start + heading[2] - heading[0])
            first = min(first, start)
        layout["bb"] = f"{max(left, first):g},{low:g},{min(right, last):g},{high:g}"


def _members(items: Sequence[Mapping[str, Any]]) -> Mapping[int, set[int]]:
    """The boxes in each frame and in the frames in it."""
    found: dict[int, set[int]] = {}
    for item in reversed(items):
        if "bb" in item:
            inner = [found[number] for number in item.get("subgraphs", ())]
            found[item["_gvid"]] = set(item.get("nodes", ())).union(*inner)
    return found


def box_of(frame: Mapping[str, Any]) -> tuple[float, float, float, float]:
    """The left, lower, right and upper edge of a frame."""
    left, low, right, high = (float(number) for number in frame["bb"].split(","))
    return left, low, right, high


def _inner(frame: Mapping[str, Any], items: list[dict[str, Any]]) -> Iterator[tuple[float, float]]:
    """The left and right ends of the boxes and frames in a frame."""
    for number in frame.get("subgraphs", ()):
        box = box_of(items[number])
        yield box[0], box[2]
    yield from (ends(items[number]) for number in frame.get("nodes", ()))


def ends(item: Mapping[str, Any]) -> tuple[float, float]:
    """The left and right end of a box."""
    x, half = float(item["pos"].split(",")[0]), float(item["width"]) * 36
    return x - half, x + half


def move_sides(frame: Mapping[str, Any], left: float, right: float) -> None:
    """Move what is drawn of the left half of a frame, and of the right half."""
    start, _, end, _ = box_of(frame)
    middle = (start + end) / 2
    for operation in frame.get("_draw_", ()):
        if "points" in operation:
            operation["points"] = [
                [x + (left if x < middle else right), y, *rest]
                for x, y, *rest in operation["points"]
            ]
