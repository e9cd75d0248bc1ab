"""A picture in the language of graphviz. Same picture, same text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias, cast

import graphviz  # type: ignore[import-untyped]  # the package has no types

from archspec.diagram.arrows import Arrow
from archspec.diagram.picture import Box, Frame, Line, Picture
from archspec.diagram.straight import MAIN
from archspec.diagram.style import BLOCK, END, FONT, FRAMES, INK, LINE, SOFT, fill_of, ink_on
from archspec.frozen import frozen

Direction: TypeAlias = Literal["TB", "LR"]
"""Whether data flow from top to bottom or from left to right."""

GAP = 16
"""Distance between boxes side by side, in points."""
CHARACTER = 5.7
"""Width of a character of a label, in points, on average."""
NARROWEST, BROADEST = 64, 210
ROW = 30
"""Height of a cell of an upright bar."""
PLUMB = "200"
"""Weight of a line that keeps boxes below each other: above 128, with which graphviz makes frames
narrow. That of arrows is 4."""
ROOM = 2 * GAP + 2
"""What such a line takes between two boxes, beside their distance."""


@frozen
class _Sides:
    """Which way data flows: compass points of where arrows leave and enter."""

    rankdir: Direction
    out: str
    into: str


_SIDES: Mapping[Direction, _Sides] = {"TB": _Sides("TB", "s", "n"), "LR": _Sides("LR", "e", "w")}


def dot_text(
    picture: Picture, name: str, subtitle: Sequence[str] = (), direction: Direction = "TB"
) -> str:
    """The DOT source of a picture, with a title, lines below it, and a legend."""
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
            "label": f"<{_heading(name, subtitle, picture.categories)}>",
        },
        node_attr={"shape": "plain", "fontname": FONT, "fontsize": "11", "fontcolor": INK},
        edge_attr={
            "fontname": FONT,
            "fontsize": "8",
            "fontcolor": SOFT,
            "color": LINE,
            "arrowsize": "0.5",
            "penwidth": "0.9",
        },
    )
    _Writer(graph, picture, sides).write()
    return str(graph.source)


def _width(picture: Picture) -> int:
    """One width for all boxes of ops, so that columns stand straight between bars."""
    lines = [line for box in picture.boxes if box.shape == "ops" for line in box.lines]
    longest = max((len(line.text) + 0.85 * len(line.key) for line in lines), default=0.0)
    return min(max(round(longest * CHARACTER) + 8, NARROWEST), BROADEST)


def literal(text: str) -> str:
    """Text that graphviz takes as it is, without escapes of its own."""
    kept = "".join(c if c.isprintable() else " " for c in text)
    return cast(str, graphviz.escape(kept))  # a str that is never taken for HTML


def escaped(text: str) -> str:
    """Text inside an HTML-like label."""
    plain = "".join(c if c.isprintable() else " " for c in text)
    for mark, name in (("&", "amp"), ("<", "lt"), (">", "gt"), ('"', "quot")):
        plain = plain.replace(mark, f"&{name};")
    return plain


def _lines(texts: Sequence[str], end: str = "\\n") -> str:
    """Lines of text that graphviz takes as they are."""
    kept = [literal(text) for text in texts]
    return type(kept[0])(end.join(kept)) if kept else ""


# ---------------------------------------------------------------------- boxes and frames


class _Writer:
    """Puts a picture into a graph of graphviz."""

    def __init__(self, graph: graphviz.Digraph, picture: Picture, sides: _Sides) -> None:
        self.graph, self.picture, self.sides = graph, picture, sides
        self.width = _width(picture) if sides.rankdir == "TB" else NARROWEST
        self.splits = {box.id for box in picture.boxes if box.shape == "split"}
        self.leaving = Counter(arrow.start for arrow in picture.arrows if not arrow.hidden)
        self.merging = {b.id for b in picture.boxes if b.shape == "merge" and not b.cells}
        # Graphviz keeps the order of arrows only where it is told to, at the cost of crossings.
        self.ordered = {arrow.start for arrow in picture.arrows if arrow.ordered}

    def write(self) -> None:
        self._fill(self.graph, None)
        for arrow in self.picture.arrows:
            self._draw_arrow(arrow)

    def _fill(self, graph: graphviz.Digraph, frame: int | None) -> None:
        """Add what stands directly in a frame. Nesting is that of the drawing, so it is shallow."""
        for box in self.picture.boxes:
            if box.frame != frame:
                continue
            order = {"ordering": "out"} if box.id in self.ordered else {}
            if box.shape == "split":
                size = "0.05" if self.leaving[box.id] > 1 else "0.0125"  # as broad as an arrow
                pen = {"color": LINE, "penwidth": "0.5", "width": size}
                graph.node(f"n{box.id}", shape="point", **pen, **order)
            else:
                label = f"<{_label(box, self.width, self.sides)}>"
                graph.node(f"n{box.id}", label, tooltip=_lines(box.tooltip), **order)
        for item in self.picture.frames:
            if item.parent == frame:
                self._draw_frame(graph, item)

    def _draw_frame(self, graph: graphviz.Digraph, frame: Frame) -> None:
        with graph.subgraph(name=f"cluster_{frame.id}") as inside:
            inside.attr(
                label=f"<{_frame_title(frame)}>",
                labeljust="l",
                style="rounded,dashed,bold" if frame.repeat else "rounded,filled",
                color="#9aa5b1",
                fillcolor=FRAMES[frame.nesting % len(FRAMES)],
                margin="8",
                tooltip=_lines(frame.tooltip),
            )
            self._fill(inside, frame.id)

    def _draw_arrow(self, arrow: Arrow) -> None:
        start, end, sides = f"n{arrow.start}", f"n{arrow.end}", self.sides
        if arrow.hidden:
            # Where data enter a bar from above, graphviz takes its middle for its left end.
            end, least = f"{end}:{sides.out}", str(arrow.length)
            start += "" if arrow.start in self.splits else f":{sides.out}"
            self.graph.edge(start, end, style="invis", weight=PLUMB, minlen=least)
            return
        attributes = {"tooltip": _lines(arrow.tooltip), "weight": str(arrow.rigid)}
        if arrow.out is not None:
            start += f":o{arrow.out}:{sides.out}"
        elif arrow.start not in self.splits and arrow.rigid == MAIN:
            start += f":{sides.out}"
        if arrow.end in self.splits:
            attributes["arrowhead"] = "none"
        elif arrow.end not in self.merging or arrow.rigid == MAIN:
            end += f":i{arrow.into}:{sides.into}" if arrow.into is not None else f":{sides.into}"
        if arrow.length > 1:
            attributes["minlen"] = str(arrow.length)
        if arrow.labels:
            attributes["label"] = _lines([f" {label} " for label in arrow.labels], "\\l")
        self.graph.edge(start, end, **attributes)


def _frame_title(frame: Frame) -> str:
    text = escaped(frame.title) or " "
    return f"<b>{text}</b>" if frame.repeat else text


def _label(box: Box, width: int, sides: _Sides) -> str:
    if box.shape == "bar":
        return _bar(box, width + 2 + GAP) if sides.rankdir == "TB" else _upright_bar(box)
    if box.shape == "merge":
        return _merge(box, sides)
    if box.shape == "end":
        return _end(box)
    if box.shape == "block":
        return _block(box)
    return _ops(box, width)


_PLAIN = '<table border="0" cellborder="0" cellspacing="0" cellpadding="1">'


def _ops(box: Box, width: int) -> str:
    rows = [f'<tr><td align="left" width="{width}">{_small(box.title)}</td></tr>'] * bool(box.title)
    rows += [
        f'<tr><td bgcolor="{fill_of(line.category)}" width="{width}">'
        f"{_text(line, box.count)}</td></tr>"
        for line in box.lines
    ]
    return (
        f'<table border="1" color="{LINE}" cellborder="0" cellspacing="0" cellpadding="2" '
        f'bgcolor="{BLOCK}">{"".join(rows)}</table>'
    )


def _text(line: Line, count: int) -> str:
    ink = ink_on(fill_of(line.category))
    key = f'<font point-size="9" color="{ink}">{escaped(line.key)}: </font>' if line.key else ""
    times = f" <b>× {count}</b>" if count > 1 else ""
    return f'{key}<font color="{ink}">{escaped(line.text)}</font>{times}'


def _small(text: str) -> str:
    return f'<font point-size="9" color="{SOFT}">{escaped(text)}</font>'


def _bar(box: Box, cell: int) -> str:
    (line,) = box.lines
    fill = fill_of(line.category)
    listed = [f'<td port="i{at}" width="{cell}" height="2"></td>' for at in range(box.cells)]
    if box.parted:
        listed.insert(box.cells // 2, f'<td width="{ROOM}" height="2"></td>')
    cells = "".join(listed)
    feet = cells.replace('port="i', 'port="o')
    return (
        f'<table border="1" color="{LINE}" cellborder="0" cellspacing="0" cellpadding="0" '
        f'bgcolor="{fill}"><tr>{cells}</tr><tr><td colspan="{len(listed)}" height="13">'
        f'<font point-size="9">{_text(line, box.count)}</font></td></tr>'
        f"<tr>{feet}</tr></table>"
    )


def _upright_bar(box: Box) -> str:
    """A bar between columns, for data that flow from left to right."""
    (line,) = box.lines
    fill, rows = fill_of(line.category), max(1, box.cells)
    text = f'<font point-size="9">{_text(line, box.count)}</font>'
    middle = f'<td rowspan="{rows}" cellpadding="3">{text}</td>'
    listed = "".join(
        f'<tr><td port="i{at}" width="2" height="{ROW}"></td>{middle if at == 0 else ""}'
        f'<td port="o{at}" width="2" height="{ROW}"></td></tr>'
        for at in range(rows)
    )
    return (
        f'<table border="1" color="{LINE}" cellborder="0" cellspacing="0" cellpadding="0" '
        f'bgcolor="{fill}">{listed}</table>'
    )


def _merge(box: Box, sides: _Sides) -> str:
    """A small box; where the order of its inputs matters they have cells."""
    (line,) = box.lines
    text = f'<font point-size="9">{_text(line, box.count)}</font>'
    span = max(1, box.cells)
    if sides.rankdir == "TB":
        cells = "".join(f'<td port="i{at}" width="24" height="2"></td>' for at in range(box.cells))
        rows = f"<tr>{cells}</tr>" * bool(cells)
        rows += f'<tr><td colspan="{span}" cellpadding="2">&nbsp;{text}&nbsp;</td></tr>'
    else:
        words = f'<td rowspan="{span}" cellpadding="2">&nbsp;{text}&nbsp;</td>'
        rows = "".join(
            f'<tr><td port="i{at}" width="2" height="12"></td>{words if at == 0 else ""}</tr>'
            for at in range(box.cells)
        )
        rows = rows or f"<tr>{words}</tr>"
    return (
        f'<table border="1" color="{LINE}" style="rounded" cellborder="0" cellspacing="0" '
        f'cellpadding="0" bgcolor="{fill_of(line.category)}">{rows}</table>'
    )


def _block(box: Box) -> str:
    times = f" × {box.count}" if box.count > 1 else ""
    note = f"{_small(box.note + ':')} " if box.note else ""
    return (
        f'<table border="2" color="{SOFT}" style="rounded" cellborder="0" cellspacing="0" '
        f'cellpadding="4" bgcolor="{BLOCK}"><tr><td>{note}<b>{escaped(box.title)}{times}</b>'
        "</td></tr></table>"
    )


def _end(box: Box) -> str:
    """An input or output: its name and its type."""
    note = f"<tr><td>&nbsp; {_small(box.note)} &nbsp;</td></tr>" if box.note else ""
    return (
        f'<table border="1" color="{LINE}" style="rounded" cellborder="0" cellspacing="0" '
        f'cellpadding="2" bgcolor="{END}"><tr><td>&nbsp;<i>{escaped(box.title)}</i>&nbsp;</td></tr>'
        f"{note}</table>"
    )


# ---------------------------------------------------------------------- heading


def _heading(name: str, subtitle: Sequence[str], categories: Sequence[str]) -> str:
    rows = [f'<tr><td align="left"><font point-size="16"><b>{escaped(name)}</b></font></td></tr>']
    rows += [f'<tr><td align="left">{_small(line)}</td></tr>' for line in subtitle]
    rows.append(f'<tr><td align="left">{_legend(categories)}</td></tr>')
    return f"{_PLAIN}{''.join(rows)}</table>"


def _legend(categories: Sequence[str]) -> str:
    """Squares with names as text, since the cells of a table would be stretched."""
    return (
        "  ".join(
            f'<font point-size="11" color="{fill_of(category)}">■</font>{_small(" " + category)}'
            for category in categories
        )
        or " "
    )
