"""What happens on the way from each input of a block to each of its outputs.

Depth, number of paths and receptive field are all of this kind: something composes along a path,
and paths that meet are merged. A block is summed up by a matrix with an entry per input and
output that are connected, so each block is walked once however often it is used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from archspec.analysis.fold import Below, fold
from archspec.graph.model import Graph, Node, Port, Region

T = TypeVar("T")

Matrix: TypeAlias = Mapping[tuple[int, int], T]
"""By index of input and index of output (flattened), for those that are connected."""


@dataclass(frozen=True, slots=True)
class Algebra(Generic[T]):
    """How something composes.

    `start` is the value at an input. `series` continues a path by a step, `merge` joins two paths
    that end at the same place; `series` distributes over `merge`. `op` is the step from one input
    of an op node to one of its outputs; it is given the matrices of the op's regions.
    """

    start: T
    series: Callable[[T, T], T]
    merge: Callable[[T, T], T]
    op: Callable[[Graph, Node, int, int, Sequence[tuple[Region, Matrix[T]]]], T]


def flow(graph: Graph, algebra: Algebra[T]) -> Matrix[T]:
    """The matrix of a graph."""

    def step(item: Graph, below: Below[Matrix[T]]) -> Matrix[T]:
        found: dict[tuple[int, int], T] = {}
        steps = {node.id: dict(_steps(item, node, algebra, below)) for node in item.nodes}
        for index, start in enumerate(item.inputs):
            reached = _reach(item, start, steps, algebra)
            for output, port in enumerate(item.output_ports):
                if port in reached:
                    found[index, output] = reached[port]
        return found

    return fold(graph, step)


def _steps(
    graph: Graph, node: Node, algebra: Algebra[T], below: Below[Matrix[T]]
) -> Iterator[tuple[tuple[int, int], T]]:
    if node.callee is not None:
        yield from below(node.callee).items()
    elif node.instance is not None:
        regions = [(region, below(region.graph)) for region in node.instance.regions]
        for target in range(len(node.inputs)):
            for source in range(len(node.types)):
                yield (target, source), algebra.op(graph, node, target, source, regions)


def _reach(
    graph: Graph, start: Node, steps: Mapping[int, Matrix[T]], algebra: Algebra[T]
) -> Mapping[Port, T]:
    reached: dict[Port, T] = {Port(start.id): algebra.start}
    for node in graph.nodes:
        if not any(port in reached for port in node.inputs):
            continue
        for (target, source), value in steps[node.id].items():
            before = reached.get(node.inputs[target])
            if before is None:
                continue
            here = Port(node.id, source)
            after = algebra.series(before, value)
            reached[here] = algebra.merge(reached[here], after) if here in reached else after
    return reached
