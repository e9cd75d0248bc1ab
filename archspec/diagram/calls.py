"""Calls of blocks in drawings: with the arguments that a spec would write.

The first two required numbers are shown, by name unless there is only one, and then all numbers and
flags that are not at their defaults, such as `stride=2`. Rates, strings, layers and further
required arguments are shown if different blocks would have the same text. An ellipsis stands for
numbers that are left out: `rsu(n=7, mid=16, …)`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from itertools import dropwhile, takewhile
from typing import Any

from archspec.analysis.structure import structure_classes
from archspec.diagram.labels import SYMBOLIC, WIDEST, Dims, is_number, shortened, value_text
from archspec.graph.expression import evaluated
from archspec.graph.model import Graph

FIRST = 2
"""The number of required numbers that are shown."""


def call_texts(root: Graph, dims: Dims = SYMBOLIC) -> Mapping[Graph, str]:
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
            alike.setdefault(_text(graph, (), idle, dims), []).append(graph)
        for some in alike.values():
            for graph, telling in _distinct(some, (), classes):
                text = _text(graph, (*flags, *telling), idle, dims)
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


def _text(graph: Graph, shown: Sequence[str], idle: Set[str], dims: Dims) -> str:
    """`bottleneck(64, stride=2)`, `stage(depth=3, width=64)`: the first numbers, then others.

    A single number of a block is not named. Without room for all, the numbers are not named either,
    and the last of the others that are not in `shown` are left out. An ellipsis is in the place of
    numbers and flags that are left out.
    """
    required = list(takewhile(lambda a: a[0] not in graph.defaults, graph.arguments.items()))
    leading = [n for n, v in required if is_number(v) and not _is_rate(v) and n not in idle]
    numbers = leading[:FIRST]
    plain = len(leading) == 1 and not isinstance(graph.arguments[leading[0]], (list, tuple))
    changed = _changed(graph)
    named = [
        name
        for name, value in graph.arguments.items()
        if name not in numbers and name not in idle
        if name in changed or (name in shown and value is not False)
    ]
    given = {n for n, v in required if _is_value(v)} - idle - {*numbers, *named}
    omits = bool(given)
    while (text := _written(graph, numbers, named, plain, omits, dims)) and len(text) > WIDEST:
        spare = [name for name in named if name not in shown]
        if not plain:
            plain = True
        elif spare:
            named.remove(spare[-1])
            omits = True
        else:
            break
    return text


def _written(
    graph: Graph,
    numbers: Sequence[str],
    named: Sequence[str],
    plain: bool,
    omits: bool,
    dims: Dims,
) -> str:
    given = graph.arguments
    parts = [value_text(given[name], dims) for name in numbers if plain]
    listed = named if plain else [*numbers, *named]
    parts += [f"{name}={value_text(given[name], dims)}" for name in listed]
    parts += ["…"] * omits
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


def _is_value(value: Any) -> bool:
    """Whether an argument is a number, but no rate, or a list of these."""
    if isinstance(value, (list, tuple)):
        return bool(value) and all(map(_is_value, value))
    return is_number(value) and not _is_rate(value)


def _is_rate(value: Any) -> bool:
    """Whether a number does not change the structure of a block, like a rate of dropout."""
    return isinstance(value, float)
