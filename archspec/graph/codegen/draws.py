"""Random draws that joins share by their names, across blocks."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from archspec.frozen import frozen
from archspec.graph.codegen.joins import dropping
from archspec.graph.codegen.recursion import recursive_families
from archspec.graph.model import Draw, Graph, Node
from archspec.graph.units import Unit


def draw_name(node: Node) -> str:
    """The draw that a join shares, or ""."""
    join = dropping(node)
    return (join.draw or "") if join is not None else ""


@frozen
class Draws:
    """The draws of a network.

    `declared` are the declarations in the spec, `columns` the number of columns of each draw: the
    largest number of inputs of a join that names it. `read` are the names of draws that a unit, the
    one that represents all uses, or its callees read, sorted; those of one depth of a recursion are
    those of all.
    """

    declared: Mapping[str, Draw]
    columns: Mapping[str, int]
    read: Mapping[Unit, tuple[str, ...]]


def draws(units: Sequence[Unit]) -> Draws:
    """The draws of units, sorted callees first; `declared` is that of the outermost network."""
    declared: dict[str, Draw] = {}
    columns: dict[str, int] = {}
    own: dict[Unit, set[str]] = {}
    for unit in units:
        own[unit] = set()
        for graph in unit.all_graphs:
            declared.update({draw.name: draw for draw in graph.draws})
            for name, node in _drawing(graph):
                own[unit].add(name)
                columns[name] = max(columns.get(name, 0), len(node.inputs))
    families = recursive_families(units) if columns else []
    while True:
        read = _read(units, own)
        different = [family for family in families if len({read[unit] for unit in family}) > 1]
        if not different:
            return Draws(declared, columns, read)
        for family in different:
            together = {name for unit in family for name in read[unit]}
            own |= dict.fromkeys(family, together)


def _read(
    units: Sequence[Unit], own: Mapping[Unit, Collection[str]]
) -> dict[Unit, tuple[str, ...]]:
    """The draws of units and of those that they call."""
    read: dict[Unit, tuple[str, ...]] = {}
    for unit in units:
        names = {name for callee in unit.callees.values() for name in read[callee.owner]}
        read[unit] = tuple(sorted(names.union(own[unit])))
    return read


def _drawing(graph: Graph) -> Iterator[tuple[str, Node]]:
    for node in graph.nodes:
        if node.id in graph.computed and (name := draw_name(node)):
            yield name, node
