"""Smooth lines through points: where arrows meet or branch, in a layout that is done."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

from archspec.diagram.titles import Layout

STRAIGHT = 0.6
"""The part of the last piece of a line for which it is about straight, at its end at a point."""


def smooth(layout: Layout) -> None:
    """Let lines enter points, and single lines leave them, in the direction of the data."""
    points = {
        item["_gvid"]: [float(number) for number in item["pos"].split(",")]
        for item in layout.get("objects", ())
        if item.get("shape") == "point"
    }
    edges = [edge for edge in layout.get("edges", ()) if edge.get("style") != "invis"]
    leaving = Counter(edge["tail"] for edge in edges)
    axis = 0 if layout.get("rankdir") == "LR" else 1
    for edge in edges:
        for curve in _curves(edge):
            if edge["head"] in points:
                _align(curve, -1, -2, -4, points[edge["head"]], axis)
            if edge["tail"] in points and leaving[edge["tail"]] == 1:
                _align(curve, 0, 1, 3, points[edge["tail"]], axis)


def _curves(edge: Mapping[str, Any]) -> list[list[list[float]]]:
    return [operation["points"] for operation in edge.get("_draw_", ()) if operation["op"] == "b"]


def _align(
    curve: list[list[float]], end: int, handle: int, other: int, point: list[float], axis: int
) -> None:
    """Let one end of a curve be at a point, and its handle straight before or behind it."""
    along = curve[other][axis] - point[axis]
    length = math.copysign(min(STRAIGHT * abs(along), math.dist(curve[other], point)), along)
    curve[end] = list(point)
    curve[handle] = [at + length * (place == axis) for place, at in enumerate(point)]
