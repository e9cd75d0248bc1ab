"""Units by definition, in the order in which their classes are written: callees first."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from graphlib import TopologicalSorter

import networkx

from archspec.graph.codegen.recursion import definition_of
from archspec.graph.units import Unit


def families(units: Sequence[Unit]) -> Iterator[list[Unit]]:
    """The specialisations of each block together, after all blocks that they call.

    A family whose units call each other, as those of a recursive rule, is in the order of its
    calls. Mutually recursive blocks are in layers, as in `by_height`.
    """
    place = {unit: number for number, unit in enumerate(units)}
    own: dict[Hashable, list[Unit]] = {}
    for unit in units:
        own.setdefault(definition_of(unit), []).append(unit)
    calls: networkx.DiGraph[Hashable] = networkx.DiGraph()
    calls.add_nodes_from(own)
    for unit in units:
        for callee in unit.callees.values():
            calls.add_edge(definition_of(callee.owner), definition_of(unit))
    circles = networkx.condensation(calls)
    for generation in networkx.topological_generations(circles):
        members = [circles.nodes[number]["members"] for number in generation]
        members.sort(key=lambda keys: min(place[own[key][0]] for key in keys))
        for keys in members:
            inside = sorted((unit for key in keys for unit in own[key]), key=place.__getitem__)
            if len(keys) == 1:
                yield [unit for layer in by_height(inside) for unit in layer]
            else:
                yield from by_height(inside)


def by_height(units: Sequence[Unit]) -> Iterator[list[Unit]]:
    """Units in layers: each unit only calls units of earlier layers."""
    place = {unit: number for number, unit in enumerate(units)}
    calls = {
        unit: {callee.owner for callee in unit.callees.values() if callee.owner in place}
        for unit in units
    }
    order = TopologicalSorter(calls)
    order.prepare()
    while ready := order.get_ready():
        yield sorted(ready, key=place.__getitem__)
        order.done(*ready)


def calls_itself(units: Sequence[Unit]) -> bool:
    """Whether some of these units call others of them."""
    inside = set(units)
    return any(callee.owner in inside for unit in units for callee in unit.callees.values())
