"""What each op computes, implemented again in NumPy: the references for the lowerings.

There is one file per family in this folder. A new op gets a function there:

    @reference("relu")
    def relu(op, x):
        return np.maximum(x, 0)

It takes the op, its inputs as arrays of double precision, and its parameters by name (dots become
underscores), and returns an array or a tuple. It must not be derived from the lowering: it is the
formula of the paper or of the op's docstring. The examples of the op are compared, and the `cases`
given with it. Among them, each attribute must differ from its default in a case where that changes
the result, or a mutant of the lowering that ignores it survives (`test_mutants.py`).
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from archspec.graph.model import Graph
from archspec.ops.base import Op, type_of_text
from archspec.ops.registry import all_ops
from archspec.types.tensor import DType, TensorType


@dataclass(frozen=True)
class Case:
    """Attributes and inputs to compare an op at; `regions` are its layer arguments."""

    attributes: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[str, ...] = ("f32[2, 4, 6, 5]",)
    regions: Mapping[str, Graph] = field(default_factory=dict)

    @property
    def types(self) -> tuple[TensorType, ...]:
        return tuple(map(type_of_text, self.inputs))


Draw = Callable[[np.random.Generator, TensorType, int, Op], np.ndarray]


@dataclass(frozen=True)
class Reference:
    """How one op is compared.

    `run` computes its results, `training` those in training if they differ. `draw` generates an
    input. `slope` computes the gradient of the first input from the gradient of the result; without
    it, finite differences of `run` are used, in directions in which `learned` sets what has no
    gradient to 0. `after` computes the buffers after a training step. `drawn` are cases that are
    random in training, and `holds` asserts their properties.
    """

    run: Callable[..., Any]
    cases: tuple[Case, ...]
    training: Callable[..., Any]
    draw: Draw
    slope: Callable[..., np.ndarray] | None
    after: Callable[..., Mapping[str, np.ndarray]] | None
    drawn: tuple[Case, ...]
    holds: Callable[..., None] | None
    learned: Callable[[Op, np.ndarray], np.ndarray]


def normal(rng: np.random.Generator, kind: TensorType, position: int, op: Op) -> np.ndarray:
    """Numbers of both signs, up to about ten; integers are not 0."""
    shape = tuple(size.constant for size in kind.shape)
    if kind.dtype is DType.BOOL:
        return rng.random(shape) > 0.5
    if kind.dtype is DType.C64:
        return rng.normal(size=shape) + 1j * rng.normal(size=shape)
    if kind.dtype is DType.F32:
        return rng.normal(0, 3, shape)
    return rng.integers(1, 8, shape) * rng.choice((-1, 1), shape)


def positive(rng: np.random.Generator, kind: TensorType, position: int, op: Op) -> np.ndarray:
    """Positive numbers, integers from 1; complex ones are arbitrary."""
    found = normal(rng, kind, position, op)
    if kind.dtype is DType.C64:
        return found
    return np.abs(found) + 0.1 if kind.dtype is DType.F32 else np.abs(found)


_FOUND: dict[str, Reference] = {}


def reference(
    *names: str,
    cases: tuple[Case, ...] = (),
    training: Callable[..., Any] | None = None,
    draw: Draw = normal,
    slope: Callable[..., np.ndarray] | None = None,
    after: Callable[..., Mapping[str, np.ndarray]] | None = None,
    drawn: tuple[Case, ...] = (),
    holds: Callable[..., None] | None = None,
    learned: Callable[[Op, np.ndarray], np.ndarray] = lambda op, way: way,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register the function as the reference of these ops."""

    def register(run: Callable[..., Any]) -> Callable[..., Any]:
        for name in names:
            assert name not in _FOUND, f"two references for {name}"
            _FOUND[name] = Reference(
                run, cases, training or run, draw, slope, after, drawn, holds, learned
            )
        return run

    return register


@cache
def references() -> Mapping[str, Reference]:
    """The reference of each op by its name; the other files in this folder are imported."""
    for path in sorted(Path(__file__).parent.glob("*.py")):
        if path.stem not in ("table", "judge"):
            importlib.import_module(f"tests.ops.formulas.{path.stem}")
    return MappingProxyType(_FOUND)


def cases_of(name: str) -> tuple[Case, ...]:
    """All cases of an op: its examples, unless it has layer arguments, and those of its
    reference."""
    op = all_ops()[name]
    examples = [] if op.regions else [Case(one.attributes, one.inputs) for one in op.examples]
    if op.transparent:  # with several inputs it creates no node
        examples = [case for case in examples if len(case.inputs) == 1]
    return (*examples, *references()[name].cases)
