"""Sizes that the body of a block reads of data that it computes: they are no arguments.

The number of patches follows from the size of an image and that of a patch. A class for which it
was an argument of its own would be wrong for other values of these.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from archspec.graph.expression import Expression, evaluated, names_in
from archspec.graph.model import Graph, Port
from archspec_torch.classes.constructor.parameters import Values
from archspec_torch.classes.draft import Draft
from archspec_torch.planning.known_numbers import known_numbers
from archspec_torch.planning.size_origins import follows, measured_at, names_of_measured


def computed_sizes(drafts: Sequence[Draft], sizes: Mapping[str, Values]) -> dict[str, Expression]:
    """Those of the sizes that the body computes, with an expression that is right in each draft."""
    graphs = [draft.unit.either for draft in drafts]
    found: dict[str, Expression] = {}
    for name, values in sizes.items():
        for origin in dict.fromkeys(follows(graph, name) for graph in graphs):
            if origin is not None and all(
                evaluated(origin, known_numbers(graph)) == value
                for graph, value in zip(graphs, values, strict=True)
            ):
                found[name] = origin
                break
    return found


def names_of_unknown_sizes(graph: Graph, known: Collection[str]) -> Iterator[str]:
    """Sizes that the body computes and that are not `known`, with all names they may depend on."""
    for name in names_of_measured(graph):
        at = measured_at(graph, name)
        if at is None or name in known or graph.node(at[0].node).is_input:
            continue
        if graph.type_of(at[0]).shape[at[1]].constant is not None:
            yield name
            yield from _names_before(graph, at[0])


def _names_before(graph: Graph, port: Port) -> Iterator[str]:
    """The names that data, and all that it is computed from, may depend on."""
    seen, stack = {port.node}, [port.node]
    while stack:
        node = graph.node(stack.pop())
        if node.is_input:
            at = graph.inputs.index(node)
            yield from (f"{at}:{axis}" for axis in range(node.types[0].rank))
            yield from (name for _, _, name in node.measured)
        if node.instance is not None:
            for written in node.instance.written.values():
                yield from names_in(written)
        for one in node.inputs:
            if one.node not in seen:
                seen.add(one.node)
                stack.append(one.node)
