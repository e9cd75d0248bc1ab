"""Ops that are drawn on top of each other in one box.

There are two kinds: an expanded block that is a chain of ops, and an op with the following ops that
keep the shape and have no depth of their own (convolution, norm, activation).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise

from archspec.diagram.shape_readers import ShapeReaders
from archspec.frozen import frozen
from archspec.passes.flat import Flat, FlatNode, FlatPort, Group


@frozen
class Chain:
    """Ops in one box; `group` is the expanded block that they form, if any."""

    members: tuple[int, ...]
    group: Group | None = None


def chains(flat: Flat, frames: Mapping[int | None, int | None]) -> tuple[Chain, ...]:
    """Chains of ops; `frames` has the innermost drawn frame of each group."""
    readers: dict[int, list[int]] = {}
    for item in flat.nodes:
        for start, _ in item.sources:
            readers.setdefault(start, []).append(item.index)
    found = _block_chains(flat, readers)
    taken = {index for chain in found for index in chain.members}
    for item in flat.nodes:
        if item.kind != "op" or item.index in taken:
            continue
        members = [item.index]
        while (following := _kept_shape(flat, members[-1], readers, frames)) is not None:
            if following in taken:
                break
            members.append(following)
        taken.update(members)
        if len(members) > 1:
            found.append(Chain(tuple(members)))
    return tuple(found)


def is_bar(item: FlatNode) -> bool:
    """Whether an op merges its inputs, and is drawn as a bar."""
    op = item.node.op if item.node is not None else None
    if op is None or not item.inputs:
        return False
    return op.category == "merge" or (op.category == "arithmetic" and len(item.inputs) > 1)


def wide(flat: Flat) -> frozenset[int]:
    """The ops that merge their inputs and are bars as wide as these.

    These are joins, and ops that merge three branches, or two of the same length that begin
    together. Others are small boxes, next to which a short path passes a long one: two branches of
    other lengths, or data of which some are computed from others, as in dense connections.
    """
    readers = Counter(port[0] for item in flat.nodes for port in item.sources)
    above = _above(flat)
    return frozenset(item.index for item in flat.nodes if _is_wide(flat, item, readers, above))


def _above(flat: Flat) -> Sequence[int]:
    """For each node a mask of those from whose values it is computed, including itself."""
    found: list[int] = []
    readers = ShapeReaders()
    for item in flat.nodes:
        shapes = readers.of(item)
        mask = 1 << item.index
        for at, (start, _) in (*item.also, *enumerate(item.inputs)):
            mask |= 0 if at in shapes else found[start]
        found.append(mask)
    return found


def _is_wide(flat: Flat, item: FlatNode, readers: Mapping[int, int], above: Sequence[int]) -> bool:
    op = item.node.op if item.node is not None else None
    if op is None or op.category != "merge":
        return False
    if op.kept_mean() is not None:
        return True
    if len(item.inputs) != 2:
        starts = {start for start, _ in item.inputs}
        mask = sum(1 << start for start in starts)
        return len(item.inputs) > 2 and all(above[at] & mask == 1 << at for at in starts)
    one, other = (_branch(flat, port, readers) for port in item.inputs)
    return one == other and one[1] > 0


def _branch(flat: Flat, port: FlatPort, readers: Mapping[int, int]) -> tuple[FlatPort, int]:
    """Where a branch begins that ends at a port, and its length."""
    length, item = 0, flat.nodes[port[0]]
    while readers[item.index] == 1 and len(item.inputs) == 1:
        port, length = item.inputs[0], length + 1
        item = flat.nodes[port[0]]
    return port, length


def is_commutative(item: FlatNode) -> bool:
    """Whether the order of inputs is not shown: for sums and products, and merged inputs."""
    op = item.node.op if item.node is not None else None
    return op is not None and (op.category == "merge" or op.arithmetic in ("sum", "product"))


def _block_chains(flat: Flat, readers: Mapping[int, list[int]]) -> list[Chain]:
    members: dict[int, list[FlatNode]] = {}
    for item in flat.nodes:
        if item.group is not None:
            members.setdefault(item.group, []).append(item)
    parents = {group.parent for group in flat.groups}
    return [
        Chain(tuple(item.index for item in members[group.index]), group)
        for group in flat.groups
        if group.kind == "block"
        and group.index not in parents
        and _is_chain(members.get(group.index, ()), readers)
    ]


def _is_chain(items: Sequence[FlatNode], readers: Mapping[int, list[int]]) -> bool:
    if not items or any(item.kind != "op" or len(item.types) != 1 for item in items):
        return False
    if len(items[0].inputs) > 1:
        return False
    return all(
        len(item.inputs) == 1
        and item.inputs[0][0] == before.index
        and readers.get(before.index) == [item.index]
        for before, item in pairwise(items)
    )


def _kept_shape(
    flat: Flat,
    index: int,
    readers: Mapping[int, list[int]],
    frames: Mapping[int | None, int | None],
) -> int | None:
    """The only reader of an op, if it is in the same frame and keeps the type."""
    item, after = flat.nodes[index], readers.get(index, [])
    if len(after) != 1 or is_bar(item) or item.count > 1:
        return None
    following = flat.nodes[after[0]]
    op = following.node.op if following.node is not None else None
    fits = (
        op is not None
        and not op.weight_layers
        and not is_bar(following)
        and len(following.sources) == 1
        and following.types == item.types
        and following.count == 1
        and frames[following.group] == frames[item.group]
    )
    return following.index if fits else None
