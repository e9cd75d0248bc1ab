"""Which parameters of a block its callers give as expressions of their own arguments.

Such a parameter is an argument of the class also if it has its default in all specialisations: the
class of the caller is made with other values, too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Iterator

from archspec.graph.codegen.recursion import definition_of
from archspec.graph.expression import Number, names_in, substituted
from archspec.graph.units import Unit


def given_names(units: Iterable[Unit], roots: Collection[Unit]) -> dict[Hashable, set[str]]:
    """By definition, the parameters that depend on arguments of the classes of callers.

    `roots` are the networks, whose classes are not made with other values by callers.
    """
    families: dict[Hashable, list[Unit]] = defaultdict(list)
    for unit in units:
        if unit not in roots:
            families[definition_of(unit)].append(unit)
    found: dict[Hashable, set[str]] = defaultdict(set)
    for family in families.values():
        free = {*_free(family)}
        for unit in family if free else ():
            for definition, name in _given(unit, free):
                found[definition].add(name)
    return found


def _free(family: Collection[Unit]) -> Iterator[str]:
    """The parameters of a block that do not have their default everywhere."""
    graphs = [unit.either for unit in family]
    for name in graphs[0].arguments:
        for graph in graphs:
            default = graph.defaults.get(name)
            if not isinstance(default, Number) or default.value != graph.arguments.get(name):
                yield name
                break


def _given(unit: Unit, free: set[str]) -> Iterator[tuple[Hashable, str]]:
    graph = unit.either
    for node in graph.nodes:
        if node.instance is None or node.callee is None:
            continue
        definition = definition_of(unit.callee(node.instance).owner)
        if definition == definition_of(unit):
            continue
        for name, one in node.instance.written.items():
            if not free.isdisjoint(names_in(substituted(one, graph.definitions))):
                yield definition, name
