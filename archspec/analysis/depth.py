"""Depth: weight layers on the longest and on the shortest path from an input to an output.

What a weight layer is, each op says (`Op.depth`): a convolution, a linear layer, each layer of a
recurrent network, a product with learnt weights alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from archspec.analysis.flow import Algebra, Matrix, flow
from archspec.frozen import frozen
from archspec.graph.model import Graph, Node, Region
from archspec.ops.base import Made


@frozen
class Depth:
    """Weight layers between input and output, both 0 where nothing connects them."""

    longest: int
    shortest: int


def depth(graph: Graph) -> Depth:
    """Depth over all inputs and outputs of a graph."""
    matrix = depth_matrix(graph)
    if not matrix:
        return Depth(0, 0)
    return Depth(
        max(entry.longest for entry in matrix.values()),
        min(entry.shortest for entry in matrix.values()),
    )


def depth_matrix(graph: Graph) -> Matrix[Depth]:
    """Depth from each input to each output."""
    return flow(graph, Algebra(Depth(0, 0), _series, _merge, _through_op))


def _series(first: Depth, second: Depth) -> Depth:
    return Depth(first.longest + second.longest, first.shortest + second.shortest)


def _merge(left: Depth, right: Depth) -> Depth:
    return Depth(max(left.longest, right.longest), min(left.shortest, right.shortest))


def _through_op(
    graph: Graph,
    node: Node,
    made: tuple[Made, ...],
    regions: Sequence[tuple[Region, Matrix[Depth]]],
) -> Depth:
    if node.op is None:
        return Depth(0, 0)
    longest = shortest = node.op.depth(made)
    if not regions:
        return Depth(longest, shortest)
    inputs = graph.types_read(node)
    for region, matrix in regions:
        runs = _known_runs(node.op.region_runs(region.name, inputs))
        # A region that may be skipped adds nothing to the shortest path.
        longest += (1 if runs is None else runs) * max(
            (entry.longest for entry in matrix.values()), default=0
        )
        shortest += (runs or 0) * min((entry.shortest for entry in matrix.values()), default=0)
    return Depth(longest, shortest)


def _known_runs(runs: object) -> int | None:
    if runs is None or isinstance(runs, int):
        return runs
    return getattr(runs, "constant", None)
