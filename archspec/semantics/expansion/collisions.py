"""Collisions of weight names: a label whose path is inside the instance of another label.

`a: conv(8, 3)` owns `a.weight`, so no other instance of its block can have the label `a.weight`.
Equal labels are rejected when they are claimed; this module finds labels that extend one another.
"""

from __future__ import annotations

from archspec.graph.model import Graph
from archspec.graph.names import prefixes
from archspec.semantics.building.instance_paths import NamedInstance, named_instances, paths
from archspec.semantics.values.context import Context


def check_collisions(context: Context, graph: Graph) -> None:
    """Report (E0601) instances of a block whose names lie inside another instance."""
    every = set(paths(graph))
    if every.isdisjoint(prefix for path in every if "." in path for prefix in prefixes(path)):
        return
    known = {owner.path: owner for owner in named_instances(graph)}
    for path, inner in known.items():
        for prefix in prefixes(path):
            outer = known.get(prefix)
            if outer is not None and _has(outer, path[len(prefix) + 1 :]):
                place = inner.instance.origin.span
                other = outer.instance.origin.span
                error = context.error(
                    "E0601",
                    f"the label `{path}` is a name inside of `{prefix}`",
                    place,
                    secondary=[(other, f"this already owns `{path}`")],
                    fix="choose another label",
                )
                context.session.report(error)


def _has(outer: NamedInstance, path: str) -> bool:
    """Whether `outer` has an instance or tensor at the path below it, or a tensor on the way."""
    graph = outer.instance.graph
    if graph is None:
        names = {item.name for item in outer.parameters}
        return any(
            (not n and not outer.instance.regions)  # a buffer has names in what computes it
            or f"{path}.".startswith(f"{n}.")
            or n.startswith(f"{path}.")
            for n in names
        )
    below = {owner.path: owner for owner in named_instances(graph)}
    if path in below or any(item.startswith(f"{path}.") for item in below):
        return True
    inner = [prefix for prefix in prefixes(path) if prefix in below]
    return any(_has(below[prefix], path[len(prefix) + 1 :]) for prefix in inner)
