"""The boxes, frames and arrows of a drawing, independent of Graphviz."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Literal

from archspec.diagram.arrows import Arrow, arrows
from archspec.diagram.chains import Chain, chains, is_bar, is_commutative, wide
from archspec.diagram.edges import Wiring
from archspec.diagram.equal_uses import folded, number_range
from archspec.diagram.facts import Facts
from archspec.diagram.labels import shortened
from archspec.diagram.wording import Wording
from archspec.frozen import frozen
from archspec.graph.model import Structure
from archspec.passes.flat import Flat, FlatNode, Group

IDLE = "no output needs it"


@frozen
class Line:
    """One coloured line of a box: an op, with its label in the spec if it has one."""

    text: str
    category: str
    key: str = ""


@frozen
class Box:
    """One item of a drawing.

    "ops" is one op or a chain of ops on top of each other, "bar" an op with several inputs as a
    wide bar with a cell per input, "merge" one as a small box, "block" a block that is not
    expanded, "end" an input or output, "split" the point in a frame where data that enters it
    branches. `tooltip` has a line for each fact, `shapes` one for each shape of an output that no
    input has. `heads` and `tails` are cells at which several arrows enter and leave; 0 for one
    place. `count` is the number of equal boxes in sequence that it represents, `uses` that of the
    uses of a shared layer; a `shared` one has other uses.
    """

    id: int
    shape: Literal["ops", "bar", "merge", "block", "end", "split"]
    title: str
    lines: tuple[Line, ...]
    frame: int | None
    tooltip: tuple[str, ...]
    note: str = ""
    shapes: tuple[str, ...] = ()
    heads: int = 0
    tails: int = 0
    parted: bool = False  # a bar with space in the middle, for a plumb line
    idle: bool = False  # no output needs it
    uses: int = 1
    shared: bool = False
    count: int = 1


@frozen
class Frame:
    """A frame around boxes: an expanded block, or `count` equal pieces in sequence.

    It may represent several `uses` of a shared block; a `shared` one has other uses. `growth` says
    how the data grows that the pieces pass on.
    """

    id: int
    parent: int | None
    title: str
    nesting: int
    tooltip: tuple[str, ...]
    count: int = 1
    uses: int = 1
    shared: bool = False
    growth: str = ""


@frozen
class Drawing:
    """Boxes in order, frames outermost first, arrows in the order of their sources.

    `rows` has boxes that are side by side, in this order.
    """

    boxes: tuple[Box, ...]
    frames: tuple[Frame, ...]
    arrows: tuple[Arrow, ...]
    categories: tuple[str, ...]
    rows: tuple[tuple[int, ...], ...] = ()


def drawing_of(flat: Flat, wording: Wording, facts: Facts) -> Drawing:
    """The boxes, frames and arrows for an expanded graph."""
    return _Builder(prepared(flat), wording, facts).drawing()


def prepared(flat: Flat) -> Flat:
    """The graph as it is drawn: each tensor is an output, and uses of a shared head are one."""
    return folded(_separate_outputs(flat))


def _separate_outputs(flat: Flat) -> Flat:
    """The graph with an output for each tensor of an output that is a tuple: `pyramid[0]`."""
    kept = [item for item in flat.nodes if item.kind != "output"]
    for item in flat.nodes:
        if item.kind != "output":
            continue
        indices = list(_indices(_structure(item), len(item.inputs)))
        rows = zip(item.inputs, item.types, indices, strict=True)
        for (port, several), found in groupby(rows, lambda row: (row[0], row[0] in flat.collected)):
            together = list(found)
            for one in [together] if several else ([row] for row in together):
                name = number_range([f"{item.name}{index}" for *_, index in one])
                times = (len(one),) if len(one) > 1 else ()
                output = replace(item, index=len(kept), name=name, path=name, times=times)
                kept.append(replace(output, types=(one[0][1],), inputs=(port,)))
    return Flat(tuple(kept), flat.groups, flat.collected)


def _structure(item: FlatNode) -> Structure:
    assert item.graph is not None
    found = [output for output in item.graph.outputs if output.name == item.name]
    return found[0].structure if found else None


def _indices(structure: Structure, count: int) -> Iterator[str]:
    """`[0]`, `[1][0]` and so on, for each tensor of a structure; nothing for one tensor."""
    if structure is None:
        yield from [""] if count == 1 else [f"[{place}]" for place in range(count)]
        return
    for place, part in enumerate(structure):
        yield from (f"[{place}]{rest}" for rest in _indices(part, 1))


class _Builder:
    """Creates the boxes and frames of one drawing."""

    def __init__(self, flat: Flat, wording: Wording, facts: Facts) -> None:
        self.flat, self.wording, self.facts = flat, wording, facts
        self.shown, self.wide = innermost_frames(flat), wide(flat)
        readers = (item for item in flat.nodes if item.kind != "output")
        self.read = {port for item in readers for port in item.sources}

    def drawing(self) -> Drawing:
        flat, found = self.flat, chains(self.flat, self.shown)
        stacks = {chain.members[0]: chain for chain in found}
        owner = {index: chain.members[0] for chain in found for index in chain.members}
        read = {port[0] for item in flat.nodes for port in item.sources}
        boxes = [
            self._stack(stacks[item.index]) if item.index in stacks else self._single(item)
            for item in flat.nodes
            if owner.get(item.index, item.index) == item.index
            and (item.kind != "op" or item.inputs or item.index in read)  # not a single parameter
        ]
        closed = {chain.group.index for chain in found if chain.group is not None}
        frames = tuple(self._frames(closed))
        categories = {line.category for box in boxes for line in box.lines}
        wiring = Wiring(
            {box.id: box.frame for box in boxes},
            {frame.id: frame.parent for frame in frames},
            {box.id: box.heads for box in boxes if box.heads},
            frozenset(box.id for box in boxes if box.shape == "bar"),
            frozenset(box.id for box in boxes if box.shape in ("bar", "merge")),
        )
        drawn = arrows(flat, owner, wiring, self.wording)
        plumbed = {at for one in drawn.arrows if one.hidden for at in (one.start, one.end)}
        boxes = [
            replace(
                box,
                parted=box.shape == "bar" and box.id in plumbed,
                heads=drawn.heads.get(box.id, box.heads),
                tails=drawn.tails.get(box.id, 0),
                idle=box.id not in drawn.needed,
                shared=_is_shared(flat.nodes[box.id], stacks.get(box.id)),
                tooltip=box.tooltip if box.id in drawn.needed else (*box.tooltip, IDLE),
            )
            for box in boxes
        ]
        boxes += [Box(at, "split", "", (), frame, ()) for at, frame in drawn.splits.items()]
        return Drawing(tuple(boxes), frames, drawn.arrows, tuple(sorted(categories)), drawn.rows)

    # ------------------------------------------------------------------ frames

    def _frames(self, closed: set[int]) -> Iterator[Frame]:
        nesting: dict[int | None, int] = {None: 0}
        for group in self.flat.groups:
            if group.index in closed or self.shown[group.index] != group.index:
                continue
            parent = self.shown[group.parent]
            nesting[group.index] = nesting[parent] + 1
            title, tooltip = self.wording.title(group), self._facts_of(group)
            level = nesting[group.index]
            count, uses, shared = group.count, group.uses, group.shared
            growth = self.wording.growth(group.growth)
            yield Frame(group.index, parent, title, level, tooltip, count, uses, shared, growth)

    def _facts_of(self, group: Group) -> tuple[str, ...]:
        return self.facts.frame(group, self.wording.path(group))

    # ------------------------------------------------------------------ boxes

    def _stack(self, chain: Chain) -> Box:
        members = [self.flat.nodes[index] for index in chain.members]
        lines = tuple(self._line(item) for item in members)
        tip: tuple[str, ...] = tuple(" · ".join(self._facts(item)) for item in members)
        group, first = chain.group, chain.members[0]
        if group is None or group.graph is None:
            frame, title = self.shown[members[0].group], ""
        else:
            frame, title = self.shown[group.parent], self.wording.title(group)
            title = "" if _is_rule(group) else title
            tip = (*self._facts_of(group), *tip)
        count, uses = (group.count, group.uses) if group is not None else (1, members[0].uses)
        shapes = self._shapes(members)
        return Box(first, "ops", title, lines, frame, tip, shapes=shapes, count=count, uses=uses)

    def _facts(self, item: FlatNode) -> tuple[str, ...]:
        return self.facts.node(item, self.wording.op(item))

    def _line(self, item: FlatNode) -> Line:
        assert item.node is not None
        assert item.node.op is not None
        return Line(self.wording.op(item), item.node.op.category, self.wording.key(item))

    def _single(self, item: FlatNode) -> Box:
        frame = self.shown[item.group]
        if item.kind in ("input", "output"):
            types = ", ".join(self.wording.type(kind) for kind in item.types)
            name = shortened(item.name)
            text = (f"{item.kind} {name}", ", ".join(map(self.wording.exact_type, item.types)))
            return Box(item.index, "end", name, (), frame, text, shortened(types, 60))
        if item.kind == "call":
            return self._block(item, frame)
        line, tip, shapes = self._line(item), self._facts(item), self._shapes([item])
        count, uses = item.count, item.uses
        if not is_bar(item):
            return Box(
                item.index, "ops", "", (line,), frame, tip, shapes=shapes, count=count, uses=uses
            )
        is_wide = item.index in self.wide
        heads = 0 if is_commutative(item) and not is_wide else len(item.inputs)
        kind: Literal["bar", "merge"] = "bar" if is_wide else "merge"
        return Box(
            item.index, kind, "", (line,), frame, tip, count=item.count, shapes=shapes, heads=heads
        )

    def _block(self, item: FlatNode, frame: int | None) -> Box:
        callee = item.node.callee if item.node is not None else item.graph
        assert callee is not None
        title = self.wording.called(callee, item.final.node.callee if item.final else None)
        tip = self.facts.node(item, title)
        key = self.wording.key(item)
        shapes = self._shapes([item])
        count, uses = item.count, item.uses
        return Box(item.index, "block", title, (), frame, tip, key, shapes, count=count, uses=uses)

    def _shapes(self, members: Sequence[FlatNode]) -> tuple[str, ...]:
        """The shapes of the outputs of a box, if they differ from those of its inputs.

        Outputs of the network show their shapes in their own boxes, as do ops that are written with
        a shape.
        """
        given = [self.flat.type_of(port) for port in members[0].inputs]
        last = members[-1]
        written = self.wording.op(last) if last.kind == "op" else ""
        kinds = zip(last.types, last.first_types, strict=True)
        shapes = dict.fromkeys(
            self.wording.shape(kind, first)
            for at, (kind, first) in enumerate(kinds)
            if (last.index, at) in self.read and (kind not in given or first != kind)
        )
        grown = [self.wording.growth(last.growth)] * bool(last.growth)
        return tuple(shortened(text, 60) for text in (*shapes, *grown) if text not in written)


def innermost_frames(flat: Flat) -> Mapping[int | None, int | None]:
    """The frame around the nodes of each group: an expanded rule has no frame of its own."""
    found: dict[int | None, int | None] = {None: None}
    for group in flat.groups:
        found[group.index] = found[group.parent] if _is_rule(group) else group.index
    return found


def _is_shared(first: FlatNode, chain: Chain | None) -> bool:
    whole = chain.group if chain is not None else None
    return first.shared if whole is None else whole.shared


def _is_rule(group: Group) -> bool:
    return group.graph is not None and group.graph.kind == "rule" and group.count == 1
