"""A picture in the language of graphviz. Same picture, same text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archspec.diagram.picture import Arrow, Box, Frame, Line, Picture
from archspec.diagram.style import BLOCK, FONT, FRAMES, INK, LINE, SOFT, fill_of, ink_on

GAP = 16
"""Distance between boxes side by side, in points."""
CHARACTER = 5.7
"""Width of a character of a label, in points, on average."""
NARROWEST, BROADEST = 64, 150


def dot_text(picture: Picture, name: str, subtitle: Sequence[str] = ()) -> str:
    """The DOT source of a picture, with a title, lines below it, and a legend."""
    lines = [
        f"digraph {quoted(name)} {{",
        f"  graph [rankdir=TB, newrank=true, ordering=out, nodesep={GAP / 72:.3f}, ranksep=0.28, "
        f"fontname={quoted(FONT)}, fontsize=11, fontcolor={quoted(INK)}, labelloc=t, "
        f"bgcolor=white, pad=0.2, tooltip={quoted(name)},",
        f"    label=<{_heading(name, subtitle, picture.categories)}>];",
        f"  node [shape=plain, fontname={quoted(FONT)}, fontsize=11, fontcolor={quoted(INK)}];",
        f"  edge [fontname={quoted(FONT)}, fontsize=8, fontcolor={quoted(SOFT)}, "
        f"color={quoted(LINE)}, arrowsize=0.5, penwidth=0.9];",
        *_inside(picture, None, _width(picture), "  "),
        *(f"  {_arrow(arrow)}" for arrow in picture.arrows),
        "}",
    ]
    return "\n".join(lines) + "\n"


def _width(picture: Picture) -> int:
    """One width for all boxes of ops, so that columns stand straight between bars."""
    texts = [line.text for box in picture.boxes if box.shape == "ops" for line in box.lines]
    longest = max((len(text) for text in texts), default=0)
    return min(max(round(longest * CHARACTER) + 8, NARROWEST), BROADEST)


def quoted(text: str) -> str:
    """A DOT string. Backslashes would start escapes of graphviz, so they are doubled."""
    plain = "".join(c if c.isprintable() else " " for c in text)
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'


def escaped(text: str) -> str:
    """Text inside an HTML-like label."""
    plain = "".join(c if c.isprintable() else " " for c in text)
    for mark, name in (("&", "amp"), ("<", "lt"), (">", "gt"), ('"', "quot")):
        plain = plain.replace(mark, f"&{name};")
    return plain


# ---------------------------------------------------------------------- boxes and frames


def _inside(picture: Picture, frame: int | None, width: int, indent: str) -> Iterator[str]:
    """What stands directly in a frame. Nesting is that of the drawing, so it is shallow."""
    for box in picture.boxes:
        if box.frame == frame:
            label = _label(box, width)
            yield f"{indent}n{box.id} [label=<{label}>, tooltip={quoted(box.tooltip)}];"
    for item in picture.frames:
        if item.parent == frame:
            yield from _frame(picture, item, width, indent)


def _frame(picture: Picture, frame: Frame, width: int, indent: str) -> Iterator[str]:
    fill = FRAMES[frame.nesting % len(FRAMES)]
    style = "rounded,dashed,bold" if frame.repeat else "rounded,filled"
    yield f"{indent}subgraph cluster_{frame.id} {{"
    yield (
        f"{indent}  label=<{_frame_title(frame)}>; labeljust=l; style={quoted(style)}; "
        f"color={quoted('#9aa5b1')}; fillcolor={quoted(fill)}; margin=8; "
        f"tooltip={quoted(frame.title)};"
    )
    yield from _inside(picture, frame.id, width, indent + "  ")
    yield f"{indent}}}"


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
    head = _header(box)
    rows = [f'<tr><td align="left" width="{width}">{_small(head)}</td></tr>'] if head else []
    rows += [
        f'<tr><td bgcolor="{fill_of(line.category)}" width="{width}">{_text(line)}</td></tr>'
        for line in box.lines
    ]
    return (
        f'<table border="1" color="{LINE}" cellborder="0" cellspacing="0" cellpadding="3" '
        f'bgcolor="{BLOCK}">{"".join(rows)}</table>'
    )


def _header(box: Box) -> str:
    parts = [part for part in (box.note, box.title) if part]
    times = f" × {box.count}" if box.count > 1 else ""
    return ": ".join(parts) + times if len(box.lines) > 1 or parts else times.strip()


def _text(line: Line) -> str:
    ink = ink_on(fill_of(line.category))
    return f'<font color="{ink}">{escaped(line.text)}</font>'


def _small(text: str) -> str:
    return f'<font point-size="9" color="{SOFT}">{escaped(text)}</font>'


def _bar(box: Box, cell: int) -> str:
    (line,) = box.lines
    fill = fill_of(line.category)
    times = f" × {box.count}" if box.count > 1 else ""
    name = f"{box.note}: {line.text}{times}" if box.note else f"{line.text}{times}"
    cells = "".join(
        f'<td port="i{index}" width="{cell}" height="2"></td>' for index in range(box.cells)
    )
    feet = cells.replace('port="i', 'port="o')
    ink = ink_on(fill)
    return (
        f'<table border="1" color="{LINE}" cellborder="0" cellspacing="0" cellpadding="0" '
        f'bgcolor="{fill}"><tr>{cells}</tr><tr><td colspan="{box.cells}" height="13">'
        f'<font point-size="9" color="{ink}">{escaped(name)}</font></td></tr>'
        f"<tr>{feet}</tr></table>"
    )


def _block(box: Box) -> str:
    times = f" × {box.count}" if box.count > 1 else ""
    note = f"<tr><td>{_small(box.note)}</td></tr>" if box.note else ""
    return (
        f'<table border="2" color="{SOFT}" style="rounded" cellborder="0" cellspacing="0" '
        f'cellpadding="4" bgcolor="{BLOCK}"><tr><td><b>{escaped(box.title)}{times}</b></td></tr>'
        f"{note}</table>"
    )


def _end(box: Box) -> str:
    shape = f"<tr><td>{_small(box.note)}</td></tr>" if box.note else ""
    return f"{_PLAIN}<tr><td><i>{escaped(box.title)}</i></td></tr>{shape}</table>"


# ---------------------------------------------------------------------- arrows and heading


def _arrow(arrow: Arrow) -> str:
    start, end = f"n{arrow.start}", f"n{arrow.end}"
    start += f":o{arrow.out}:s" if arrow.out is not None else ":s"
    end += f":i{arrow.into}:n" if arrow.into is not None else ":n"
    attributes = [f"tooltip={quoted(arrow.tooltip)}", "weight=4"]
    if arrow.length > 1:
        attributes.append(f"minlen={arrow.length}")
    if arrow.label:
        attributes.append(f"label={quoted(' ' + arrow.label)}")
    return f"{start} -> {end} [{', '.join(attributes)}];"


def _heading(name: str, subtitle: Sequence[str], categories: Sequence[str]) -> str:
    rows = [f'<tr><td align="left"><font point-size="16"><b>{escaped(name)}</b></font></td></tr>']
    rows += [f'<tr><td align="left">{_small(line)}</td></tr>' for line in subtitle]
    rows.append(f'<tr><td align="left">{_legend(categories)}</td></tr>')
    return f"{_PLAIN}{''.join(rows)}</table>"


def _legend(categories: Sequence[str]) -> str:
    cells = "".join(
        f'<td bgcolor="{fill_of(category)}"><font point-size="9" '
        f'color="{ink_on(fill_of(category))}">{escaped(category)}</font></td>'
        for category in categories
    )
    if not cells:
        return " "
    return (
        f'<table border="0" cellborder="0" cellspacing="3" cellpadding="2"><tr>{cells}</tr></table>'
    )
