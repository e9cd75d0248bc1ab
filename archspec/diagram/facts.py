"""The texts of tooltips: the call, its output, parameters, MACs and the line of the spec."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePath

from archspec.analysis.counting import Counts, count_by_node, count_graph
from archspec.analysis.macs import macs, macs_by_node
from archspec.analysis.number_format import short
from archspec.diagram.labels import SYMBOLIC, Dims, counted_text, full_range, type_text
from archspec.graph.forms import Forms
from archspec.graph.model import Graph
from archspec.passes.expand import FlatNode, Group
from archspec.source import NOWHERE, Span
from archspec.types.dim import ZERO, Dim
from archspec.types.tensor import TensorType


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
            counted = self._costly(*self._of_graph(whole)) if whole is not None else ()
            return (text, *self._yields(item.types), *counted)
        graph, number, instance = item.graph, item.node.id, item.node.instance
        key = instance.key if instance is not None else ""
        if graph not in self._owned:
            self._owned[graph] = count_by_node(graph, self._counts)
            self._costs[graph] = macs_by_node(graph, self._macs)
        owned = self._owned[graph].get(number, Counts()).parameters
        cost = self._costs[graph].get(number, ZERO)
        return (
            counted_text(full_range(item.path, key, item.last), text, item.count),
            *self._yields(item.types),
            *self._costly(owned, cost, each=item.count > 1),
            *_line(item.node.origin.span),
        )

    def frame(self, group: Group, text: str) -> tuple[str, ...]:
        """The lines for an expanded block; for a repetition only its calls."""
        if group.graph is None:
            return (text,)
        counted = self._costly(*self._of_graph(group.graph), each=group.count > 1)
        return (text, *self._yields(group.graph.output_types), *counted, *_line(group.origin))

    def _of_graph(self, graph: Graph) -> tuple[int, Dim]:
        return count_graph(graph).parameters, macs(graph)

    def _yields(self, types: Iterable[TensorType]) -> Iterator[str]:
        texts = [type_text(kind, self.dims) for kind in types]
        yield from [f"yields {', '.join(texts)}"] * bool(texts)

    def _costly(self, parameters: int, cost: Dim, *, each: bool = False) -> Iterator[str]:
        times = " each" if each else ""
        if parameters:
            yield f"{parameters:,} parameters{times}"
        if cost.terms and cost.symbols <= self.sizes.keys():
            yield f"{short(cost.evaluate(self.sizes))} MACs{times}"


def _line(span: Span) -> Iterator[str]:
    """`resnet.arch:34`, without the folder."""
    if span.source is not NOWHERE.source:
        yield f"{PurePath(span.source.name).name}:{span.line}"
