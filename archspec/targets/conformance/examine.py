"""Tests a backend: builds a network, runs the artefacts and compares the outputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from archspec.frozen import frozen
from archspec.graph.build import Building
from archspec.graph.compiled import Compiled
from archspec.graph.model import Graph, Region
from archspec.ops.base import Check, Op, type_of_text
from archspec.ops.control import Iterate
from archspec.options import Options
from archspec.targets.base import Backend, BuildRequest, Uncovered
from archspec.targets.weights import Weights
from archspec.types.tensor import TensorType

Array: TypeAlias = NDArray[np.generic]

TOLERANCE = 1e-4
"""Tolerance relative to the largest value, or to 1 if larger: artefacts compute in float32."""


@frozen
class Run:
    """Inputs of a network and the expected outputs, flattened and in order."""

    inputs: tuple[Array, ...]
    outputs: tuple[Array, ...]
    training: bool = False


@frozen
class Example:
    """A network with weights by name, and its expected results."""

    name: str
    network: Compiled
    weights: Mapping[str, Array]
    runs: tuple[Run, ...]


@frozen
class Found:
    """The result for an example: ops that the backend reports as not lowered, and faults."""

    uncovered: tuple[str, ...]
    faults: tuple[str, ...]


class Runner(Protocol):
    """Runs the artefacts of a backend as a user would."""

    def __call__(
        self, files: Sequence[Path], inputs: Sequence[Array], training: bool
    ) -> Sequence[Array]:
        """The outputs for these inputs, flattened and in order.

        Each call starts from the weights that were built. In training, batch norms use batch
        statistics and may update their running statistics.
        """
        ...


def examine(
    example: Example,
    backend: Backend,
    run: Runner,
    directory: Path,
    options: Options | None = None,
) -> Found:
    """Build the example in an empty directory, run it, and collect the faults.

    Nothing is built if the backend reports that it does not lower some op. Its exceptions are not
    caught.
    """
    network = example.network
    uncovered = tuple(backend.coverage(network))
    failures = tuple(_wrong_coverage(network, uncovered))
    if uncovered or failures:
        return Found(tuple(dict.fromkeys(map(_words, uncovered))), failures)
    refused = tuple(
        f"the backend refuses the network: {fault.message}" for fault in backend.faults(network)
    )
    if refused:
        return Found((), refused)
    weights = Weights(example.weights, "values of the example")
    chosen = backend.options() if options is None else options
    files = backend.build(BuildRequest(network, directory, 0, weights, chosen))
    faults = [*_files(files, directory)]
    for one in [] if faults else example.runs:
        found = [np.asarray(value) for value in run(files, one.inputs, one.training)]
        faults += [f"{_called(one)}: {fault}" for fault in _differences(found, one.outputs)]
    return Found((), tuple(faults))


def _words(one: Uncovered) -> str:
    title = one.node.instance.title if one.node.instance is not None else one.node.name
    return f"{title}: {one.reason}"


def _wrong_coverage(network: Compiled, uncovered: Sequence[Uncovered]) -> Iterator[str]:
    graphs = set(network.graphs)
    for one in uncovered:
        if one.graph not in graphs or one.node not in one.graph.nodes:
            yield f"`coverage` names a node that is not in its graph ({_words(one)})"
        if not one.reason:
            yield f"`coverage` gives no reason ({_words(one)})"


def _files(files: Sequence[Path], directory: Path) -> Iterator[str]:
    if not files:
        yield "`build` returns no files"
    if len(set(files)) < len(files):
        yield "`build` returns a file twice"
    for path in files:
        if not path.is_file():
            yield f"`build` returns {path.name}, which does not exist"
        elif not path.resolve().is_relative_to(directory.resolve()):
            yield f"`build` writes {path.name} outside of its directory"
    for path in sorted({*directory.rglob("*")} - {*files}):
        if path.is_file():
            yield f"`build` writes {path.name}, but does not return it"


def _called(run: Run) -> str:
    shapes = ", ".join(str(list(value.shape)) for value in run.inputs)
    return f"in {'training' if run.training else 'inference'} for {shapes}"


def _differences(found: Sequence[Array], wanted: Sequence[Array]) -> Iterator[str]:
    if len(found) != len(wanted):
        yield f"there are {len(wanted)} outputs, but it gives {len(found)}"
        return
    for number, (one, value) in enumerate(zip(found, wanted, strict=True)):
        if one.shape != value.shape:
            yield f"output {number} is {list(value.shape)}, but it gives {list(one.shape)}"
        elif one.dtype.kind != value.dtype.kind:
            yield f"output {number} is of {value.dtype}, but it gives {one.dtype}"
        elif value.size and not _are_close(one, value):
            yield f"output {number} has other values"


def _are_close(found: Array, wanted: Array) -> bool:
    kind = np.complex128 if wanted.dtype.kind == "c" else np.float64
    one, value = found.astype(kind), wanted.astype(kind)
    finite = np.abs(value[np.isfinite(value)])
    tolerance = TOLERANCE * max(1.0, float(finite.max(initial=0.0)))
    return bool(np.allclose(one, value, rtol=0.0, atol=tolerance, equal_nan=True))


# ---------------------------------------------------------------------- coverage


class UnknownOp(Op):
    """An op that no backend knows."""

    name: ClassVar[str] = "unheard"
    category: ClassVar[str] = "activation"
    pointwise: ClassVar[bool] = True

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        """The type of its input."""
        return inputs[0]


def examine_coverage(backend: Backend) -> tuple[str, ...]:
    """Faults for places of an unknown op that the backend's `coverage` does not report.

    The op is in a network, in a block that it calls, in a layer that an op holds, and in a block
    that only training calls.
    """
    network = _with_unknown_op()
    found = {(one.graph, one.node) for one in backend.coverage(network)}
    return tuple(
        f"`coverage` does not report an unknown op in {graph.kind} `{graph.name}`"
        for graph in network.graphs
        for node in graph.nodes
        if isinstance(node.op, UnknownOp) and (graph, node) not in found
    )


def _with_unknown_op() -> Compiled:
    called, layer, other = (_graph_with_unknown_op(name) for name in ("block", "layer", "other"))

    def graph(training: bool) -> Graph:
        building = Building("net", "network")
        x = building.input("x", type_of_text("f32[2, 3]"))
        if training:
            (x,) = building.call(other, x)
        (y,) = building.op(UnknownOp(), x)
        (z,) = building.call(called, y)
        held = Region("layer", "layer", layer, 0)
        _, end = building.op(Iterate(steps=2), z, regions=(held,))
        building.output("y", end)
        return building.graph()

    return Compiled("net", graph(training=False), graph(training=True))


def _graph_with_unknown_op(name: str) -> Graph:
    building = Building(name)
    (y,) = building.op(UnknownOp(), building.input("x", type_of_text("f32[2, 3]")))
    building.output("y", y)
    if name == "layer":
        building.output("state", y)
    return building.graph()
