"""Memory of activations, in bytes, with 4 bytes for the floating-point type.

The sum over all ops is what training keeps at most, if nothing is recomputed and every op keeps
its output; ops in a layer that an op holds are counted once per run. The peak is what inference
needs when a tensor is freed after its last use. Views, in-place ops and workspaces of kernels are
not modelled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from archspec.analysis.fold import Below, fold, in_regions, region_runs
from archspec.graph.model import Graph, Node
from archspec.types.dim import Dim, sum_of
from archspec.types.tensor import DType, TensorType

BYTES: Mapping[DType, int] = {
    DType.F32: 4,
    DType.I64: 8,
    DType.I32: 4,
    DType.BOOL: 1,
    DType.C64: 8,
}


def bytes_of(kind: TensorType) -> Dim:
    """Size of a tensor in bytes."""
    return kind.elements * BYTES[kind.dtype]


def activation_memory(graph: Graph) -> Dim:
    """Bytes of the outputs of all computed ops, without the inputs of the network."""
    return fold(graph, _sum_step)


def _sum_step(graph: Graph, below: Below[Dim]) -> Dim:
    parts: list[Dim] = []
    for node in graph.nodes:
        if node.id not in graph.computed:
            continue
        if node.callee is not None:
            parts.append(below(node.callee))
        elif node.instance is not None:
            parts.extend(map(bytes_of, node.types))
            parts.append(in_regions(graph, node, below))
    return sum_of(parts)


def peak_memory(graph: Graph, sizes: Mapping[str, int]) -> int:
    """Peak number of live bytes in inference at given sizes, including inputs of the network.

    Raises KeyError if a free dimension has no size.
    """
    known: dict[TensorType, int] = {}

    def size_of(node: Node) -> int:
        for kind in node.types:
            if kind not in known:
                known[kind] = bytes_of(kind).evaluate(sizes)
        return sum(known[kind] for kind in node.types)

    inputs = sum(size_of(node) for node in graph.inputs)
    return inputs + fold(graph, lambda item, below: _peak_step(item, below, size_of, sizes))


def _peak_step(
    graph: Graph, below: Below[int], size_of: Callable[[Node], int], sizes: Mapping[str, int]
) -> int:
    last = _last_uses(graph)
    held = {node.id: size_of(node) for node in graph.nodes if not node.is_input}
    alive = peak = 0
    for position, node in enumerate(graph.nodes):
        if node.is_input or node.id not in graph.computed:
            continue
        # A callee's own outputs are part of its peak; in addition to a layer that an op runs, there
        # are its state and its outputs so far.
        inside = below(node.callee) if node.callee is not None else 0
        beside = max((below(item) for item in _running(graph, node, sizes)), default=0)
        peak = max(peak, alive + max(held[node.id] + beside, inside))
        alive += held[node.id]
        for done in last.get(position, ()):
            alive -= held.get(done, 0)
    return peak


def _running(graph: Graph, node: Node, sizes: Mapping[str, int]) -> Iterator[Graph]:
    """The layers of an op that run, or may run, at given sizes."""
    for region, runs in region_runs(graph, node):
        if runs is None or runs.evaluate(sizes) > 0:
            yield region


def _last_uses(graph: Graph) -> Mapping[int, tuple[int, ...]]:
    """For each position, the nodes whose outputs are not read after it."""
    kept = {port.node for port in graph.output_ports}
    last = {node.id: position for position, node in enumerate(graph.nodes)}
    for position, node in enumerate(graph.nodes):
        for port in node.inputs if node.id in graph.computed else ():
            last[port.node] = position
    found: dict[int, tuple[int, ...]] = {}
    for identity, position in last.items():
        if identity not in kept:
            found[position] = (*found.get(position, ()), identity)
    return found
