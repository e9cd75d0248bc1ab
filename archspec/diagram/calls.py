"""Calls of blocks in drawings: with the arguments in which they differ.

The first two numbers are always shown, as are flags that are set. Further arguments are shown by
name if different blocks would have the same text, as in `swin_block(3, 7, shift=3)`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from itertools import islice, takewhile

from archspec.analysis.structure import structure_classes
from archspec.diagram.labels import is_number, shortened, value_text
from archspec.graph.model import Graph

FIRST = 2
"""The number of leading numbers that are shown without a name."""


def call_texts(root: Graph, sizes: Mapping[str, int] | None = None) -> Mapping[Graph, str]:
    """A text for each graph below a root, and for the root."""
    classes = structure_classes(root)
    named: dict[str, list[Graph]] = {}
    for graph in classes:
        named.setdefault(graph.name, []).append(graph)
    found: dict[Graph, str] = {}
    for graphs in named.values():
        idle = _idle(graphs, classes)
        flags, alike = _flags(graphs), dict[str, list[Graph]]()
        for graph in graphs:
            alike.setdefault(_text(graph, (), idle, sizes), []).append(graph)
        for some in alike.values():
            for graph, telling in _distinct(some, (), classes):
                text = _text(graph, (*flags, *telling), idle, sizes)
                found[graph] = shortened(f"frozen({text})" if graph.frozen else text)
    return found


def _idle(graphs: Sequence[Graph], classes: Mapping[Graph, int]) -> frozenset[str]:
    """The arguments in which blocks of equal structure differ, such as rates of drop-path."""
    values: dict[tuple[int, str], set[str]] = {}
    for graph in graphs:
        for name, value in graph.arguments.items():
            values.setdefault((classes[graph], name), set()).add(repr(value))
    return frozenset(name for (_, name), found in values.items() if len(found) > 1)


def _flags(graphs: Sequence[Graph]) -> tuple[str, ...]:
    """The flags of a block that are shown if set: those that are not set in all its forms."""
    names = dict.fromkeys(
        name for graph in graphs for name, value in graph.arguments.items() if value is True
    )
    set_in = {name: [graph.arguments.get(name) is True for graph in graphs] for name in names}
    return tuple(n for n, found in set_in.items() if len(graphs) == 1 or not all(found))


def _distinct(
    graphs: Sequence[Graph], shown: tuple[str, ...], classes: Mapping[Graph, int]
) -> Iterator[tuple[Graph, tuple[str, ...]]]:
    """Graphs with the same text, each with the additional arguments to show."""
    telling = _telling(graphs, shown, classes)
    if telling is None:
        yield from ((graph, shown) for graph in graphs)
        return
    parts: dict[str, list[Graph]] = {}
    for graph in graphs:
        parts.setdefault(repr(graph.arguments.get(telling)), []).append(graph)
    for part in parts.values():
        yield from _distinct(part, (*shown, telling), classes)


def _telling(
    graphs: Sequence[Graph], shown: tuple[str, ...], classes: Mapping[Graph, int]
) -> str | None:
    """The first argument that distinguishes graphs of different structure, and no equal ones."""
    if len({classes[graph] for graph in graphs}) < 2:
        return None
    for name in graphs[0].arguments:
        values: dict[int, set[str]] = {}
        for graph in graphs:
            values.setdefault(classes[graph], set()).add(repr(graph.arguments.get(name)))
        same = all(len(found) == 1 for found in values.values())
        if name not in shown and same and len(set().union(*values.values())) > 1:
            return name
    return None


def _text(
    graph: Graph, shown: Sequence[str], idle: Set[str], sizes: Mapping[str, int] | None
) -> str:
    """`bottleneck(64, 2)`: the first numbers, then arguments by name, in order.

    A flag that is not set is left out.
    """
    leading = takewhile(lambda a: is_number(a[1]) and a[0] not in idle, graph.arguments.items())
    numbers = dict(islice(leading, FIRST))
    parts = [value_text(value, sizes) for value in numbers.values()]
    parts += [
        f"{name}={value_text(value, sizes)}"
        for name, value in graph.arguments.items()
        if name not in numbers and name in shown and value is not False
    ]
    return f"{graph.name}({', '.join(parts)})" if parts else graph.name
