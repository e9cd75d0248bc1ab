"""Boxes, frames and arrows as DOT source. The same drawing has the same text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import cast

import graphviz  # type: ignore[import-untyped]  # the package has no types

from archspec.diagram.arrows import Arrow
from archspec.diagram.boxes import (
    GAP,
    NARROWEST,
    Direction,
    cell_widths,
    foot_widths,
    label,
    width_of,
)
from archspec.diagram.drawing import Box, Drawing, Frame
from archspec.diagram.straight import MAIN
from archspec.diagram.style import FONT, FRAMES, INK, LEGEND, LINE, PALE_LINE, SOFT, fill_of
from archspec.diagram.text import Run, TextCell, Words, column, several, small, times
from archspec.frozen import frozen

PEN = 0.9
"""Width of arrows, in points."""

PLUMB = "1000"
"""Weight of a line that keeps boxes below each other.

It is above 128, the weight with which Graphviz keeps frames narrow. That of arrows is 4.
"""


POINT = {"color": LINE, "penwidth": "0", "width": f"{PEN / 72:.4f}"}
"""A point where arrows meet or branch: as large as they are wide, so that it is not seen."""


COUNTED = {
    "labelfontsize": "8",
    "labelfontcolor": SOFT,
    "labelfontname": FONT,
    "labelangle": "-45",
    "labeldistance": "0.9",
}
"""The number of tensors beside the beginning of an arrow, of pieces beside its end."""


@frozen
class _Sides:
    """The direction of the data: compass points where arrows leave and enter."""

    rankdir: Direction
    out: str
    into: str


_SIDES: Mapping[Direction, _Sides] = {"TB": _Sides("TB", "s", "n"), "LR": _Sides("LR", "e", "w")}


def dot_text(
    drawing: Drawing, name: str, subtitle: Sequence[str] = (), direction: Direction = "TB"
) -> str:
    """The DOT source of a drawing, with a title, lines below it, and a legend."""
    sides = _SIDES[direction]
    graph = graphviz.Digraph(
        literal(name),
        graph_attr={
            "rankdir": sides.rankdir,
            "newrank": "true",
            "labelloc": "t",
            "labeljust": "l",
            "nodesep": f"{GAP / 72:.3f}",
            "ranksep": "0.25",
            "bgcolor": "white",
            "pad": "0.2",
            "fontname": FONT,
            "fontsize": "11",
            "fontcolor": INK,
            "tooltip": literal(name),
            "label": f"<{_heading(name, subtitle, drawing)}>",
        },
        node_attr={"shape": "plain", "fontname": FONT, "fontsize": "11", "fontcolor": INK},
        edge_attr={
            "color": LINE,
            "arrowsize": "0.5",
            "penwidth": f"{PEN:g}",
        },
    )
    _Writer(graph, drawing, sides).write()
    return str(graph.source)


def literal(text: str) -> str:
    """Text that Graphviz does not interpret."""
    kept = "".join(c if c.isprintable() else " " for c in text)
    return cast(str, graphviz.escape(kept))  # a str that is never interpreted as HTML


def _lines(texts: Sequence[str]) -> str:
    """Lines of text that Graphviz does not interpret."""
    kept = [literal(text) for text in texts]
    return type(kept[0])("\\n".join(kept)) if kept else ""


# ---------------------------------------------------------------------- boxes and frames


class _Writer:
    """Adds a drawing to a graph of Graphviz."""

    def __init__(self, graph: graphviz.Digraph, drawing: Drawing, sides: _Sides) -> None:
        self.graph, self.drawing, self.sides = graph, drawing, sides
        self.width = width_of(drawing.boxes) if sides.rankdir == "TB" else NARROWEST
        boxes = {box.id: box for box in drawing.boxes}
        self.boxes = sources_first(drawing)
        self.feeding: dict[int, list[tuple[Box, int | None]]] = {}
        self.fed: dict[int, list[tuple[Box, int | None]]] = {}
        for arrow in drawing.arrows:
            self.fed.setdefault(arrow.start, []).append((boxes[arrow.end], arrow.out))
            self.feeding.setdefault(arrow.end, []).append((boxes[arrow.start], arrow.into))
        self.splits = {box.id for box in drawing.boxes if box.shape == "split"}
        self.merging = {b.id for b in drawing.boxes if b.shape == "merge" and not b.heads}
        # Graphviz keeps the order of arrows only on request, at the cost of crossings.
        self.ordered = {arrow.start for arrow in drawing.arrows if arrow.ordered}

    def write(self) -> None:
        self._fill(self.graph, None)
        for arrow in self.drawing.arrows:
            self._draw_arrow(arrow)
        for row in self.drawing.rows:
            with self.graph.subgraph() as level:
                level.attr(rank="same")
                for left, right in pairwise(row):
                    level.edge(f"n{left}", f"n{right}", style="invis")

    def _fill(self, graph: graphviz.Digraph, frame: int | None) -> None:
        """Add the contents of a frame. Nesting is that of the drawing, so it is shallow."""
        for box in self.boxes:
            if box.frame != frame:
                continue
            order = {"ordering": "out"} if box.id in self.ordered else {}
            if box.shape == "split":
                graph.node(f"n{box.id}", shape="point", **POINT, **order)
            else:
                if box.shape == "bar":
                    cells = cell_widths(box, self.width, self.feeding)
                else:
                    cells = foot_widths(box, self.fed, self.feeding)
                table = label(box, self.width, self.sides.rankdir, cells)
                graph.node(f"n{box.id}", f"<{table}>", tooltip=_lines(box.tooltip), **order)
        for item in self.drawing.frames:
            if item.parent == frame:
                self._draw_frame(graph, item)

    def _draw_frame(self, graph: graphviz.Digraph, frame: Frame) -> None:
        with graph.subgraph(name=f"cluster_{frame.id}") as inside:
            inside.attr(
                label=f"<{_frame_title(frame)}>",
                labeljust="l",
                style="rounded,filled,dashed,bold"
                if frame.count * frame.uses > 1
                else "rounded,filled",
                color="#9aa5b1",
                fillcolor=FRAMES[frame.nesting % len(FRAMES)],
                margin="8",
                tooltip=_lines(frame.tooltip),
            )
            self._fill(inside, frame.id)

    def _draw_arrow(self, arrow: Arrow) -> None:
        start, end, sides = f"n{arrow.start}", f"n{arrow.end}", self.sides
        if arrow.hidden:
            # If data enter a bar from above, Graphviz confuses its middle with its left end.
            end, least = f"{end}:{sides.out}", str(arrow.length)
            start += "" if arrow.start in self.splits else f":{sides.out}"
            self.graph.edge(start, end, style="invis", weight=PLUMB, minlen=least)
            return
        start, end = self._ends(arrow)
        self.graph.edge(start, end, **self._look(arrow))

    def _ends(self, arrow: Arrow) -> tuple[str, str]:
        """The places where an arrow leaves and enters."""
        start, end, sides = f"n{arrow.start}", f"n{arrow.end}", self.sides
        if arrow.out is not None:
            start += f":o{arrow.out}:{sides.out}"
        elif arrow.start not in self.splits and arrow.rigid == MAIN:
            start += f":{sides.out}"
        if arrow.end in self.splits:
            return start, end
        if arrow.into is not None:
            end += f":i{arrow.into}:{sides.into}"
        elif arrow.shape_only:
            end += ":_"  # any side
        elif arrow.end not in self.merging or arrow.rigid == MAIN:
            end += f":{sides.into}"
        return start, end

    def _look(self, arrow: Arrow) -> Mapping[str, str]:
        said = [f"{line}, only the shape" if arrow.shape_only else line for line in arrow.tooltip]
        found = {"tooltip": _lines(said), "weight": str(arrow.rigid)}
        if arrow.shape_only:
            found["style"] = "dashed"
        if arrow.idle:
            found["color"] = PALE_LINE
        if arrow.collected > 1 and arrow.end not in self.splits:
            found.update(COUNTED, labeldistance="2", headlabel=f"all {arrow.collected}")
        elif len(arrow.tooltip) > 1:
            found.update(COUNTED, taillabel=str(len(arrow.tooltip)))
        if arrow.start in self.splits:
            found["tailclip"] = "false"
        if arrow.end in self.splits:
            found.update(dir="none", headclip="false")
        if arrow.length > 1:
            found["minlen"] = str(arrow.length)
        return found


def _frame_title(frame: Frame) -> str:
    words = [Run(f"{frame.title} "), *several(times(frame.count, frame.uses, frame.shared))]
    words += [small(f"   {frame.growth}")] * bool(frame.growth)
    return column([TextCell((tuple(words),), room=0, padding=0, left=True)], padding=0)


def sources_first(drawing: Drawing) -> Sequence[Box]:
    """The boxes, with those without inputs first, from left to right as others read them.

    Graphviz begins with this order and keeps it where that causes no more crossings.
    """
    read: dict[int, list[Arrow]] = {}
    fed: set[int] = set()
    for arrow in drawing.arrows:
        if not arrow.hidden:
            read.setdefault(arrow.end, []).append(arrow)
            fed.add(arrow.start)
    found: dict[int, None] = {}
    seen: set[int] = set()
    stack = [box.id for box in drawing.boxes if box.id not in fed]
    stack.reverse()
    while stack:
        at = stack.pop()
        if at in seen:
            continue
        seen.add(at)
        if at not in read:
            found[at] = None
        ways = sorted(read.get(at, ()), key=lambda arrow: arrow.into or 0)
        stack += [arrow.start for arrow in reversed(ways)]
    boxes = {box.id: box for box in drawing.boxes}
    return [boxes[at] for at in found] + [box for at, box in boxes.items() if at not in found]


# ---------------------------------------------------------------------- heading


def _heading(name: str, subtitle: Sequence[str], drawing: Drawing) -> str:
    lines: list[Words] = [(Run(name, 16, bold=True),)]
    lines += [(small(line),) for line in subtitle]
    lines.append(tuple(_legend(drawing)))
    return column([TextCell((line,), room=1, padding=1, left=True) for line in lines], padding=1)


def _legend(drawing: Drawing) -> Iterator[Run]:
    """Squares with names as text, because the cells of a table would be stretched."""
    for category in drawing.categories:
        name = LEGEND.get(category, category)
        if name:
            yield from _square(fill_of(category), name)
    if any(box.idle for box in drawing.boxes):
        yield from _square(PALE_LINE, "pale: not used")
    if any(arrow.shape_only for arrow in drawing.arrows):
        yield small("- - only the shape is used")


def _square(color: str, name: str) -> Iterator[Run]:
    yield from (Run("■", colour=color), small(f" {name}  "))
