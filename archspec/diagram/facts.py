"""The texts of tooltips: the call, its output, parameters, MACs and the line of the spec."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import TypeAlias

from archspec.analysis.counting import Counts, count_by_node, count_graph
from archspec.analysis.macs import macs, macs_by_node
from archspec.analysis.number_format import short
from archspec.diagram.labels import SYMBOLIC, Dims, counted_text, full_range, type_text
from archspec.graph.forms import Forms
from archspec.graph.model import Graph, Node
from archspec.passes.flat import FlatNode, Group
from archspec.source import NOWHERE, Span
from archspec.types.dim import ZERO, Dim
from archspec.types.tensor import TensorType

Cost: TypeAlias = "tuple[int, Dim]"
"""Parameters and MACs."""


class Facts:
    """Facts about nodes and expanded blocks; `sizes` are those for which MACs are computed."""

    def __init__(self, sizes: Mapping[str, int], dims: Dims = SYMBOLIC) -> None:
        self.sizes, self.dims = sizes, dims
        self._counts: dict[Forms, Counts] = {}
        self._macs: dict[Graph, Dim] = {}
        self._owned: dict[Graph, Mapping[int, Counts]] = {}
        self._costs: dict[Graph, Mapping[int, Dim]] = {}

    def node(self, item: FlatNode, text: str) -> tuple[str, ...]:
        """The lines for one op or block that is not expanded."""
        if item.node is None or item.graph is None:
            whole = item.graph
            counted = self._costly(self._of_graph(whole)) if whole is not None else ()
            return (text, *self._yields(item.types, item.types), *counted)
        key = item.node.instance.key if item.node.instance is not None else ""
        costs = [self._of_node(item.graph, item.node)]
        costs += [self._of_node(item.final.graph, item.final.node)] if item.final else []
        return (
            counted_text(full_range(item.path, key, item.last), text, item.count),
            *self._yields(item.types, item.first_types),
            *self._costly(*costs, each=item.count > 1),
            *_line(item.node.origin.span),
        )

    def _of_node(self, graph: Graph, node: Node) -> Cost:
        if graph not in self._owned:
            self._owned[graph] = count_by_node(graph, self._counts)
            self._costs[graph] = macs_by_node(graph, self._macs)
        owned = self._owned[graph].get(node.id, Counts()).parameters
        return owned, self._costs[graph].get(node.id, ZERO)

    def frame(self, group: Group, text: str) -> tuple[str, ...]:
        """The lines for an expanded block; for a repetition only its calls."""
        if group.graph is None:
            return (text,)
        graphs = [group.graph, *([group.final] if group.final is not None else [])]
        counted = self._costly(*map(self._of_graph, graphs), each=group.count > 1)
        yields = self._yields(graphs[-1].output_types, graphs[0].output_types)
        return (text, *yields, *counted, *_line(group.origin))

    def _of_graph(self, graph: Graph) -> Cost:
        return count_graph(graph).parameters, macs(graph)

    def _yields(self, types: Sequence[TensorType], first: Sequence[TensorType]) -> Iterator[str]:
        pairs = zip(types, first, strict=True)
        texts = [type_text(kind, self.dims, one) for kind, one in pairs]
        yield from [f"yields {', '.join(texts)}"] * bool(texts)

    def _costly(self, *costs: Cost, each: bool = False) -> Iterator[str]:
        """Lines for the costs of something, or of the first and the last of several that grow."""
        times = " each" if each else ""
        (parameters, cost), (others, other) = costs[0], costs[-1]
        if parameters or others:
            yield f"{_both(f'{parameters:,}', f'{others:,}')} parameters{times}"
        if (cost.terms or other.terms) and cost.symbols | other.symbols <= self.sizes.keys():
            numbers = (short(one.evaluate(self.sizes)) for one in (cost, other))
            yield f"{_both(*numbers)} MACs{times}"


def _both(first: str, last: str) -> str:
    return first if first == last else f"{first} .. {last}"


def _line(span: Span) -> Iterator[str]:
    """`resnet.arch:34`, without the folder."""
    if span.source is not NOWHERE.source:
        yield f"{PurePath(span.source.name).name}:{span.line}"
