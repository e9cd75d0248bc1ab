"""Everything that is known about a network, in one report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from archspec.analysis.counting import Counts, count, count_by_node
from archspec.analysis.depth import Depth, depth
from archspec.analysis.macs import macs, macs_by_node
from archspec.analysis.memory import activation_memory, peak_memory
from archspec.analysis.paths import PathCount, paths
from archspec.analysis.receptive_field import Field, receptive_field
from archspec.analysis.repeats import repeats
from archspec.analysis.sizes import valid_sizes
from archspec.analysis.structure import structure_classes
from archspec.graph.compiled import Compiled
from archspec.graph.model import Graph, Node
from archspec.types.dim import Dim
from archspec.types.sizes import ValidSizes
from archspec.types.tensor import TensorType


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table of blocks: an op or call in the network's own body.

    `count` equal ones in a row are one line; costs are those of all of them together. `graph` is
    the block of a call, of one of them.
    """

    name: str
    what: str
    shapes: tuple[str, ...]
    parameters: int
    macs: Dim
    count: int = 1
    graph: Graph | None = None


@dataclass(frozen=True, slots=True)
class Signature:
    """A named input or output with its types; several for an output that is a tuple."""

    name: str
    types: tuple[TensorType, ...]

    def __str__(self) -> str:
        return f"{self.name}: {', '.join(str(kind) for kind in self.types)}"


@dataclass(frozen=True)
class Report:
    """What one mode of a network is and costs.

    Parameters are those of both modes together; everything else is of this mode. MACs and bytes
    are in the free dimensions; `sizes` are the ones to report them at.
    """

    name: str
    training: bool
    counts: Counts
    macs: Dim
    memory: Dim
    peak: int | None
    depth: Depth
    paths: PathCount | None
    receptive_fields: Mapping[tuple[str, str], Field]
    inputs: tuple[Signature, ...]
    outputs: tuple[Signature, ...]
    rows: tuple[Row, ...]
    sizes: Mapping[str, int]
    valid_sizes: ValidSizes

    @property
    def parameters(self) -> int:
        """Number of elements of all parameters; buffers do not count."""
        return self.counts.parameters

    @cached_property
    def macs_at_sizes(self) -> int:
        """MACs at the reported sizes."""
        return self.macs.evaluate(self.sizes)

    @cached_property
    def memory_at_sizes(self) -> int:
        """Bytes of all activations at the reported sizes."""
        return self.memory.evaluate(self.sizes)


def report(compiled: Compiled, *, training: bool = False) -> Report:
    """Analyse a network."""
    graph = compiled.training if training else compiled.inference
    return Report(
        name=compiled.name,
        training=training,
        counts=count(compiled),
        macs=macs(graph),
        memory=activation_memory(graph),
        peak=None if training else peak_memory(graph, compiled.sizes),
        depth=depth(graph),
        paths=paths(graph),
        receptive_fields=named_fields(graph),
        inputs=inputs_of(graph),
        outputs=outputs_of(graph),
        rows=rows(graph),
        sizes=compiled.sizes,
        valid_sizes=valid_sizes(compiled, training=training),
    )


def inputs_of(graph: Graph) -> tuple[Signature, ...]:
    """Inputs of a network."""
    return tuple(Signature(node.name, node.types) for node in graph.inputs)


def outputs_of(graph: Graph) -> tuple[Signature, ...]:
    """Outputs of a network."""
    return tuple(
        Signature(output.name, tuple(graph.type_of(port) for port in output.ports))
        for output in graph.outputs
    )


def named_fields(graph: Graph) -> Mapping[tuple[str, str], Field]:
    """Receptive fields by names of input and output; of an output that is a tuple, the first."""
    names = [output.name for output in graph.outputs for _ in output.ports]
    found: dict[tuple[str, str], Field] = {}
    for (source, target), field in receptive_field(graph).items():
        found.setdefault((graph.inputs[source].name, names[target]), field)
    return found


def rows(graph: Graph) -> tuple[Row, ...]:
    """The table of blocks of a graph. Operations without a name and without cost are left out."""
    weights, costs = count_by_node(graph), macs_by_node(graph)
    runs = [run for run in repeats(graph, structure_classes(graph).__getitem__) if run.period == 1]
    folded = {run.order[0]: run.order for run in runs}
    later = {at for run in runs for at in run.order[1:]}
    found: list[Row] = []
    for node in graph.nodes:
        if node.instance is None or node.id in later:
            continue
        group = folded.get(node.id, (node.id,))
        parameters = sum(weights[at].parameters for at in group if at in weights)
        cost = sum((costs[at] for at in group), Dim({}))
        if not node.instance.key and not parameters and not cost.terms:
            continue
        found.append(_row(graph, node, group, parameters, cost))
    return tuple(found)


def _row(graph: Graph, node: Node, group: tuple[int, ...], parameters: int, cost: Dim) -> Row:
    assert node.instance is not None
    last = graph.nodes[group[-1]].instance
    name = node.instance.key
    if last is not None and last.key != name:
        name = f"{name} .. {last.key}"
    shapes = tuple(kind.shape_text for kind in node.types)
    return Row(name, node.instance.title, shapes, parameters, cost, len(group), node.callee)
