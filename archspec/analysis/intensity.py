"""Arithmetic intensity: MACs per byte that ops read and write (Williams et al., 2009).

If it is below the MACs per byte of memory traffic of a device (its ridge point), a block is limited
by memory bandwidth. Ops are assumed to run one by one, without fusion: each reads its inputs and
weights and writes its results. Views are not modelled.
"""

from __future__ import annotations

from math import prod

from archspec.analysis.base import Analysis, Cell, Finding
from archspec.analysis.cost import Report
from archspec.analysis.fold import Below, fold, in_regions
from archspec.analysis.macs import macs_by_node
from archspec.analysis.memory import BYTES, bytes_of
from archspec.graph.compiled import Compiled
from archspec.graph.model import Graph, Node
from archspec.options import Options
from archspec.types.dim import ZERO, Dim, sum_of


class Intensity:
    """The analysis; see above."""

    name = "intensity"
    summary = "arithmetic intensity: MACs per byte that ops read and write, without fusion"
    options: type[Options] = Options

    def find(self, network: Compiled, report: Report, options: Options) -> Finding:
        """A row for each op and call in the network's own body with a cost."""
        graph = network.in_mode("training" if report.training else "inference")
        moved: dict[Graph, Dim] = {}
        total = fold(graph, _bytes_of_graph, moved).evaluate(report.sizes)
        costs = macs_by_node(graph)
        rows: list[tuple[Cell, ...]] = []
        for node in graph.in_order(graph.computed):
            if node.instance is not None and (costs[node.id].terms or node.instance.key):
                count = costs[node.id].evaluate(report.sizes)
                size = _bytes(graph, node, moved.__getitem__).evaluate(report.sizes)
                name = node.instance.key or node.instance.title
                rows.append((name, node.instance.title, count, size, _ratio(count, size)))
        whole = _ratio(report.macs_at_sizes, total)
        facts = (("bytes read and written", total), ("MACs per byte", whole))
        return Finding(facts, ("name", "block", "MACs", "bytes", "MACs / byte"), rows)


def _bytes_of_graph(graph: Graph, below: Below[Dim]) -> Dim:
    return sum_of(_bytes(graph, node, below) for node in graph.in_order(graph.computed))


def _bytes(graph: Graph, node: Node, below: Below[Dim]) -> Dim:
    """The bytes that a node reads and writes, including its callees."""
    if node.callee is not None:
        return below(node.callee)
    if node.op is None:
        return ZERO
    weights = sum(prod(item.shape) * BYTES[item.dtype] for item in graph.parameters_of(node))
    data = sum_of(map(bytes_of, (*graph.types_read(node), *node.types)))
    return data + weights + in_regions(graph, node, below)


def _ratio(count: int, size: int) -> float | None:
    return round(count / size, 2) if size else None


INTENSITY: Analysis = Intensity()
