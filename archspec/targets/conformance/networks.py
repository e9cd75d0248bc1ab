"""Examples of networks: names, sharing, modes, outputs, sizes and layers held by ops."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from archspec.graph.build import Building
from archspec.graph.compiled import Compiled
from archspec.graph.model import Graph, Instance, Port, Region
from archspec.ops.base import Op
from archspec.ops.registry import all_ops
from archspec.targets.conformance.examine import Array, Example, Run
from archspec.targets.conformance.ops import batch_norm, drawn_weights, exact
from archspec.types.dim import Dim, dim
from archspec.types.tensor import DType, TensorType

Numbers: TypeAlias = NDArray[np.float64]
Named: TypeAlias = Mapping[str, Numbers]
Formula: TypeAlias = Callable[..., tuple[Array, ...]]
"""Maps weights by name and inputs to outputs, in double precision."""

Shapes: TypeAlias = Sequence[tuple[int, ...]]


def network_examples() -> Iterator[Example]:
    """All examples of networks."""
    yield _names()
    yield _sharing()
    yield _modes()
    yield _outputs()
    yield _sizes()
    yield _iterated()
    yield _scanned()
    yield _gated()


def _example(
    name: str, network: Compiled, sizes: Sequence[Shapes], formula: Formula, training: Formula
) -> Example:
    """An example that is run with each of the input shapes in both modes."""
    rng = np.random.default_rng(1)
    weights = drawn_weights(rng, network)
    named = {key: exact(value) for key, value in weights.items()}
    runs = []
    for shapes in sizes:
        inputs = tuple(rng.normal(0, 2, shape).astype(np.float32) for shape in shapes)
        for is_training, outputs in ((False, formula), (True, training)):
            found = outputs(named, *map(exact, inputs))
            runs.append(Run(inputs, found, is_training))
    return Example(name, network, weights, tuple(runs))


def _same(
    name: str, graph: Graph, sizes: Sequence[Shapes], formula: Formula, **reported: int
) -> Example:
    return _example(name, Compiled("net", graph, graph, reported), sizes, formula, formula)


def _op(name: str, **attributes: object) -> Op:
    return all_ops()[name](**attributes)


def _f32(*shape: int | str) -> TensorType:
    sizes = (Dim.symbol(size) if isinstance(size, str) else dim(size) for size in shape)
    return TensorType(DType.F32, tuple(sizes))


def _linear(named: Named, owner: str, x: Numbers) -> Numbers:
    result: Numbers = x @ named[f"{owner}.weight"].T + named[f"{owner}.bias"]
    return result


def _names() -> Example:
    """Weights of equal shape are assigned by name, also inside a block."""
    block = Building("block")
    (h,) = block.op(_op("linear", width=3), block.input("x", _f32(2, 3)), key="first.inner")
    (h,) = block.op(_op("tanh"), h)
    block.output("y", *block.op(_op("linear", width=3), h, key="second"))
    net = Building("net", "network")
    (y,) = net.call(block.graph(), net.input("x", _f32(2, 3)), key="body")
    net.output("y", *net.op(_op("linear", width=3), y, key="head"))

    def formula(named: Named, x: Numbers) -> tuple[Array, ...]:
        h = np.tanh(_linear(named, "body.first.inner", x))
        return (_linear(named, "head", _linear(named, "body.second", h)),)

    return _same("weights by name", net.graph(), [[(2, 3)]], formula)


def _sharing() -> Example:
    """A layer and a block that are each used twice, and the block with separate weights."""
    block = Building("block")
    x = block.input("x", _f32(2, 3))
    block.output("y", *block.op(_op("linear", width=3), x, key="it"))
    body = block.graph()
    net = Building("net", "network")
    x = net.input("x", _f32(2, 3))
    layer = Instance("layer", _op("linear", width=3))
    shared = Instance("shared", graph=body)
    for instance in (layer, shared, layer, Instance("own", graph=body), shared):
        (x,) = net.use(instance, x)
    net.output("y", x)

    def formula(named: Named, x: Numbers) -> tuple[Array, ...]:
        for owner in ("layer", "shared.it", "layer", "own.it", "shared.it"):
            x = _linear(named, owner, x)
        return (x,)

    return _same("sharing", net.graph(), [[(2, 3)]], formula)


def _modes() -> Example:
    """A batch norm, and a layer that only training has."""

    def graph(training: bool) -> Graph:
        net = Building("net", "network")
        (y,) = net.op(_op("batch_norm"), net.input("x", _f32(6, 3)), key="norm")
        if training:
            (y,) = net.op(_op("linear", width=3), y, key="extra")
        net.output("y", *net.op(_op("mul", scalar=3.0 if training else 2.0), y))
        return net.graph()

    def scaled(named: Named, x: Numbers, mean: Numbers, variance: Numbers) -> Numbers:
        return batch_norm(x, mean, variance, named["norm.weight"], named["norm.bias"])

    def inference(named: Named, x: Numbers) -> tuple[Array, ...]:
        kept = named["norm.running_mean"], named["norm.running_var"]
        return (2 * scaled(named, x, *kept),)

    def training(named: Named, x: Numbers) -> tuple[Array, ...]:
        return (3 * _linear(named, "extra", scaled(named, x, x.mean(0), x.var(0))),)

    network = Compiled("net", graph(False), graph(True))
    return _example("modes", network, [[(6, 3)]], inference, training)


def _outputs() -> Example:
    """Several outputs, one of them a tuple, and inputs that are not in order of use."""
    net = Building("net", "network")
    x, y = net.input("x", _f32(2, 3)), net.input("y", _f32(2, 4))
    (last,) = net.op(_op("linear", width=2), y, key="a")
    (first,) = net.op(_op("linear", width=2), x, key="b")
    net.output("difference", *net.op(_op("sub"), first, last))
    net.output("both", last, first)

    def formula(named: Named, x: Numbers, y: Numbers) -> tuple[Array, ...]:
        last, first = _linear(named, "a", y), _linear(named, "b", x)
        return first - last, last, first

    return _same("several outputs", net.graph(), [[(2, 3), (2, 4)]], formula)


def _sizes() -> Example:
    """Sizes that are known only at run time, and one that is computed from them."""
    net = Building("net", "network")
    x = net.input("x", _f32("B", "N", 3))
    (h,) = net.op(_op("linear", width=2), x, key="it")
    (flat,) = net.op(_op("reshape", shape=(Dim.symbol("B"), 2 * Dim.symbol("N"))), h)
    (twice,) = net.op(_op("concat", axis=1), flat, flat)
    net.output("twice", twice)
    net.output("mean", *net.op(_op("mean", axis=1), h))

    def formula(named: Named, x: Numbers) -> tuple[Array, ...]:
        h = _linear(named, "it", x)
        flat = h.reshape(len(x), -1)
        return np.concatenate([flat, flat], 1), h.mean(1)

    sizes: Sequence[Shapes] = [[(1, 1, 3)], [(2, 5, 3)], [(4, 2, 3)]]
    return _same("free sizes", net.graph(), sizes, formula, B=2, N=5)


def _layer(*types: TensorType) -> tuple[Building, list[Port]]:
    layer = Building("layer", "region")
    return layer, [layer.input(f"x{number}", kind) for number, kind in enumerate(types)]


def _iterated() -> Example:
    """A layer with weights that runs repeatedly and reads an outer value."""
    layer, (state, beside) = _layer(_f32(2, 3), _f32(2, 3))
    (h,) = layer.op(_op("linear", width=3), state, key="it")
    (after,) = layer.op(_op("add"), h, beside)
    layer.output("y", h)
    layer.output("state", after)
    net = Building("net", "network")
    x, y = net.input("x", _f32(2, 3)), net.input("y", _f32(2, 3))
    held = Region("layer", "layer", layer.graph(), 1)
    steps, end = net.op(_op("iterate", steps=3), x, y, key="loop", regions=(held,))
    net.output("steps", steps)
    net.output("end", end)

    def formula(named: Named, x: Numbers, y: Numbers) -> tuple[Array, ...]:
        found = []
        for _ in range(3):
            found.append(_linear(named, "loop.layer.it", x))
            x = found[-1] + y
        return np.stack(found, 1), x

    return _same("iterate", net.graph(), [[(2, 3), (2, 3)]], formula)


def _scanned() -> Example:
    """A layer that runs along an axis of free size."""
    layer, (x, state) = _layer(_f32("B", 3), _f32("B", 3))
    (h,) = layer.op(_op("linear", width=3), state, key="it")
    (h,) = layer.op(_op("add"), h, x)
    (h,) = layer.op(_op("tanh"), h)
    layer.output("y", h)
    layer.output("state", h)
    net = Building("net", "network")
    x, start = net.input("x", _f32("B", "T", 3)), net.input("start", _f32("B", 3))
    held = Region("layer", "layer", layer.graph(), 0)
    steps, end = net.op(_op("scan"), x, start, key="loop", regions=(held,))
    net.output("steps", steps)
    net.output("end", end)

    def formula(named: Named, x: Numbers, h: Numbers) -> tuple[Array, ...]:
        found = []
        for at in range(x.shape[1]):
            h = np.tanh(_linear(named, "loop.layer.it", h) + x[:, at])
            found.append(h)
        return np.stack(found, 1), h

    sizes: Sequence[Shapes] = [[(2, 1, 3), (2, 3)], [(1, 4, 3), (1, 3)]]
    return _same("scan", net.graph(), sizes, formula, B=2, T=3)


def _gated() -> Example:
    """A layer that runs only where a gate is true: for all, some and none of the samples."""
    layer, (x,) = _layer(_f32("B", 3))
    layer.output("y", *layer.op(_op("linear", width=3), x, key="it"))
    net = Building("net", "network")
    x = net.input("x", _f32("B", 3))
    (total,) = net.op(_op("sum", axis=1), x)
    (gate,) = net.op(_op("gt", scalar=0.0), total)
    held = Region("layer", "layer", layer.graph(), 0)
    net.output("y", *net.op(_op("gated"), gate, x, x, key="choice", regions=(held,)))

    def formula(named: Named, x: Numbers) -> tuple[Array, ...]:
        ran = _linear(named, "choice.layer.it", x)
        return (np.where(x.sum(1, keepdims=True) > 0, ran, x),)

    sizes: Sequence[Shapes] = [[(count, 3)] for count in (1, 1, 1, 1, 6)]
    return _same("gated", net.graph(), sizes, formula, B=2)
