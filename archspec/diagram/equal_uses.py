"""Uses of one layer on several data, drawn once, such as a head that reads each map of a pyramid.

These are the uses of a shared layer from which only outputs of the network are computed. What they
read enters one box or frame, and each of its outputs represents those of all uses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from archspec.frozen import frozen
from archspec.passes.flat import Flat, FlatNode, FlatPort, Group
from archspec.types.dim import Dim
from archspec.types.tensor import TensorType

DIFFERENT = Dim.symbol("…")
"""In a shape, a size that differs between uses."""

NUMBERS = re.compile(r"\d+")

Key: TypeAlias = "tuple[int | None, str]"
"""The group of a use, and the full name of the layer."""


@frozen
class Use:
    """The nodes of one use, in order, and its groups, outermost first."""

    nodes: tuple[int, ...]
    groups: tuple[int, ...] = ()


def folded(flat: Flat) -> Flat:
    """The graph with one use of each such layer; uses of other shared layers are marked."""
    families = list(_several(flat))
    if not families:
        return flat
    readers: dict[int, list[FlatNode]] = {}
    for item in flat.nodes:
        for start, _ in item.inputs:
            readers.setdefault(start, []).append(item)
    drawn = _Drawn(flat)
    for uses in families:
        ends = [one for use in uses if (one := _ends(use, readers)) is not None]
        together = len(ends) == len(uses) and all(one.keys() == ends[0].keys() for one in ends)
        if together and _are_alike(flat, uses):
            drawn.fold(uses, ends)
        else:
            drawn.mark(uses)
    return drawn.flat()


def _several(flat: Flat) -> Iterator[Sequence[Use]]:
    """The uses of each layer that is used several times in one group."""
    found: dict[Key, list[Use]] = {}
    for item in flat.nodes:
        if item.path and _owns(item):
            found.setdefault((item.group, item.path), []).append(Use((item.index,)))
    places: dict[Key, list[Group]] = {}
    for group in flat.groups:
        if group.kind == "block":
            places.setdefault((group.parent, group.path), []).append(group)
    for key, groups in places.items():
        if len(groups) > 1:
            found.setdefault(key, []).extend(_inside(flat, group) for group in groups)
    return (uses for uses in found.values() if len(uses) > 1)


def _owns(item: FlatNode) -> bool:
    """Whether a node calls a block or has weights."""
    if item.node is None or item.graph is None or item.kind not in ("op", "call"):
        return False
    return item.kind == "call" or bool(item.graph.parameters_of(item.node))


def _inside(flat: Flat, group: Group) -> Use:
    groups = {group.index: None}
    for other in flat.groups:  # outermost first
        if other.parent in groups:
            groups[other.index] = None
    return Use(tuple(item.index for item in flat.nodes if item.group in groups), tuple(groups))


def _are_alike(flat: Flat, uses: Sequence[Use]) -> bool:
    forms = [[_form(flat, use, at) for at in use.nodes] for use in uses]
    return all(form == forms[0] and form for form in forms)


def _form(flat: Flat, use: Use, index: int) -> tuple[object, ...]:
    """A node without its place in the graph: inputs from outside are None."""
    item = flat.nodes[index]
    assert item.node is not None
    place = {at: number for number, at in enumerate(use.nodes)}
    inputs = tuple((place[at], port) if at in place else None for at, port in item.inputs)
    return item.kind, item.path, item.node.op, item.count, len(item.types), inputs


def _ends(
    use: Use, readers: Mapping[int, Sequence[FlatNode]]
) -> Mapping[tuple[int, int, int], FlatNode] | None:
    """The outputs of the network that are computed in a use; None if something else reads it.

    The key is the place of the node in the use, its port, and a number for several of one port.
    """
    inside = set(use.nodes)
    found: dict[tuple[int, int, int], FlatNode] = {}
    for place, index in enumerate(use.nodes):
        counted: dict[int, int] = {}
        for reader in readers.get(index, ()):
            if reader.index in inside:
                continue
            if reader.kind != "output":
                return None
            port = reader.inputs[0][1]
            found[place, port, counted.setdefault(port, 0)] = reader
            counted[port] += 1
    return found or None


class _Drawn:
    """The nodes that remain of a graph; the last of several uses represents all."""

    def __init__(self, flat: Flat) -> None:
        self.nodes = {item.index: item for item in flat.nodes}
        self.groups = {group.index: group for group in flat.groups}
        self.collected = flat.collected

    def fold(
        self, uses: Sequence[Use], ends: Sequence[Mapping[tuple[int, int, int], FlatNode]]
    ) -> None:
        """Remove all but the last of some uses, with their outputs."""
        last = uses[-1]
        for place, index in enumerate(last.nodes):
            same = [self.nodes[use.nodes[place]] for use in uses]
            self.nodes[index] = replace(
                same[-1],
                types=_together(same),
                also=_further(same, set(last.nodes)),
                uses=1 if last.groups else len(uses),
            )
        if last.groups:
            outer = last.groups[0]
            self.groups[outer] = replace(self.groups[outer], uses=len(uses))
        for key, kept in ends[-1].items():
            outputs = [self.nodes[one[key].index] for one in ends]
            first, name = outputs[0].index, number_range([item.name for item in outputs])
            self.nodes[first] = replace(
                self.nodes[first],
                name=name,
                path=name,
                inputs=kept.inputs,
                types=_together(outputs),
            )
        for use, later in zip(uses[:-1], ends[1:], strict=True):
            for index in (*use.nodes, *(item.index for item in later.values())):
                del self.nodes[index]
            for group in use.groups:
                del self.groups[group]

    def mark(self, uses: Sequence[Use]) -> None:
        """Mark some uses as those of one layer."""
        for use in uses:
            if use.groups:
                self.groups[use.groups[0]] = replace(self.groups[use.groups[0]], shared=True)
            else:
                index = use.nodes[0]
                self.nodes[index] = replace(self.nodes[index], shared=True)

    def flat(self) -> Flat:
        """The graph of these nodes, numbered again."""
        number = {index: place for place, index in enumerate(sorted(self.nodes))}

        def moved(port: FlatPort) -> FlatPort:
            return number[port[0]], port[1]

        return Flat(
            tuple(
                replace(
                    self.nodes[index],
                    index=place,
                    inputs=tuple(map(moved, self.nodes[index].inputs)),
                    also=tuple((at, moved(port)) for at, port in self.nodes[index].also),
                )
                for index, place in number.items()
            ),
            tuple(self.groups.values()),
            frozenset(moved(port) for port in self.collected if port[0] in number),
        )


def _further(same: Sequence[FlatNode], inside: set[int]) -> tuple[tuple[int, FlatPort], ...]:
    """What the other uses read, with the input where it enters."""
    found: dict[tuple[int, FlatPort], None] = {}
    for item in same[:-1]:
        for at, port in enumerate(item.inputs):
            own = same[-1].inputs[at]
            if own[0] not in inside and port != own:
                found[at, port] = None
    return tuple(found)


def _together(same: Sequence[FlatNode]) -> tuple[TensorType, ...]:
    """The types of equal nodes, without the sizes that differ."""
    return tuple(_common(kinds) for kinds in zip(*(item.types for item in same), strict=True))


def _common(kinds: Sequence[TensorType]) -> TensorType:
    sizes = zip(*(kind.shape for kind in kinds), strict=True)
    return kinds[0].with_shape(*(one[0] if len({*one}) == 1 else DIFFERENT for one in sizes))


def number_range(names: Sequence[str]) -> str:
    """`proposals[0 .. 4][1]` for names that differ in one number, otherwise the first and last."""
    first, last = names[0], names[-1]
    if first == last:
        return first
    one, other = NUMBERS.findall(first), NUMBERS.findall(last)
    apart = [at for at, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]]
    if NUMBERS.sub("0", first) != NUMBERS.sub("0", last) or len(apart) != 1:
        return f"{first} .. {last}"
    found = [*NUMBERS.finditer(first)][apart[0]]
    return f"{first[: found.end()]} .. {other[apart[0]]}{first[found.end() :]}"
