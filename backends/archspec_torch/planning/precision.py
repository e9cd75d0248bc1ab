"""Arithmetic on positions: floating values that are computed from integers and constants only.

`f32` means the floating type of the module, and a narrow one cannot represent 257. So values that
depend on no floating data are computed in float32: integers computed from them do not depend on the
type of the module, and a value that meets floating data is rounded once, where it does.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

from archspec.frozen import frozen
from archspec.graph.model import Graph, Node, Port
from archspec.types.tensor import DType

REARRANGING = frozenset({"shape", "merge", "indexing"})
"""Categories of ops whose results are values of their inputs."""

REAL = frozenset({DType.F32, DType.I64, DType.I32, DType.BOOL})


@frozen
class Precision:
    """The nodes whose results are float32 in the code, and those that read these as they are.

    The result of a node that reads them and is not one of these has the type of the module.
    """

    exact: frozenset[int] = frozenset()
    reading: frozenset[int] = frozenset()

    def rounds(self, node: Node) -> bool:
        """Whether the result of a node has to be converted to the type of the module."""
        rounded = node.id in self.reading and node.id not in self.exact
        return rounded and node.types[0].dtype.is_float


def precision(graph: Graph) -> Precision:
    """The precision of the values of a graph, memoised."""
    if graph not in _KNOWN:
        _KNOWN[graph] = _precision(graph)
    return _KNOWN[graph]


_KNOWN: WeakKeyDictionary[Graph, Precision] = WeakKeyDictionary()


def _precision(graph: Graph) -> Precision:
    positional, reading = _positional(graph)
    exact: set[int] = set()
    for node in reversed(graph.nodes):
        reads = _floats(graph, node)
        if node.id in positional and reads:
            assert node.op is not None
            if node.id in exact or node.op.category not in REARRANGING:
                reading.add(node.id)
        if node.id in reading:
            exact.update(port.node for port in reads)
    return Precision(frozenset(exact), frozenset(reading))


def _positional(graph: Graph) -> tuple[set[int], set[int]]:
    """The nodes of floating values of positions, and those of integers computed from these."""
    found: tuple[set[int], set[int]] = set(), set()
    for node in graph.nodes:
        if node.op is None or not _is_plain(graph, node):
            continue
        reads = _floats(graph, node)
        if all(port.node in found[0] for port in reads):
            is_float = node.types[0].dtype.is_float
            if is_float or reads:
                found[not is_float].add(node.id)
    return found


def _is_plain(graph: Graph, node: Node) -> bool:
    """Whether an op has one result, which depends on nothing but the values of its inputs."""
    assert node.op is not None
    assert node.instance is not None
    given = graph.types_read(node)
    kinds = {kind.dtype for kind in (*given, *node.types)}
    random = node.op.stochastic or node.op.category == "random"
    whole = len(node.types) == 1 and kinds <= REAL and not node.instance.regions
    return whole and not random and not graph.parameters_of(node)


def _floats(graph: Graph, node: Node) -> list[Port]:
    return [port for port in node.inputs if graph.type_of(port).dtype.is_float]
