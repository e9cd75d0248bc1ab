"""Parts that a unit adds to the modules that it calls.

If `block.0` is a call, the label `block.0.layer.0.extra` adds `extra` to the callee's module at
`layer.0`. A module with such children must not run its children or iterate over them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from archspec.graph.names import prefixes
from archspec.graph.units import Owned, Unit

Insertions: TypeAlias = Mapping[str, Mapping[str, frozenset[str]]]
"""By name of a block: paths in it below which callers add children, with their names."""


def insertions(units: Sequence[Unit]) -> Insertions:
    """The additions of units to others; the specialisations of one block are treated alike."""
    found: dict[str, dict[str, frozenset[str]]] = {}
    for unit in units:
        owned = {one.key: one for one in unit.owned}
        for key in owned:
            for outer in prefixes(key):
                if outer in owned:
                    for callee, rest in _inside(unit, owned[outer], key[len(outer) + 1 :]):
                        _note(found, callee, rest)
    return found


def _note(found: dict[str, dict[str, frozenset[str]]], unit: Unit, path: str) -> None:
    """Note where the part with this path is put, in a unit or in what that calls."""
    owned = {one.key: one for one in unit.owned}
    containers = {prefix for key in owned for prefix in prefixes(key)}
    above = ["", *prefixes(path)]
    parent = max((one for one in above if one in containers or not one), key=len)
    module = max((one for one in above if one in owned), key=len, default="")
    if not module or len(parent) > len(module):
        name = path[len(parent) :].lstrip(".").partition(".")[0]
        places = found.setdefault(unit.either.name, {})
        places[parent] = places.get(parent, frozenset()) | {name}
    if module:
        for callee, rest in _inside(unit, owned[module], path[len(module) + 1 :]):
            _note(found, callee, rest)


def _inside(unit: Unit, owned: Owned, path: str) -> Iterator[tuple[Unit, str]]:
    """The units of the module at a name, with the rest of the path."""
    for instance in owned.instances:
        if instance.op is None:
            yield unit.callee(instance).owner, path
        for region in instance.regions:
            if not region.key:
                yield unit.callee(instance, region).owner, path
            elif path.startswith(f"{region.key}."):
                yield unit.callee(instance, region).owner, path[len(region.key) + 1 :]
