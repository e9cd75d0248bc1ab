"""Depth: weight layers on the longest and on the shortest path from an input to an output.

Each op defines its weight layers (`Op.depth`): a convolution, a linear layer, each layer of a
recurrent network, a product with learned weights. A layer that an op runs n times is counted n
times, and n may be a free dimension: so the depth depends on the sizes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from archspec.analysis.flow import Algebra, Matrix, flow
from archspec.analysis.fold import region_runs
from archspec.frozen import frozen
from archspec.graph.model import Graph, Node, Region
from archspec.ops.base import Made


@frozen
class Depth:
    """Weight layers between input and output, both 0 if nothing connects them."""

    longest: int
    shortest: int


def depth(graph: Graph, sizes: Mapping[str, int]) -> Depth:
    """Depth over all inputs and outputs of a graph at given sizes of its free dimensions.

    Raises KeyError if a free dimension that is the number of runs of a layer has no size.
    """
    matrix = depth_matrix(graph, sizes)
    if not matrix:
        return Depth(0, 0)
    return Depth(
        max(entry.longest for entry in matrix.values()),
        min(entry.shortest for entry in matrix.values()),
    )


def depth_matrix(graph: Graph, sizes: Mapping[str, int]) -> Matrix[Depth]:
    """Depth from each input to each output at given sizes, as in `depth`."""
    return flow(graph, Algebra(Depth(0, 0), _series, _merge, partial(_through_op, sizes)))


def _series(first: Depth, second: Depth) -> Depth:
    return Depth(first.longest + second.longest, first.shortest + second.shortest)


def _merge(left: Depth, right: Depth) -> Depth:
    return Depth(max(left.longest, right.longest), min(left.shortest, right.shortest))


def _through_op(
    sizes: Mapping[str, int],
    graph: Graph,
    node: Node,
    made: tuple[Made, ...],
    regions: Sequence[tuple[Region, Matrix[Depth]]],
) -> Depth:
    if node.op is None:
        return Depth(0, 0)
    longest = shortest = node.op.depth(made)
    for (_, matrix), (_, times) in zip(regions, region_runs(graph, node), strict=True):
        # A region that may be skipped adds nothing to the shortest path.
        most = 1 if times is None else max(0, times.evaluate(sizes))
        least = 0 if times is None else most
        longest += most * max((entry.longest for entry in matrix.values()), default=0)
        shortest += least * min((entry.shortest for entry in matrix.values()), default=0)
    return Depth(longest, shortest)
