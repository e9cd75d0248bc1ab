"""Calls of blocks in drawings: with the arguments that a spec would write.

As for ops, required numbers are shown without a name, here the first two, and then all numbers
and flags that are not at their defaults, such as `stride=2`. Rates, strings, layers and further
required arguments are shown if different blocks would have the same text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from itertools import dropwhile, islice, takewhile
from typing import Any

from archspec.analysis.structure import structure_classes
from archspec.diagram.labels import WIDEST, is_number, shortened, value_text
from archspec.graph.expression import evaluated
from archspec.graph.model import Graph

FIRST = 2
"""The number of required numbers that are shown without a name."""


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
    telling = _distinguishing(graphs, shown, classes)
    if telling is None:
        yield from ((graph, shown) for graph in graphs)
        return
    parts: dict[str, list[Graph]] = {}
    for graph in graphs:
        parts.setdefault(repr(graph.arguments.get(telling)), []).append(graph)
    for part in parts.values():
        yield from _distinct(part, (*shown, telling), classes)


def _distinguishing(
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

    Without room for all, the last of those that are not in `shown` are left out.
    """
    required = takewhile(lambda a: a[0] not in graph.defaults, graph.arguments.items())
    leading = ((n, v) for n, v in required if is_number(v) and not _is_rate(v) and n not in idle)
    numbers = dict(islice(leading, FIRST))
    changed = _changed(graph)
    named = [
        name
        for name, value in graph.arguments.items()
        if name not in numbers and name not in idle
        if name in changed or (name in shown and value is not False)
    ]
    while (text := _written(graph, numbers, named, sizes)) and len(text) > WIDEST:
        spare = [name for name in named if name not in shown]
        if not spare:
            break
        named.remove(spare[-1])
    return text


def _written(
    graph: Graph, numbers: Mapping[str, Any], named: Sequence[str], sizes: Mapping[str, int] | None
) -> str:
    parts = [value_text(value, sizes) for value in numbers.values()]
    parts += [f"{name}={value_text(graph.arguments[name], sizes)}" for name in named]
    return f"{graph.name}({', '.join(parts)})" if parts else graph.name


def _changed(graph: Graph) -> frozenset[str]:
    """The numbers and flags that are not at their defaults, without rates."""
    found = set()
    for name, value in dropwhile(lambda a: a[0] not in graph.defaults, graph.arguments.items()):
        if is_number(value) or (isinstance(value, bool) and name in graph.defaults):
            # A default that is no expression, such as `half`, is not this number.
            expression = graph.defaults.get(name)
            default = None if expression is None else evaluated(expression, graph.arguments)
            same = default is not None and value_text(default) == value_text(value)
            found |= set() if same or _is_rate(value) else {name}
    return frozenset(found)


def _is_rate(value: Any) -> bool:
    """Whether a number does not change the structure of a block, like a rate of dropout."""
    return isinstance(value, float)
