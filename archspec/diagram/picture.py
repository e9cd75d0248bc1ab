"""What a drawing shows, before it is put into the words of graphviz."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from archspec.diagram.labels import block_text, op_text, shortened
from archspec.diagram.ranks import levels
from archspec.passes.expand import Flat, FlatNode, Group
from archspec.types.tensor import TensorType


@dataclass(frozen=True, slots=True)
class Line:
    """One coloured line of a box: an op."""

    text: str
    category: str


@dataclass(frozen=True, slots=True)
class Box:
    """One thing drawn.

    "ops" is one op or a chain of them on top of each other, "bar" an op with several inputs as a
    wide bar with a cell per input, "block" a block that is not opened, "end" an input or output.
    """

    id: int
    shape: Literal["ops", "bar", "block", "end"]
    title: str
    note: str
    lines: tuple[Line, ...]
    frame: int | None
    tooltip: str
    cells: int = 1
    count: int = 1


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame around boxes: an opened block, or pieces that repeat."""

    id: int
    parent: int | None
    title: str
    nesting: int
    repeat: bool = False


@dataclass(frozen=True, slots=True)
class Arrow:
    """Data from a box to a box. `out` and `into` are cells of bars; `length` is in ranks."""

    start: int
    end: int
    label: str
    tooltip: str
    out: int | None
    into: int | None
    length: int


@dataclass(frozen=True, slots=True)
class Picture:
    """Boxes in order, frames outermost first, arrows by target."""

    boxes: tuple[Box, ...]
    frames: tuple[Frame, ...]
    arrows: tuple[Arrow, ...]
    categories: tuple[str, ...]


def picture(flat: Flat) -> Picture:
    """Decide what to draw of an opened graph."""
    stacks = dict(_stacks(flat))
    owner = {index: stack[0] for stack in stacks.values() for index in stack}
    boxes = tuple(_boxes(flat, stacks, owner))
    frames = tuple(_frames(flat, set(stacks)))
    arrows = _arrows(flat, owner, {box.id: box for box in boxes})
    categories = dict.fromkeys(line.category for box in boxes for line in box.lines)
    return Picture(boxes, frames, arrows, tuple(sorted(categories)))


# ---------------------------------------------------------------------- chains of ops


def _stacks(flat: Flat) -> Iterator[tuple[int, list[int]]]:
    """Opened blocks that are plain chains of ops, by group: they are drawn as one box."""
    members: dict[int, list[FlatNode]] = {}
    for item in flat.nodes:
        if item.group is not None:
            members.setdefault(item.group, []).append(item)
    parents = {group.parent for group in flat.groups}
    readers: dict[int, set[int]] = {}
    for item in flat.nodes:
        for start, _ in item.inputs:
            readers.setdefault(start, set()).add(item.index)
    for group in flat.groups:
        items = members.get(group.index, [])
        if group.kind == "block" and group.index not in parents and _is_chain(items, readers):
            yield group.index, [item.index for item in items]


def _is_chain(items: Sequence[FlatNode], readers: Mapping[int, set[int]]) -> bool:
    if not items or any(item.kind != "op" or len(item.types) != 1 for item in items):
        return False
    if len(items[0].inputs) > 1 or any(len(item.inputs) != 1 for item in items[1:]):
        return False
    for before, item in pairwise(items):
        if item.inputs[0][0] != before.index or readers.get(before.index) != {item.index}:
            return False
    return True


# ---------------------------------------------------------------------- boxes


def _boxes(flat: Flat, stacks: Mapping[int, list[int]], owner: Mapping[int, int]) -> Iterator[Box]:
    groups = {group.index: group for group in flat.groups}
    for item in flat.nodes:
        if owner.get(item.index, item.index) != item.index:
            continue
        if item.index in owner and item.group is not None:
            group = groups[item.group]
            yield _stack(flat, group, stacks[group.index])
        else:
            yield _single(item, _visible(item.group, groups, stacks))


def _visible(
    group: int | None, groups: Mapping[int, Group], stacks: Mapping[int, object]
) -> int | None:
    """The innermost frame around something: rules and chains have none of their own."""
    while group is not None and (group in stacks or _is_open_rule(groups[group])):
        group = groups[group].parent
    return group


def _is_open_rule(group: Group) -> bool:
    return (
        group.kind == "block"
        and group.count == 1
        and (group.graph is not None and group.graph.kind == "rule")
    )


def _stack(flat: Flat, group: Group, members: list[int]) -> Box:
    groups = {item.index: item for item in flat.groups}
    lines = tuple(_line(flat.nodes[index]) for index in members)
    assert group.graph is not None
    return Box(
        members[0],
        "ops",
        group.graph.name if len(lines) > 1 else "",
        _note(group.path, group.graph.name),
        lines,
        _visible(group.parent, groups, {}),
        f"{group.path}: {block_text(group.graph)}",
        count=group.count,
    )


def _line(item: FlatNode) -> Line:
    assert item.node is not None
    op = item.node.op
    assert op is not None
    return Line(op_text(op), op.category)


def _single(item: FlatNode, frame: int | None) -> Box:
    if item.kind in ("input", "output"):
        shapes = ", ".join(str(kind) for kind in item.types)
        name = shortened(item.name)
        shown = shapes if item.kind == "input" else ""
        return Box(item.index, "end", name, shortened(shown, 60), (), frame, f"{name}: {shapes}")
    if item.kind == "call" or item.node is None:
        callee = item.node.callee if item.node is not None else item.graph
        assert callee is not None
        title, note = block_text(callee), _note(item.path, callee.name)
        tip = f"{item.path}: {title}"
        return Box(item.index, "block", title, note, (), frame, tip, count=item.count)
    line = _line(item)
    several = len(item.inputs) > 1 and line.category in ("merge", "arithmetic")
    return Box(
        item.index,
        "bar" if several else "ops",
        "",
        _note(item.path, item.name),
        (line,),
        frame,
        f"{item.path or item.name}: {line.text}",
        len(item.inputs) if several else 1,
        item.count,
    )


def _note(path: str, name: str) -> str:
    """The last part of a path, unless it only repeats the name."""
    last = path.rpartition(".")[2]
    plain = last == name or (last.startswith(name + "_") and last[len(name) + 1 :].isdecimal())
    return "" if plain else shortened(last)


# ---------------------------------------------------------------------- frames


def _frames(flat: Flat, stacks: set[int]) -> Iterator[Frame]:
    groups = {group.index: group for group in flat.groups}
    nesting: dict[int | None, int] = {None: 0}
    hidden = dict.fromkeys(stacks)
    for group in flat.groups:
        if group.index in stacks or _is_open_rule(group):
            continue
        parent = _visible(group.parent, groups, hidden)
        nesting[group.index] = nesting[parent] + 1
        title = f"× {group.count}" if group.count > 1 else ""
        if group.graph is not None:
            note = _note(group.path, group.graph.name)
            name = block_text(group.graph)
            title = f"{note}: {name} {title}" if note else f"{name} {title}"
        yield Frame(
            group.index, parent, title.strip(), nesting[group.index], group.kind == "repeat"
        )


# ---------------------------------------------------------------------- arrows


def _arrows(flat: Flat, owner: Mapping[int, int], boxes: Mapping[int, Box]) -> tuple[Arrow, ...]:
    pairs = [
        (owner.get(start, start), owner.get(item.index, item.index), item, target, (start, source))
        for item in flat.nodes
        for target, (start, source) in enumerate(item.inputs)
    ]
    pairs = [pair for pair in pairs if pair[0] != pair[1]]
    rank = levels(boxes, [(start, end) for start, end, *_ in pairs])
    fan: dict[int, list[int]] = {}
    for place, (start, *_) in enumerate(pairs):
        fan.setdefault(start, []).append(place)
    labelled: set[tuple[int, int]] = set()
    found: list[Arrow] = []
    for place, (start, end, _, target, port) in enumerate(pairs):
        kind = flat.type_of(port)
        new = port not in labelled and _is_new(flat, port[0], kind)
        labelled.add(port)
        found.append(
            Arrow(
                start,
                end,
                kind.shape_text if new else "",
                str(kind),
                _cell(boxes[start], fan[start].index(place), len(fan[start])),
                target if boxes[end].shape == "bar" else None,
                max(1, rank[end] - rank[start]),
            )
        )
    return tuple(found)


def _cell(box: Box, place: int, among: int) -> int | None:
    """Which cell of a bar an arrow leaves from, when as many leave as there are cells."""
    return place if box.shape == "bar" and among == box.cells else None


def _is_new(flat: Flat, index: int, kind: TensorType) -> bool:
    """Whether a shape is not that of any input of the node that yields it.

    An input of the network says its shape itself.
    """
    item = flat.nodes[index]
    if item.kind == "input":
        return False
    return all(flat.type_of(port) != kind for port in item.inputs)
