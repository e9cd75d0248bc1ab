"""Frames below each other: as wide as each other, with their titles on one side.

Graphviz makes each frame as wide as its content, and titles are placed beside the arrows that enter
(`titles.py`). In a layout that is done, the frames of a column are widened where nothing is beside
them, and their titles begin at the same place if there is one without arrows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, TypeAlias

from archspec.diagram.frames import box_of, ends, move_sides
from archspec.diagram.titles import (
    CLEAR,
    MARGIN,
    TINY,
    Extent,
    Layout,
    Point,
    crossed,
    extent,
    move_title,
    polyline,
)

Item: TypeAlias = "dict[str, Any]"
Lines: TypeAlias = "Sequence[Sequence[Point]]"


def align(layout: Layout) -> set[str]:
    """Align the frames of each column in a layout; returns the names of those that changed."""
    items = layout.get("objects", ())
    lines = [list(polyline(edge)) for edge in layout.get("edges", ())]
    found: set[str] = set()
    for column in _columns(items):
        before = {frame["name"]: (frame["bb"], frame["lp"]) for frame in column}
        _widen(column, _obstacles(column, items), lines)
        _align_titles(column, lines)
        found |= {f["name"] for f in column if before[f["name"]] != (f["bb"], f["lp"])}
    return found


def _columns(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """Several frames in the same one that are below each other, without others beside them."""
    inner = {number for item in items for number in item.get("subgraphs", ())}
    outermost = [item for item in items if "bb" in item and item["_gvid"] not in inner]
    rows = [outermost, *([items[n] for n in item["subgraphs"]] for item in items if _holds(item))]
    for row in rows:
        frames = [item for item in row if extent(item) is not None]
        columns: list[list[Item]] = []
        for frame in sorted(frames, key=lambda item: -box_of(item)[3]):
            for column in columns:
                if all(_below(frame, other) for other in column):
                    column.append(frame)
                    break
            else:
                columns.append([frame])
        yield from (column for column in columns if len(column) > 1)


def _holds(item: Item) -> bool:
    return "bb" in item and bool(item.get("subgraphs"))


def _below(frame: Item, other: Item) -> bool:
    left, _, right, high = box_of(frame)
    first, low, last, _ = box_of(other)
    return high <= low + TINY and left < last and first < right


def _obstacles(column: Sequence[Item], items: Sequence[Item]) -> Sequence[Extent]:
    """The boxes outside of the frames of a column, and other frames that do not contain these."""
    names = {frame["name"] for frame in column}
    found = []
    for item in items:
        if "bb" in item and item["name"] not in names:
            found.append(box_of(item))
        elif "pos" in item:
            y = float(item["pos"].split(",")[1])
            half = float(item["height"]) * 36
            left, right = ends(item)
            found.append((left, y - half, right, y + half))
    around = [box_of(frame) for frame in column]
    return [one for one in found if not any(_within(frame, one) for frame in around)]


def _within(inner: Extent, outer: Extent) -> bool:
    return (
        outer[0] <= inner[0]
        and outer[1] <= inner[1]
        and inner[2] <= outer[2]
        and inner[3] <= outer[3]
    )


def _widen(
    column: Sequence[Item],
    obstacles: Sequence[Extent],
    lines: Lines,
) -> None:
    """Make the frames of a column equally wide, those that have something beside them excepted."""
    boxes = [box_of(frame) for frame in column]
    first, last = min(box[0] for box in boxes), max(box[2] for box in boxes)
    for frame, (left, low, right, high) in zip(column, boxes, strict=True):
        free = partial(_is_free, low=low, high=high, obstacles=obstacles, lines=lines)
        start = first if first < left - TINY and free(first, left - CLEAR - TINY) else left
        end = last if last > right + TINY and free(right + CLEAR + TINY, last) else right
        if (start, end) != (left, right):
            move_sides(frame, start - left, end - right)
            frame["bb"] = f"{start:g},{low:g},{end:g},{high:g}"


def _is_free(
    left: float,
    right: float,
    low: float,
    high: float,
    obstacles: Sequence[Extent],
    lines: Lines,
) -> bool:
    """Whether no box is in a rectangle, and no line in it or close to its sides."""
    points = ((x, y) for line in lines for x, y in line)
    return not any(
        left - CLEAR < x < right + CLEAR and low < y < high for x, y in points
    ) and not any(
        one[0] < right and left < one[2] and one[1] < high and low < one[3] for one in obstacles
    )


def _align_titles(column: Sequence[Item], lines: Lines) -> None:
    """Begin all titles of a column at the left side, or else at the place of one of them."""
    titles = [(frame, place) for frame in column if (place := extent(frame)) is not None]
    left = max(box_of(frame)[0] for frame in column) + MARGIN
    for start in (left, *sorted({place[0] for _, place in titles})):
        if all(_fits(frame, start, start + place[2] - place[0], lines) for frame, place in titles):
            for frame, place in titles:
                if abs(start - place[0]) > TINY:
                    move_title(frame, start - place[0])
            return


def _fits(frame: Item, start: float, end: float, lines: Lines) -> bool:
    """Whether the title of a frame may be moved: it is inside, and no arrow crosses it."""
    title, box = extent(frame), box_of(frame)
    assert title is not None
    if start < box[0] + MARGIN - TINY or end > box[2] - MARGIN + TINY:
        return False
    spans = crossed(lines, title)
    return not any(one < end + CLEAR - TINY and start - CLEAR + TINY < two for one, two in spans)
