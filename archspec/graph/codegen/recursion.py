"""Blocks that call themselves: their specialisations, one for each depth."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from archspec.graph.units import Unit


def definition_of(unit: Unit) -> Hashable:
    """The specialisations of one block."""
    graph = unit.either
    return (graph.name, graph.kind, graph.origin.span)


def recursive_families(units: Sequence[Unit]) -> list[list[Unit]]:
    """The specialisations of each block that calls itself, the network and layers of ops excluded.

    `units` are sorted callees first; the last one is the network.
    """
    found: dict[Hashable, list[Unit]] = {}
    recursive: set[Hashable] = set()
    applied = {definition_of(units[-1])}
    for unit in units:
        own = definition_of(unit)
        found.setdefault(own, []).append(unit)
        for (_, region), callee in unit.callees.items():
            if region is not None:
                applied.add(definition_of(callee.owner))
            elif definition_of(callee.owner) == own:
                recursive.add(own)
    return [family for own, family in found.items() if own in recursive - applied]
