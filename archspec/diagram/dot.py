"""A picture in the language of graphviz. Same picture, same text."""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import cast

import graphviz  # type: ignore[import-untyped]  # the package has no types

from archspec.diagram.arrows import Arrow
from archspec.diagram.picture import Box, Frame, Line, Picture
from archspec.diagram.style import BLOCK, FONT, FRAMES, INK, LINE, SOFT, fill_of, ink_on

GAP = 16
"""Distance between boxes side by side, in points."""
CHARACTER = 5.7
"""Width of a character of a label, in points, on average."""
NARROWEST, BROADEST = 64, 260
PLUMB = "200"
"""Weight of a line that keeps boxes below each other: above 128, with which graphviz makes frames
narrow. That of arrows is 4."""
ROOM = 2 * GAP + 2
"""What such a line takes between two boxes, beside their distance."""


def dot_text(picture: Picture, name: str, subtitle: Sequence[str] = ()) -> str:
    """The DOT source of a picture, with a title, lines below it, and a legend."""
    splits = {box.id for box in picture.boxes if box.shape == "split"}
    graph = graphviz.Digraph(
        literal(name),
        graph_attr={
            "rankdir": "TB",
            "newrank": "true",
            "ordering": "out",
            "labelloc": "t",
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
    _fill(graph, picture, None, _width(picture))
    for arrow in picture.arrows:
        _draw_arrow(graph, arrow, splits)
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


# ---------------------------------------------------------------------- boxes and frames


def _fill(graph: graphviz.Digraph, picture: Picture, frame: int | None, width: int) -> None:
    """Add what stands directly in a frame. Nesting is that of the drawing, so it is shallow."""
    for box in picture.boxes:
        if box.frame == frame and box.shape == "split":
            graph.node(f"n{box.id}", shape="point", width="0.05", color=LINE)
        elif box.frame == frame:
            label = f"<{_label(box, width)}>"
            graph.node(f"n{box.id}", label, tooltip=literal(box.tooltip))
    for item in picture.frames:
        if item.parent == frame:
            _draw_frame(graph, picture, item, width)


def _draw_frame(graph: graphviz.Digraph, picture: Picture, frame: Frame, width: int) -> None:
    with graph.subgraph(name=f"cluster_{frame.id}") as inside:
        inside.attr(
            label=f"<{_frame_title(frame)}>",
            labeljust="l",
            style="rounded,dashed,bold" if frame.repeat else "rounded,filled",
            color="#9aa5b1",
            fillcolor=FRAMES[frame.nesting % len(FRAMES)],
            margin="8",
            tooltip=literal(frame.title),
        )
        _fill(inside, picture, frame.id, width)


def _frame_title(frame: Frame) -> str:
    text = escaped(frame.title) or " "
    return f"<b>{text}</b>" if frame.repeat else text


def _label(box: Box, width: int) -> str:
    if box.shape == "bar":
        return _bar(box, width + GAP)
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


def _block(box: Box) -> str:
    times = f" × {box.count}" if box.count > 1 else ""
    note = f"{_small(box.note + ':')} " if box.note else ""
    return (
        f'<table border="2" color="{SOFT}" style="rounded" cellborder="0" cellspacing="0" '
        f'cellpadding="4" bgcolor="{BLOCK}"><tr><td>{note}<b>{escaped(box.title)}{times}</b>'
        "</td></tr></table>"
    )


def _end(box: Box) -> str:
    shape = f"<tr><td>{_small(box.note)}</td></tr>" if box.note else ""
    return f"{_PLAIN}<tr><td><i>{escaped(box.title)}</i></td></tr>{shape}</table>"


# ---------------------------------------------------------------------- arrows and heading


def _draw_arrow(graph: graphviz.Digraph, arrow: Arrow, splits: Set[int]) -> None:
    start, end = f"n{arrow.start}", f"n{arrow.end}"
    if arrow.hidden:
        # Where data enter a bar from above, graphviz takes its middle for its left end.
        end, least = f"{end}:s", str(arrow.length)
        start += "" if arrow.start in splits else ":s"
        graph.edge(start, end, style="invis", weight=PLUMB, minlen=least)
        return
    attributes = {"tooltip": literal(arrow.tooltip), "weight": "4"}
    if arrow.start not in splits:
        start += f":o{arrow.out}:s" if arrow.out is not None else ":s"
    if arrow.end in splits:
        attributes["arrowhead"] = "none"
    else:
        end += f":i{arrow.into}:n" if arrow.into is not None else ":n"
    if arrow.length > 1:
        attributes["minlen"] = str(arrow.length)
    if arrow.label:
        attributes["label"] = literal(" " + arrow.label)
    graph.edge(start, end, **attributes)


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
