"""Moves the titles of frames to places without arrows.

Graphviz places the title of a frame at its left end, even if an arrow passes there. In the finished
layout it is moved along the upper edge to the next gap between arrows; if there is none, the frame
has to be laid out again, wider.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, TypeAlias

from archspec.frozen import frozen

Point: TypeAlias = "tuple[float, float]"
Extent: TypeAlias = "tuple[float, float, float, float]"
"""Left, lower, right and upper edge."""
Layout: TypeAlias = "dict[str, Any]"

MARGIN = 8.0
"""Distance between the edge of a frame and its title, in points."""
CLEAR = 8.0
"""Distance between a title and an arrow."""
TINY = 0.01
"""Tolerance for rounding."""
STEPS = 16
"""Number of line segments for a curve."""


@frozen
class Moved:
    """How far a title is moved to the right; None if no gap is wide enough.

    `needed` is the width of the frame for a gap right of all arrows at their present positions,
    `enough` the width for a gap at any positions.
    """

    shift: float | None
    needed: float
    enough: float


def moves(layout: Layout) -> Mapping[str, Moved]:
    """For each frame whose title an arrow crosses, by name, how the title is moved."""
    lines = [list(polyline(edge)) for edge in layout.get("edges", ())]
    found: dict[str, Moved] = {}
    for frame in layout.get("objects", ()):
        title = extent(frame) if "bb" in frame else None
        if title is None:
            continue
        left, _, right, _ = title
        taken = crossed(lines, title)
        frame_left, _, frame_right, _ = (float(number) for number in frame["bb"].split(","))
        inside = [span for span in taken if span[0] < frame_right and frame_left < span[1]]
        if not any(_overlap(span, left, right) for span in inside):
            continue
        place = gap(inside, right - left, frame_left + MARGIN, frame_right - MARGIN)
        shift = None if place is None else place - left
        needed = max(end for _, end in inside) - frame_left + CLEAR + right - left + MARGIN
        enough = (len(inside) + 1) * (right - left + 2 * CLEAR) + 2 * MARGIN
        found[frame["name"]] = Moved(shift, needed, enough)
    return found


def shift_titles(layout: Layout, found: Mapping[str, Moved]) -> None:
    """Move the titles in a layout."""
    for frame in layout.get("objects", ()):
        moved = found.get(frame["name"])
        if moved is not None and moved.shift is not None:
            move_title(frame, moved.shift)


def wider_label(frame: Mapping[str, Any], width: float) -> str:
    """The attribute that makes a frame this wide, with its title at the left end."""
    cell = f'<tr><td width="{round(width)}" align="left">{frame["label"]}</td></tr>'
    return f'label=<<table border="0" cellspacing="0" cellpadding="0">{cell}</table>>'


def with_attributes(dot: str, layout: Layout, attributes: Mapping[str, str]) -> str:
    """The source of a graph with other attributes of some frames, nested in their parents."""
    items = layout.get("objects", ())
    parents = {inner: item["name"] for item in items for inner in item.get("subgraphs", ())}
    around = {item["name"]: parents.get(item["_gvid"]) for item in items if "bb" in item}
    lines: list[str] = []
    for name, text in attributes.items():
        line = f"graph [{text}]"
        at: str | None = name
        while at is not None:
            line, at = f"subgraph {at} {{ {line} }}", around[at]
        lines.append(f"{line}\n")
    return f"{dot.rstrip().removesuffix('}')}{''.join(lines)}}}\n"


def crossed(lines: Sequence[Sequence[Point]], title: Extent) -> list[Point]:
    """The horizontal extents of lines at the height of a title."""
    _, low, _, high = title
    return [span for line in lines if (span := _between(line, low - 1, high + 1))]


def move_title(frame: dict[str, Any], shift: float) -> None:
    """Move a title to the right."""
    x, y = frame["lp"].split(",")
    frame["lp"] = f"{float(x) + shift:g},{y}"
    for operation in _texts(frame):
        operation["pt"] = [operation["pt"][0] + shift, operation["pt"][1]]


def gap(taken: Sequence[Point], width: float, left: float, right: float) -> float | None:
    """The leftmost position for an object of a given width between `left` and `right`."""
    place = left
    for start, end in sorted(taken):
        if start - CLEAR >= place + width:
            break
        place = max(place, end + CLEAR)
    return place if place + width <= right else None


def closest(taken: Sequence[Point], width: float, sides: Point, inner: Point) -> float | None:
    """The position between `sides` for an object, as much as possible between the ends of `inner`.

    Of several the leftmost.
    """
    places = [sides[0], inner[0], *(end + CLEAR for _, end in taken)]
    places += [start - CLEAR - width for start, _ in taken]
    free = (
        place
        for place in sorted(places)
        if sides[0] <= place <= sides[1] - width + TINY
        and not any(_overlap(span, place, place + width) for span in taken)
    )
    return min(
        free,
        key=lambda at: round(max(0.0, inner[0] - at) + max(0.0, at + width - inner[1])),
        default=None,
    )


def _overlap(span: Point, left: float, right: float) -> bool:
    return span[0] - CLEAR < right - TINY and left + TINY < span[1] + CLEAR


def _texts(item: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [operation for operation in item.get("_ldraw_", ()) if operation["op"] == "T"]


def extent(item: Mapping[str, Any]) -> Extent | None:
    """Left, lower, right and upper edge of the text of a frame; None if there is none."""
    size, found = 11.0, []
    for operation in item.get("_ldraw_", ()):
        if operation["op"] == "F":
            size = float(operation["size"])
        elif operation["op"] == "T" and operation["text"].strip():
            x, y = operation["pt"]
            x -= {"c": 0.5, "r": 1.0}.get(operation["align"], 0.0) * operation["width"]
            found.append((x, y - 0.25 * size, x + operation["width"], y + 0.8 * size))
    if not found:
        return None
    lefts, lows, rights, highs = zip(*found, strict=True)
    return min(lefts), min(lows), max(rights), max(highs)


def polyline(edge: Mapping[str, Any]) -> Iterator[Point]:
    """Points along an arrow."""
    for operation in edge.get("_draw_", ()):
        if operation["op"] not in ("b", "B"):
            continue
        points = operation["points"]
        for at in range(0, len(points) - 3, 3):
            for step in range(STEPS + 1):
                yield _bezier(points[at : at + 4], step / STEPS)


def _bezier(points: Sequence[Sequence[float]], t: float) -> Point:
    weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
    x, y = (sum(w * p[axis] for w, p in zip(weights, points, strict=True)) for axis in (0, 1))
    return x, y


def _between(line: Sequence[Point], low: float, high: float) -> Point | None:
    """The horizontal extent of the part of a line between two heights."""
    found = [
        x
        for one, other in pairwise(line)
        if min(one[1], other[1]) <= high and low <= max(one[1], other[1])
        for x in (one[0], other[0])
    ]
    return (min(found), max(found)) if found else None
