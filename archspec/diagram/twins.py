"""Frames with the same contents, of which some calls are expanded in one and not in another.

The layers of two encoders are such frames. A reader compares them, so they are expanded equally.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from archspec.diagram.forms import Forms
from archspec.passes.flat import Flat, FlatNode, Group


def twins(flat: Flat, forms: Forms) -> Iterator[tuple[FlatNode, ...]]:
    """For each frame the calls that are expanded in another one with the same contents."""
    contents = _contents(flat)
    alike: dict[Hashable, list[list[FlatNode | Group]]] = {}
    for group in flat.groups:
        items = contents[group.index]
        alike.setdefault((group.kind, *(_title(item, forms) for item in items)), []).append(items)
    for frames in alike.values():
        opened = {
            place for items in frames for place, item in enumerate(items) if isinstance(item, Group)
        }
        for items in frames:
            yield tuple(
                item
                for place, item in enumerate(items)
                if place in opened and isinstance(item, FlatNode)
            )


def _contents(flat: Flat) -> dict[int | None, list[FlatNode | Group]]:
    """The nodes and groups in each group, in the order of their first nodes."""
    parents = {group.index: group for group in flat.groups}
    found: dict[int | None, list[FlatNode | Group]] = {None: []}
    found.update({index: [] for index in parents})
    listed: set[int] = set()
    for item in flat.nodes:
        inner: FlatNode | Group = item
        at = item.group
        while at is not None:
            found[at].append(inner)
            inner, at = parents[at], parents[at].parent
            if inner.index in listed:
                break
            listed.add(inner.index)
    return found


def _title(item: FlatNode | Group, forms: Forms) -> Hashable:
    """What makes items of two frames equal, whether or not they are expanded."""
    if isinstance(item, Group):
        return forms.of(item.graph) if item.graph is not None else item.kind, item.count
    callee = item.node.callee if item.node is not None else None
    return forms.of(callee) if callee is not None else item.name, item.count
