"""What a drawing shows, before it is put into the words of graphviz."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Literal

from archspec.diagram.arrows import Arrow, Wiring, arrows
from archspec.diagram.chains import Chain, chains, is_bar
from archspec.diagram.labels import block_text, key_text, op_text, shortened
from archspec.frozen import frozen
from archspec.passes.expand import Flat, FlatNode, Group


@frozen
class Line:
    """One coloured line of a box: an op, with its label in the spec where it has one."""

    text: str
    category: str
    key: str = ""


@frozen
class Box:
    """One thing drawn.

    "ops" is one op or a chain of them on top of each other, "bar" an op with several inputs as a
    wide bar with a cell per input, "block" a block that is not opened, "end" an input or output,
    "split" the point in a frame where data that enters it parts.
    """

    id: int
    shape: Literal["ops", "bar", "block", "end", "split"]
    title: str
    lines: tuple[Line, ...]
    frame: int | None
    tooltip: str
    note: str = ""
    cells: int = 1
    parted: bool = False  # a bar with room in the middle, for a plumb line
    count: int = 1


@frozen
class Frame:
    """A frame around boxes: an opened block, or pieces that repeat."""

    id: int
    parent: int | None
    title: str
    nesting: int
    repeat: bool = False


@frozen
class Picture:
    """Boxes in order, frames outermost first, arrows by where they start."""

    boxes: tuple[Box, ...]
    frames: tuple[Frame, ...]
    arrows: tuple[Arrow, ...]
    categories: tuple[str, ...]


def picture(flat: Flat) -> Picture:
    """Decide what to draw of an opened graph."""
    shown = _innermost_frames(flat)
    found = chains(flat, shown)
    stacks = {chain.members[0]: chain for chain in found}
    owner = {index: chain.members[0] for chain in found for index in chain.members}
    boxes = [
        _stack(flat, stacks[item.index], shown) if item.index in stacks else _single(item, shown)
        for item in flat.nodes
        if owner.get(item.index, item.index) == item.index
    ]
    closed = {chain.group.index for chain in found if chain.group is not None}
    frames = tuple(_frames(flat, shown, closed))
    categories = {line.category for box in boxes for line in box.lines}
    wiring = Wiring(
        {box.id: box.frame for box in boxes},
        {frame.id: frame.parent for frame in frames},
        {box.id: box.cells for box in boxes if box.shape == "bar"},
    )
    drawn = arrows(flat, owner, wiring)
    plumbed = {box for arrow in drawn.arrows if arrow.hidden for box in (arrow.start, arrow.end)}
    boxes = [
        replace(box, parted=True) if box.shape == "bar" and box.id in plumbed else box
        for box in boxes
    ]
    boxes += [Box(index, "split", "", (), frame, "") for index, frame in drawn.splits.items()]
    return Picture(tuple(boxes), frames, drawn.arrows, tuple(sorted(categories)))


# ---------------------------------------------------------------------- frames


def _innermost_frames(flat: Flat) -> Mapping[int | None, int | None]:
    """For each group the frame that its nodes are in: an expanded rule has none of its own."""
    found: dict[int | None, int | None] = {None: None}
    for group in flat.groups:
        found[group.index] = found[group.parent] if _is_rule(group) else group.index
    return found


def _is_rule(group: Group) -> bool:
    return group.graph is not None and group.graph.kind == "rule" and group.count == 1


def _frames(
    flat: Flat, shown: Mapping[int | None, int | None], closed: set[int]
) -> Iterator[Frame]:
    nesting: dict[int | None, int] = {None: 0}
    for group in flat.groups:
        if group.index in closed or shown[group.index] != group.index:
            continue
        parent = shown[group.parent]
        nesting[group.index] = nesting[parent] + 1
        repeat = group.kind == "repeat"
        yield Frame(group.index, parent, _title(group), nesting[group.index], repeat)


def _title(group: Group) -> str:
    """`layer1.1: bottleneck(64) × 2`."""
    times = f"× {group.count}" if group.count > 1 else ""
    if group.graph is None:
        return times
    key = key_text(group.key, group.graph.name)
    name = block_text(group.graph)
    return " ".join(part for part in (f"{key}:" if key else "", name, times) if part)


# ---------------------------------------------------------------------- boxes


def _stack(flat: Flat, chain: Chain, shown: Mapping[int | None, int | None]) -> Box:
    members = [flat.nodes[index] for index in chain.members]
    lines = tuple(_line(item) for item in members)
    group, first = chain.group, chain.members[0]
    if group is None or group.graph is None:
        tip = ", ".join(item.path or item.name for item in members)
        return Box(first, "ops", "", lines, shown[members[0].group], tip)
    tip = f"{group.path}: {block_text(group.graph)}"
    title = "" if _is_rule(group) else _title(group)
    return Box(first, "ops", title, lines, shown[group.parent], tip)


def _line(item: FlatNode) -> Line:
    assert item.node is not None
    op, instance = item.node.op, item.node.instance
    assert op is not None
    assert instance is not None
    text = op_text(op, instance.regions)
    if instance.frozen and instance.key and not (item.graph is not None and item.graph.frozen):
        text = shortened(f"frozen({text})")
    return Line(text, op.category, key_text(instance.key, op.name))


def _single(item: FlatNode, shown: Mapping[int | None, int | None]) -> Box:
    frame = shown[item.group]
    if item.kind in ("input", "output"):
        types = ", ".join(str(kind) for kind in item.types)
        name = shortened(item.name)
        note = shortened(types, 60) if item.kind == "input" else ""
        return Box(item.index, "end", name, (), frame, f"{name}: {types}", note)
    if item.kind == "call":
        return _block(item, frame)
    line = _line(item)
    bar = is_bar(item)
    tip = f"{item.path or item.name}: {line.text}"
    return Box(
        item.index,
        "bar" if bar else "ops",
        "",
        (line,),
        frame,
        tip,
        cells=len(item.inputs) if bar else 1,
        count=item.count,
    )


def _block(item: FlatNode, frame: int | None) -> Box:
    callee = item.node.callee if item.node is not None else item.graph
    assert callee is not None
    title = block_text(callee)
    key = ""
    if item.node is not None and item.node.instance is not None:
        key = key_text(item.node.instance.key, callee.name)
    tip = f"{item.path or item.name}: {title}"
    return Box(item.index, "block", title, (), frame, tip, key, count=item.count)
