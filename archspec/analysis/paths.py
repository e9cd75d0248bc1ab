"""Number of paths from inputs to outputs.

A path goes along edges of the fully expanded graph; an op is one step whatever its regions do.
Fractal blocks have 1, 2, 5, 26, 677, .. paths, doubly exponential in their columns, so beyond
2**1024 only the logarithm is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log2

from archspec.analysis.flow import Algebra, Matrix, flow
from archspec.frozen import frozen
from archspec.graph.model import Graph, Node, Region
from archspec.graph.walk import walk_computed
from archspec.ops.base import Made

EXACT_LIMIT = 1 << 1024


@frozen
class PathCount:
    """A number of paths, at least 1: `exact` below 2**1024, else None.

    `magnitude` is the binary logarithm if the number is not exact.
    """

    exact: int | None
    magnitude: float = 0.0

    @staticmethod
    def of(number: int) -> PathCount:
        """From an exact number, at least 1."""
        if number < EXACT_LIMIT:
            return PathCount(number)
        return PathCount(None, log2(number))

    @property
    def log2(self) -> float:
        """Its binary logarithm."""
        return self.magnitude if self.exact is None else log2(self.exact)

    def __mul__(self, other: PathCount) -> PathCount:
        if self.exact is not None and other.exact is not None:
            return PathCount.of(self.exact * other.exact)
        return PathCount(None, self.log2 + other.log2)

    def __add__(self, other: PathCount) -> PathCount:
        if self.exact is not None and other.exact is not None:
            return PathCount.of(self.exact + other.exact)
        high, low = max(self.log2, other.log2), min(self.log2, other.log2)
        return PathCount(None, high + log2(1 + 2.0 ** max(low - high, -1000.0)))

    def __str__(self) -> str:
        if self.exact is None:
            return f"2^{self.log2:.6g}"
        if self.exact < 10**15:
            return f"{self.exact:,}"
        power = f"2^{self.log2:.1f}"
        return f"{self.exact:,} ({power})" if self.exact < 10**30 else power


def paths(graph: Graph) -> PathCount | None:
    """Paths from any input to any output; None if nothing connects them."""
    total: PathCount | None = None
    for entry in path_matrix(graph).values():
        total = entry if total is None else total + entry
    return total


def has_attention(graph: Graph) -> bool:
    """Whether an op of a computed block is attention.

    Queries, keys and values are then three paths of one computation, and not alternatives.
    """
    return any(
        node.op is not None and node.op.category == "attention"
        for block in walk_computed(graph)
        for node in block.nodes
    )


def path_matrix(graph: Graph) -> Matrix[PathCount]:
    """Number of paths from each input to each output, where there are any."""
    one = PathCount.of(1)

    def through_op(
        graph: Graph,
        node: Node,
        made: tuple[Made, ...],
        regions: Sequence[tuple[Region, Matrix[PathCount]]],
    ) -> PathCount:
        return one

    return flow(graph, Algebra(one, PathCount.__mul__, PathCount.__add__, through_op))
