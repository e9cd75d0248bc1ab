"""Ops that hold a layer and run it conditionally or repeatedly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from archspec.ops.base import Check, Example, Op, OpError, Seen
from archspec.ops.broadcasting import require_dtype, require_equal_dims
from archspec.ops.shape_rules import axis_index
from archspec.types.condition import FALSE, at_least, equal
from archspec.types.dim import Dim, DimLike, dim
from archspec.types.tensor import DType, TensorType


def _same_type(op: str, check: Check, what: str, left: TensorType, right: TensorType) -> None:
    """Require two types to be the same. Raises OpError if they cannot be."""
    fits = left.dtype is right.dtype and left.rank == right.rank
    if not fits or FALSE in map(equal, left.shape, right.shape):
        raise OpError(f"`{op}` needs {what} of one type, but got {left} and {right}")
    for axis in range(left.rank):
        require_equal_dims(op, check, axis, left, right, 0)


class Gated(Op):
    """`(gate, x, otherwise) -> gated(layer)`: `x -> layer` if the gate is true, else `otherwise`.

    The gate is a bool tensor: a scalar, or a tensor with the leading axes of x, such as [B]. The
    layer runs only if the gate is true somewhere; it then gets all of x. Both results have the
    same type.
    """

    name: ClassVar[str] = "gated"
    arity: ClassVar[tuple[int, int | None]] = (3, 3)
    category: ClassVar[str] = "control"
    regions: ClassVar[tuple[str, ...]] = ("layer",)
    yields_region: ClassVar[str | None] = "layer"
    examples: ClassVar[tuple[Example, ...]] = (
        Example({}, ("bool[]", "f32[2, 8]", "f32[2, 4]"), {"layer": ("f32[2, 4]",)}),
        Example({}, ("bool[2]", "f32[2, 8]", "f32[2, 8]"), {"layer": ("f32[2, 8]",)}),
    )

    def region_inputs(self, region: str, inputs: tuple[TensorType, ...]) -> tuple[TensorType, ...]:
        return inputs[1:2]

    def infer_regions(
        self,
        check: Check,
        inputs: tuple[TensorType, ...],
        regions: Mapping[str, tuple[TensorType, ...]],
    ) -> TensorType:
        gate, _, otherwise = inputs
        require_dtype(self.name, gate, frozenset({DType.BOOL}), fix="compare first: `(p > 0.5)`")
        (found,) = _one(self.name, regions["layer"])
        _same_type(self.name, check, "the layer's result and `otherwise`", found, otherwise)
        if gate.rank > found.rank:
            raise OpError(
                f"`gated` needs a gate for leading axes of {found.shape_text}, but it is "
                f"{gate.shape_text}",
                input=0,
            )
        for axis in range(gate.rank):
            require_equal_dims(self.name, check, axis, gate, found, 0)
        return found

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Seen:
        return "unknown"

    def region_runs(self, region: str, inputs: tuple[TensorType, ...]) -> DimLike | None:
        return None


def _one(op: str, types: tuple[TensorType, ...]) -> tuple[TensorType, ...]:
    if len(types) != 1:
        raise OpError(f"`{op}` needs a layer that returns one tensor, but it returns {len(types)}")
    return types


def _stacked(
    op: str,
    check: Check,
    states: tuple[TensorType, ...],
    yielded: tuple[TensorType, ...],
    axis: int,
    count: Dim,
) -> tuple[TensorType, ...]:
    """The types of all results: those of each step stacked along `axis`, then the final state."""
    if len(yielded) < len(states):
        raise OpError(
            f"`{op}` needs a layer that returns its output followed by its {len(states)} states, "
            f"but it returns {len(yielded)}"
        )
    split = len(yielded) - len(states)
    for before, after in zip(states, yielded[split:], strict=True):
        _same_type(op, check, "each state before and after a step", before, after)
    results: list[TensorType] = []
    for one in yielded[:split]:
        at = axis_index(op, axis, one.rank + 1)
        results.append(one.with_shape(*one.shape[:at], count, *one.shape[at:]))
    return (*results, *states)


class Iterate(Op):
    """`state -> iterate(layer, steps)`: applies the layer repeatedly, each time to the last state.

    The layer maps `state -> (y, state)`; state may be several tensors, and so may y, which comes
    first. The result is the y of all steps, stacked along `axis`, followed by the final state.

    steps: number of steps; it may be a free dim, such as the length of an input, if the types of
        the state are the same before and after a step. MACs are proportional to it.
    axis: the new axis along which the results of the steps are stacked.
    """

    name: ClassVar[str] = "iterate"
    arity: ClassVar[tuple[int, int | None]] = (1, None)
    category: ClassVar[str] = "control"
    regions: ClassVar[tuple[str, ...]] = ("layer",)
    yields_region: ClassVar[str | None] = "layer"
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"steps": 3}, ("f32[2, 8]",), {"layer": ("f32[2, 4]", "f32[2, 8]")}),
        Example(
            {"steps": 3, "axis": 0},
            ("i64[2]", "f32[2, 8]"),
            {"layer": ("f32[]", "i64[2]", "f32[2, 8]")},
        ),
    )

    steps: Annotated[int, Field(ge=1)] | Dim
    axis: int = 1

    def region_inputs(self, region: str, inputs: tuple[TensorType, ...]) -> tuple[TensorType, ...]:
        return inputs

    def infer_regions(
        self,
        check: Check,
        inputs: tuple[TensorType, ...],
        regions: Mapping[str, tuple[TensorType, ...]],
    ) -> tuple[TensorType, ...]:
        found, steps = regions["layer"], dim(self.steps)
        least = 1 if len(found) > len(inputs) else 0  # there is nothing to stack
        check.require_nonnegative(steps - least, f"`iterate` needs at least {least} steps", of=None)
        return _stacked(self.name, check, inputs, found, self.axis, steps)

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Seen:
        return "unknown"

    def region_runs(self, region: str, inputs: tuple[TensorType, ...]) -> DimLike | None:
        return self.steps

    def region_states(self, region: str, inputs: int, outputs: int) -> Mapping[int, int]:
        return {at: outputs - inputs + at for at in range(inputs)}


class Scan(Op):
    """`(x, state) -> scan(layer, axis)`: applies the layer along an axis of x, with a state.

    At each step the layer gets `(x_t, state)`, where x_t is x at this position, without the axis,
    and yields `(y, next)`. The result is `(ys, last)`: the y of all steps, stacked along the same
    axis, and the final state. The first `sequences` inputs are sequences; all others are the state,
    and so are the last outputs of the layer, as many and of the same shapes. There may be several
    y, or no state.

    axis: the axis of the sequences.
    sequences: the number of inputs that are sequences.
    """

    name: ClassVar[str] = "scan"
    arity: ClassVar[tuple[int, int | None]] = (1, None)
    category: ClassVar[str] = "control"
    regions: ClassVar[tuple[str, ...]] = ("layer",)
    yields_region: ClassVar[str | None] = "layer"
    examples: ClassVar[tuple[Example, ...]] = (
        Example({}, ("f32[2, 5, 8]", "f32[2, 4]"), {"layer": ("f32[2, 3]", "f32[2, 4]")}),
        Example(
            {"axis": 0, "sequences": 2},
            ("f32[5, 2, 8]", "i64[5, 2]", "f32[2, 4]"),
            {"layer": ("f32[2, 3]", "f32[2]", "f32[2, 4]")},
        ),
    )

    axis: int = 1
    sequences: Annotated[int, Field(ge=1)] = 1

    def _step(self, given: TensorType) -> TensorType:
        at = axis_index(self.name, self.axis, given.rank)
        return given.with_shape(*given.shape[:at], *given.shape[at + 1 :])

    def _length(self, inputs: tuple[TensorType, ...]) -> Dim:
        if self.sequences > len(inputs):
            raise OpError(
                f"`scan` has `sequences={self.sequences}`, but only {len(inputs)} inputs",
                attribute="sequences",
            )
        at = axis_index(self.name, self.axis, inputs[0].rank)
        return inputs[0].shape[at]

    def region_inputs(self, region: str, inputs: tuple[TensorType, ...]) -> tuple[TensorType, ...]:
        self._length(inputs)
        steps = (self._step(one) for one in inputs[: self.sequences])
        return (*steps, *inputs[self.sequences :])

    def infer_regions(
        self,
        check: Check,
        inputs: tuple[TensorType, ...],
        regions: Mapping[str, tuple[TensorType, ...]],
    ) -> tuple[TensorType, ...]:
        length = self._length(inputs)
        for position, one in enumerate(inputs[1 : self.sequences], start=1):
            size = one.shape[axis_index(self.name, self.axis, one.rank)]
            left, right = one.with_shape(length), one.with_shape(size)
            require_equal_dims(self.name, check, 0, left, right, position)
        check.require(at_least(length, 1), "`scan` needs at least one step")
        states = inputs[self.sequences :]
        return _stacked(self.name, check, states, regions["layer"], self.axis, length)

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Seen:
        return "unknown"

    def region_runs(self, region: str, inputs: tuple[TensorType, ...]) -> DimLike | None:
        return self._length(inputs)

    def region_states(self, region: str, inputs: int, outputs: int) -> Mapping[int, int]:
        return {at: outputs - inputs + at for at in range(self.sequences, inputs)}
