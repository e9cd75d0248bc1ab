"""All results about a network, in one report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from archspec.analysis.bounded import bounded
from archspec.analysis.counting import Counts, count, unused_parameters
from archspec.analysis.depth import Depth
from archspec.analysis.depth import depth as depth_of
from archspec.analysis.macs import macs
from archspec.analysis.memory import activation_memory, peak_memory
from archspec.analysis.paths import PathCount, has_attention, paths
from archspec.analysis.receptive_field import Field, receptive_field
from archspec.analysis.sizes import reported_sizes, valid_sizes
from archspec.analysis.table import Row, rows
from archspec.frozen import frozen
from archspec.graph.compiled import Compiled
from archspec.graph.model import Graph
from archspec.types.dim import Dim
from archspec.types.sizes import ValidSizes
from archspec.types.tensor import TensorType


@frozen
class Signature:
    """A named input or output with its types; several for an output that is a tuple."""

    name: str
    types: tuple[TensorType, ...]

    def __str__(self) -> str:
        return f"{self.name}: {', '.join(str(kind) for kind in self.types)}"

    def __repr__(self) -> str:
        return f"<{self}>"


@dataclass(frozen=True)
class Report:
    """The structure and the costs of one mode of a network.

    Parameters are those of both modes together, and `unused_parameters` of them are not needed by
    any output; everything else is about the nodes computed in this mode. MACs and bytes are
    expressions in the free dimensions; `sizes` are the default sizes for reports. `has_attention`
    is whether an op that this mode computes is attention.
    """

    name: str
    training: bool
    counts: Counts
    unused_parameters: int
    macs: Dim
    memory: Dim
    peak: int | None
    depth: Depth
    paths: PathCount | None
    has_attention: bool
    receptive_fields: Mapping[tuple[str, str], Field]
    inputs: tuple[Signature, ...]
    outputs: tuple[Signature, ...]
    rows: tuple[Row, ...]
    sizes: Mapping[str, int]
    valid_sizes: ValidSizes

    @property
    def parameters(self) -> int:
        """Number of elements of all parameters, without buffers."""
        return self.counts.parameters

    @property
    def parameters_elsewhere(self) -> int:
        """The parameters of layers that exist only in the other mode; 0 without a table."""
        top = [row.parameters for row in self.rows if not row.level]
        return self.counts.parameters - sum(top) if top else 0

    @cached_property
    def macs_at_sizes(self) -> int:
        """MACs at the reported sizes."""
        return self.macs.evaluate(self.sizes)

    @cached_property
    def memory_at_sizes(self) -> int:
        """Bytes of all activations at the reported sizes."""
        return self.memory.evaluate(self.sizes)


def report(
    compiled: Compiled, *, training: bool = False, depth: int = 1, concrete: bool = False
) -> Report:
    """Analyse a network; its table of blocks is expanded to `depth`.

    With `concrete`, the shapes in the table are numbers, at the sizes of the report.

    Raises CompileFailed: E0707 if the network does not accept its default sizes, E0411 if its
    costs cannot be computed for symbolic sizes.
    """
    return bounded(compiled, lambda: _report(compiled, training, depth, concrete))


def _report(compiled: Compiled, training: bool, depth: int, concrete: bool) -> Report:
    graph = compiled.training if training else compiled.inference
    sizes = reported_sizes(compiled, training=training)
    return Report(
        name=compiled.name,
        training=training,
        counts=count(compiled),
        unused_parameters=unused_parameters(compiled),
        macs=macs(graph),
        memory=activation_memory(graph),
        peak=None if training else peak_memory(graph, sizes),
        depth=depth_of(graph, sizes),
        paths=paths(graph),
        has_attention=has_attention(graph),
        receptive_fields=named_fields(graph),
        inputs=inputs_of(graph),
        outputs=outputs_of(graph),
        rows=rows(graph, depth, sizes if concrete else None),
        sizes=sizes,
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
    """Receptive fields by names of input and output; the parts of a tuple are `maps[0]` .."""
    names = [
        output.name if len(output.ports) == 1 else f"{output.name}[{part}]"
        for output in graph.outputs
        for part in range(len(output.ports))
    ]
    return {
        (graph.inputs[source].name, names[target]): field
        for (source, target), field in receptive_field(graph).items()
    }
