"""Which variables two variants of a block should use in common, so that they share statements.

The nodes of their graphs are matched in order. A value that both have should have the same name in
both. If an equal node reads a value that only one variant has, that value should replace the
variable that the other variant reads there: `x = self.downsample(x)`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from archspec.graph.model import Graph, Node, Port
from archspec_torch.classes.draft import Draft
from archspec_torch.code.alignment import aligned
from archspec_torch.code.names import is_identifier

Preferred: TypeAlias = "dict[bool, Mapping[Port, str]]"
"""By mode, names for the values of a graph."""


def preferred_names(draft: Draft, other: Draft) -> Preferred:
    """The preferred names for the values of a draft, given those of another variant."""
    found: Preferred = {}
    for mode, names in other.layout.names.items():
        graphs = draft.unit.graph(mode), other.unit.graph(mode)
        found[mode] = dict(_names(*graphs, names))
    return found


def _names(graph: Graph, other: Graph, names: Mapping[Port, str]) -> Iterator[tuple[Port, str]]:
    same = dict(_matched(graph, other))
    for number, counterpart in same.items():
        node, alike = graph.node(number), other.node(counterpart)
        for index in range(min(len(node.types), len(alike.types))):
            name = names.get(Port(counterpart, index), "")
            if is_identifier(name) and not node.is_input:
                yield Port(number, index), name
        for port, read in zip(node.inputs, alike.inputs, strict=False):
            name = names.get(read, "")
            if port.node not in same and is_identifier(name):
                yield port, name


def _matched(graph: Graph, other: Graph) -> Iterator[tuple[int, int]]:
    """Equal nodes in both, by their numbers.

    Their values have the same names in the spec. Between them, nodes with other names or other
    numbers in their keys are equal: `layer.1` and `layer.2`.
    """
    nodes, others = graph.nodes, other.nodes
    keys = [[_key(node) for node in both] for both in (nodes, others)]
    named = [
        [f"{key} {node.name}" for key, node in zip(part, both, strict=True)]
        for part, both in zip(keys, (nodes, others), strict=True)
    ]
    for low, high, start, end, alike in aligned(*named):
        parts = [(low, high, start, end, alike)]
        if not alike:
            numberless = [
                [re.sub(r"_?\d+", "", key) for key in part]
                for part in (keys[0][low:high], keys[1][start:end])
            ]
            parts = aligned(*numberless)
            parts = [(a + low, b + low, c + start, d + start, same) for a, b, c, d, same in parts]
        for first, last, place, _, same in parts:
            for offset in range(last - first if same else 0):
                yield nodes[first + offset].id, others[place + offset].id


def _key(node: Node) -> str:
    if node.instance is None:
        return f"input {node.name}"
    kinds = " ".join(kind.dtype for kind in node.types)
    return f"{node.instance.title} {node.instance.key} {len(node.inputs)} {kinds}"
