"""Compare the lowering of an op with its reference: one network of all its cases."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from archspec.graph.model import Instance
from archspec.ops.base import Op, Parameter
from archspec.ops.registry import all_ops
from archspec.types.tensor import DType
from archspec_torch.module import to_module
from tests.backends.graphs import Builder, compiled, region
from tests.ops.formulas.table import Case, Reference, cases_of, references

KINDS = {DType.F32: "f", DType.C64: "c", DType.BOOL: "b", DType.I32: "i", DType.I64: "i"}
STEP = 1e-6


@dataclass
class Use:
    """A case in the network: as a function, or as a module of a container."""

    case: Case
    op: Op
    key: str
    inputs: tuple[np.ndarray, ...]
    weights: dict[str, np.ndarray]
    given: slice
    outputs: slice
    types: tuple[Any, ...]

    def run(self, function: Callable[..., Any], *inputs: np.ndarray, **weights: Any) -> tuple:
        """The results of a reference, for these inputs or others."""
        named = {key.replace(".", "_") or "it": value for key, value in self.weights.items()}
        with np.errstate(all="ignore"):
            found = function(self.op, *(inputs or self.inputs), **{**named, **weights})
        return found if isinstance(found, tuple) else (found,)

    def __str__(self) -> str:
        inputs = ", ".join(self.case.inputs)
        return f"{self.op.name}({dict(self.case.attributes)}) of {inputs} at {self.key}"


@dataclass
class Bench:
    """The network of all cases of an op, with the input arrays."""

    reference: Reference
    module: torch.nn.Module
    uses: list[Use]
    arrays: list[np.ndarray]

    def tensors(self) -> list[torch.Tensor]:
        """All inputs, requiring gradients if they can have them."""
        found = [torch.from_numpy(np.array(one)) for one in self.arrays]
        return [one.requires_grad_(one.is_floating_point() or one.is_complex()) for one in found]

    def run(self, module: torch.nn.Module, inputs: list[torch.Tensor]) -> tuple:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = module(*inputs)
        return found if isinstance(found, tuple) else (found,)


def bench(name: str, cases: tuple[Case, ...] | None = None, *, frozen: bool = False) -> Bench:
    """Build the network, with random weights; `frozen` ops stay in inference mode."""
    kind, held = all_ops()[name], references()[name]
    builder, uses, arrays, ports = Builder("net", "network"), [], [], []
    for number, case in enumerate(cases_of(name) if cases is None else cases):
        rng = np.random.default_rng(number)
        op = kind(**case.attributes)
        drawn = tuple(held.draw(rng, one, at, op) for at, one in enumerate(case.types))
        given = [builder.input(one, f"x{len(arrays) + at}") for at, one in enumerate(case.types)]
        arrays += drawn
        place = slice(len(arrays) - len(drawn), len(arrays))
        weights = {
            one.name: weight(rng, one) for one in op.parameters(*case.types) if one.persistent
        }
        regions = [region(key, graph, "inner") for key, graph in case.regions.items()]
        for key in keys(case, op, number):
            held_op = op.in_inference() if frozen else op
            one = Instance(key, held_op, regions=tuple(regions), frozen=frozen)
            made = builder.op(name, given, share=one, **case.attributes)
            made = made if isinstance(made, tuple) else (made,)
            outputs = slice(len(ports), len(ports) + len(made))
            ports += made
            types = tuple(builder.type_of(port) for port in made)
            uses.append(Use(case, op, key, drawn, weights, place, outputs, types))
    graph = builder.build(ports[0] if len(ports) == 1 else tuple(ports))
    module = to_module(compiled(graph), dtype=torch.float64)
    module.load_state_dict(dict(state(uses)))
    return Bench(held, module, uses, arrays)


def keys(case: Case, op: Op, number: int) -> Iterator[str]:
    yield f"a{number}"
    if len(case.inputs) == 1 and not op.regions:
        yield f"b{number}.0"


def weight(rng: np.random.Generator, one: Parameter) -> np.ndarray:
    """A weight, variance or count that is not an initial value of any layer."""
    if not one.dtype.is_float:
        return rng.integers(3, 9, one.shape)
    if one.name in ("running_var", "weight_g"):
        return 0.5 + rng.random(one.shape)
    return rng.normal(0.5, 1, one.shape)


def state(uses: list[Use]) -> Iterator[tuple[str, torch.Tensor]]:
    for use in uses:
        for name, value in use.weights.items():
            yield f"{use.key}.{name}".rstrip("."), torch.from_numpy(np.array(value))


def is_random(op: Op) -> bool:
    """Whether the op is random in training."""
    chance = getattr(op, "dropout", 0) or getattr(op, "drop", 0)
    return bool(chance) or op.category == "random"


# ---------------------------------------------------------------------- comparisons


Cases = tuple[Case, ...] | None
"""The results to compare; None for all."""


def compare_frozen(name: str) -> None:
    """In both modes, the results of a frozen layer are those of inference."""
    built = bench(name, frozen=True)
    for training in (False, True):
        found = built.run(built.module.train(training), built.tensors())
        for use in built.uses:
            compare(use, found[use.outputs], use.run(built.reference.run))


def compare_values(name: str, cases: Cases = None, *, training: bool) -> None:
    """The results are those of the reference, with the shapes and types that the op infers."""
    built = bench(name, cases)
    found = built.run(built.module.train(training), built.tensors())
    function = built.reference.training if training else built.reference.run
    for use in built.uses:
        if not (training and is_random(use.op)):
            compare(use, found[use.outputs], use.run(function))
    if training and built.reference.after is not None:
        values = built.module.state_dict()
        for use in built.uses:
            for key, wanted in use.run(built.reference.after)[0].items():
                close(values[f"{use.key}.{key}"], wanted, f"{use}: {key}")


def compare(use: Use, found: tuple, wanted: tuple) -> None:
    assert len(found) == len(wanted) == len(use.types), use
    for one, value, kind in zip(found, wanted, use.types, strict=True):
        assert tuple(one.shape) == tuple(size.constant for size in kind.shape), use
        assert np.asarray(value).shape == tuple(one.shape), f"{use}: the reference's shape"
        assert one.detach().numpy().dtype.kind == KINDS[kind.dtype], use
        close(one, value, str(use))


def close(found: torch.Tensor, wanted: np.ndarray, what: str) -> None:
    exact = found.dtype in (torch.float64, torch.complex128)
    tolerance = 1e-9 if exact else 1e-6
    value = found.detach().resolve_conj().numpy()
    np.testing.assert_allclose(value, wanted, tolerance, tolerance, err_msg=what)


def compare_script(name: str) -> None:
    """TorchScript computes the same."""
    built = bench(name, scripted_cases(name))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scripted = torch.jit.script(built.module.eval())
    inputs = [one.detach() for one in built.tensors()]
    with torch.no_grad(), torch.jit.optimized_execution(False):
        found = built.run(scripted, inputs)
    for use in built.uses:
        compare(use, found[use.outputs], use.run(built.reference.run))


def scripted_cases(name: str) -> tuple[Case, ...]:
    """All cases, but only a few of recurrent layers, which TorchScript compiles in a second
    each."""
    cases = cases_of(name)
    return cases[::3] if all_ops()[name].category == "recurrent" else cases


def compare_drawn(name: str) -> None:
    """In training, random results have the properties that the reference asserts."""
    held = references()[name]
    built = bench(name, held.drawn)
    torch.manual_seed(0)
    found = built.run(built.module.train(), built.tensors())
    for use in built.uses:
        results = tuple(one.detach().numpy() for one in found[use.outputs])
        named = {key.replace(".", "_") or "it": value for key, value in use.weights.items()}
        held.holds(use.op, use.inputs, results, **named)


# ---------------------------------------------------------------------- gradients


def compare_gradients(name: str, cases: Cases = None) -> None:
    """The gradient in a direction is the difference quotient of the reference's results."""
    built = bench(name, cases)
    inputs, weights = built.tensors(), dict(built.module.eval().named_parameters())
    found, rng = built.run(built.module, inputs), np.random.default_rng(0)
    upstream = [rng.normal(size=tuple(one.shape)) for one in found]
    flows = [
        (one * torch.from_numpy(np.asarray(up)).to(one)).real.sum()
        for one, up in zip(found, upstream, strict=True)
        if one.requires_grad
    ]
    if flows:
        sum(flows).backward()
    for case in dict.fromkeys(id(use.case) for use in built.uses):
        pair = [use for use in built.uses if id(use.case) == case and can_have_gradient(use)]
        if pair:
            _along(built, pair, inputs[pair[0].given], weights, upstream, rng)


def can_have_gradient(use: Use) -> bool:
    return all(kind.dtype in (DType.F32, DType.C64) for kind in use.types[:1])


def _along(
    built: Bench,
    pair: list[Use],
    inputs: list[torch.Tensor],
    weights: Mapping[str, torch.nn.Parameter],
    upstream: list[np.ndarray],
    rng: np.random.Generator,
) -> None:
    """Gradients of the two uses of a case, which have the same inputs."""
    ways = [rng.normal(size=one.shape) * (one.dtype.kind in "fc") for one in pair[0].inputs]
    slopes = (_slope(one, way) for one, way in zip(inputs, ways, strict=True))
    mine, theirs = sum(slopes), 0.0
    for use in pair:
        weight_directions = {
            key: rng.normal(size=value.shape)
            for key, value in use.weights.items()
            if f"{use.key}.{key}".rstrip(".") in weights
        }
        for key, way in weight_directions.items():
            mine += _slope(weights[f"{use.key}.{key}".rstrip(".")], way)
        theirs += _difference(built.reference, use, ways, weight_directions, upstream[use.outputs])
    np.testing.assert_allclose(mine, theirs, 1e-4, 1e-4, err_msg=f"{pair[0]}: gradient")


def _slope(tensor: torch.Tensor, way: np.ndarray) -> float:
    if tensor.grad is None:
        return 0.0
    return float((tensor.grad.resolve_conj().numpy().conj() * way).real.sum())


def _difference(
    held: Reference,
    use: Use,
    ways: list[np.ndarray],
    weight_directions: Mapping[str, np.ndarray],
    upstream: list[np.ndarray],
) -> float:
    if held.slope is not None:
        return float((held.slope(use.op, upstream[0], *use.inputs) * ways[0]).real.sum())

    def loss(step: float) -> float:
        inputs = [
            one + step * way if one.dtype.kind in "fc" else one
            for one, way in zip(use.inputs, ways, strict=True)
        ]
        moved = {
            key.replace(".", "_") or "it": use.weights[key] + step * held.learned(use.op, way)
            for key, way in weight_directions.items()
        }
        outs = use.run(held.run, *inputs, **moved)
        pairs = zip(outs, upstream, strict=True)
        return sum((out * up).real.sum() for out, up in pairs if out.dtype.kind in "fc")

    return (loss(STEP) - loss(-STEP)) / (2 * STEP)
