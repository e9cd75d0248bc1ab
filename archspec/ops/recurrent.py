"""Recurrent layers over a sequence, with the weights and equations of `torch.nn`."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, TypeAlias

from pydantic import Field

from archspec.ops.base import Check, Example, Made, Op, OpError, Parameter, Seen
from archspec.ops.broadcasting import require_equal_dims
from archspec.ops.random import Probability
from archspec.ops.shape_rules import fixed_axis, float_input, known_axis, mixed
from archspec.ops.symbols import Count, Symbol, number
from archspec.types.condition import at_least
from archspec.types.dim import ZERO, Dim, dim, product
from archspec.types.initialiser import fan_in_uniform
from archspec.types.tensor import TensorType

Layers: TypeAlias = Annotated[int, Field(ge=1, le=1000)] | Symbol
"""Number of layers; each has its own weights, so the number is limited."""


class Lstm(Op):
    """Long short-term memory over a sequence, as `torch.nn.LSTM` (Hochreiter, Schmidhuber 1997).

    The input is x or (x, h, c): x is [B, T, C], and the initial states h and c are
    [layers * directions, B, hidden], by default zeros. The result is (y, h, c): y is
    [B, T, directions * hidden], and h and c are the final states.

    hidden: size of the state.
    layers: number of stacked layers (at most 1000).
    bias: whether the gates have biases.
    batch_first: whether x is [B, T, C] (the default, unlike in PyTorch) or [T, B, C].
    dropout: probability with which an element is dropped between layers, in training.
    bidirectional: whether there is a second, backward direction; directions is then 2.
    """

    name: ClassVar[str] = "lstm"
    output_names: ClassVar[tuple[str, ...]] = ("y", "h", "c")
    arity: ClassVar[tuple[int, int | None]] = (1, 3)
    category: ClassVar[str] = "recurrent"
    positions: ClassVar[int | None] = 1
    inferred: ClassVar[int | None] = 0
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"hidden": 6}, ("f32[2, 5, 8]",)),
        Example({"hidden": 6, "layers": 2, "dropout": 0.1}, ("f32[2, 5, 8]",)),
        Example({"hidden": 6, "bidirectional": True, "bias": False}, ("f32[2, 5, 8]",)),
        Example({"hidden": 6}, ("f32[2, 5, 8]", "f32[1, 2, 6]", "f32[1, 2, 6]")),
        Example({"hidden": 6, "batch_first": False}, ("f32[5, 2, 8]",)),
    )

    hidden: Count
    layers: Layers = 1
    bias: bool = True
    batch_first: bool = True
    dropout: Probability = 0.0
    bidirectional: bool = False

    @property
    def stochastic(self) -> bool:
        return bool(self.dropout)

    def in_inference(self) -> Op:
        return self.derived(dropout=0.0)

    def infer(self, check: Check, *inputs: TensorType) -> tuple[TensorType, ...]:
        if len(inputs) == 2:
            raise OpError(
                "`lstm` takes x or (x, h, c), but got two inputs",
                fix=f"give both states: `(x, h, c) -> lstm({self.hidden})`",
            )
        return _run(self, check, inputs, states=2)

    def parameters(self, *inputs: TensorType) -> tuple[Parameter, ...]:
        return _stacked(self, inputs[0], gates=4)

    def depth(self, inputs: tuple[Made, ...]) -> int:
        return number(self.layers)

    def macs(self, inputs: tuple[TensorType, ...], outputs: tuple[TensorType, ...]) -> Dim:
        return _stacked_macs(self, inputs[0], gates=4)

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Literal["all"]:
        return "all"


class Gru(Op):
    """Gated recurrent unit over a sequence, as `torch.nn.GRU` (Cho et al. 2014).

    The input is x or (x, h): x is [B, T, C], and the initial state h is
    [layers * directions, B, hidden], by default zeros. The result is (y, h): y is
    [B, T, directions * hidden], and h is the final state.

    hidden: size of the state.
    layers: number of stacked layers (at most 1000).
    bias: whether the gates have biases.
    batch_first: whether x is [B, T, C] (the default, unlike in PyTorch) or [T, B, C].
    dropout: probability with which an element is dropped between layers, in training.
    bidirectional: whether there is a second, backward direction; directions is then 2.
    """

    name: ClassVar[str] = "gru"
    output_names: ClassVar[tuple[str, ...]] = ("y", "h")
    arity: ClassVar[tuple[int, int | None]] = (1, 2)
    category: ClassVar[str] = "recurrent"
    positions: ClassVar[int | None] = 1
    inferred: ClassVar[int | None] = 0
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"hidden": 6}, ("f32[2, 5, 8]",)),
        Example({"hidden": 6, "layers": 2, "dropout": 0.1}, ("f32[2, 5, 8]",)),
        Example({"hidden": 6, "bidirectional": True, "bias": False}, ("f32[2, 5, 8]",)),
        Example({"hidden": 6, "layers": 2}, ("f32[2, 5, 8]", "f32[2, 2, 6]")),
        Example({"hidden": 6, "batch_first": False}, ("f32[5, 2, 8]",)),
    )

    hidden: Count
    layers: Layers = 1
    bias: bool = True
    batch_first: bool = True
    dropout: Probability = 0.0
    bidirectional: bool = False

    @property
    def stochastic(self) -> bool:
        return bool(self.dropout)

    def in_inference(self) -> Op:
        return self.derived(dropout=0.0)

    def infer(self, check: Check, *inputs: TensorType) -> tuple[TensorType, ...]:
        return _run(self, check, inputs, states=1)

    def parameters(self, *inputs: TensorType) -> tuple[Parameter, ...]:
        return _stacked(self, inputs[0], gates=3)

    def depth(self, inputs: tuple[Made, ...]) -> int:
        return number(self.layers)

    def macs(self, inputs: tuple[TensorType, ...], outputs: tuple[TensorType, ...]) -> Dim:
        return _stacked_macs(self, inputs[0], gates=3)

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Literal["all"]:
        return "all"


class LstmCell(Op):
    """One step of `lstm`, as `torch.nn.LSTMCell`.

    The input is x or (x, h, c): x is [B, C], and the states h and c are [B, hidden], by default
    zeros. The result is the next (h, c).

    hidden: size of the state.
    bias: whether the gates have biases.
    """

    name: ClassVar[str] = "lstm_cell"
    output_names: ClassVar[tuple[str, ...]] = ("h", "c")
    arity: ClassVar[tuple[int, int | None]] = (1, 3)
    category: ClassVar[str] = "recurrent"
    weight_layers: ClassVar[int] = 1
    positions: ClassVar[int | None] = 1
    inferred: ClassVar[int | None] = 0
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"hidden": 6}, ("f32[2, 8]", "f32[2, 6]", "f32[2, 6]")),
        Example({"hidden": 6, "bias": False}, ("f32[2, 8]",)),
    )

    hidden: Count
    bias: bool = True

    @property
    def over_sequence(self) -> str:
        return f"y, h, c = x -> lstm({self.hidden})"

    def infer(self, check: Check, *inputs: TensorType) -> tuple[TensorType, ...]:
        if len(inputs) == 2:
            raise OpError(
                "`lstm_cell` takes x or (x, h, c), but got two inputs",
                fix=f"give both states: `(x, h, c) -> lstm_cell({self.hidden})`",
            )
        state = _step(self, check, inputs)
        return state, state

    def parameters(self, *inputs: TensorType) -> tuple[Parameter, ...]:
        width = fixed_axis(self.name, inputs[0], 1, what="features")
        return _gates(4, width, number(self.hidden), "", bias=self.bias)

    def macs(self, inputs: tuple[TensorType, ...], outputs: tuple[TensorType, ...]) -> Dim:
        batch, width = inputs[0].shape
        return batch * (width + self.hidden) * (4 * self.hidden)

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Seen:
        return mixed(inputs)


class GruCell(Op):
    """One step of `gru`, as `torch.nn.GRUCell`.

    The input is x or (x, h): x is [B, C], and the state h is [B, hidden], by default zeros. The
    result is the next h.

    hidden: size of the state.
    bias: whether the gates have biases.
    """

    name: ClassVar[str] = "gru_cell"
    arity: ClassVar[tuple[int, int | None]] = (1, 2)
    category: ClassVar[str] = "recurrent"
    weight_layers: ClassVar[int] = 1
    positions: ClassVar[int | None] = 1
    inferred: ClassVar[int | None] = 0
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"hidden": 6}, ("f32[2, 8]", "f32[2, 6]")),
        Example({"hidden": 6, "bias": False}, ("f32[2, 8]",)),
    )

    hidden: Count
    bias: bool = True

    @property
    def over_sequence(self) -> str:
        return f"y, h = x -> gru({self.hidden})"

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        return _step(self, check, inputs)

    def parameters(self, *inputs: TensorType) -> tuple[Parameter, ...]:
        width = fixed_axis(self.name, inputs[0], 1, what="features")
        return _gates(3, width, number(self.hidden), "", bias=self.bias)

    def macs(self, inputs: tuple[TensorType, ...], outputs: tuple[TensorType, ...]) -> Dim:
        batch, width = inputs[0].shape
        return batch * (width + self.hidden) * (3 * self.hidden)

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Seen:
        return mixed(inputs)


def _run(
    op: Lstm | Gru, check: Check, inputs: tuple[TensorType, ...], *, states: int
) -> tuple[TensorType, ...]:
    x = float_input(op.name, inputs)
    if x.rank != 3:
        raise OpError(f"`{op.name}` takes [B, T, C], but its input is `{x}`", input=0)
    known_axis(op.name, check, x, 2, what="features")
    length = x.shape[1 if op.batch_first else 0]
    check.require(at_least(length, 1), f"`{op.name}` needs at least one step")
    directions = 2 if op.bidirectional else 1
    batch = x.shape[0] if op.batch_first else x.shape[1]
    state = x.with_shape(dim(op.layers * directions), batch, dim(op.hidden))
    _require_states(op.name, check, inputs, state)
    y = x.with_shape(*x.shape[:2], dim(op.hidden * directions))
    return (y, *(state,) * states)


def _step(op: LstmCell | GruCell, check: Check, inputs: tuple[TensorType, ...]) -> TensorType:
    x = float_input(op.name, inputs)
    if x.rank != 2:
        raise OpError(f"`{op.name}` takes [B, C], but its input is `{x}`", input=0)
    known_axis(op.name, check, x, 1, what="features")
    state = x.with_shape(x.shape[0], dim(op.hidden))
    _require_states(op.name, check, inputs, state)
    return state


def _require_states(
    op: str, check: Check, inputs: tuple[TensorType, ...], state: TensorType
) -> None:
    for index in range(1, len(inputs)):
        given = float_input(op, inputs, index)
        if given.rank != state.rank:
            raise OpError(
                f"`{op}` takes states of `{state}`, but got `{given}`",
                input=index,
                fix=f"write `-> unsqueeze(0)` after [{', '.join(map(str, given.shape))}]"
                if state.shape == (dim(1), *given.shape)
                else None,
            )
        for axis in range(state.rank):
            require_equal_dims(op, check, axis, state, given, index)


def _gates(
    gates: int, width: int, hidden: int, suffix: str, *, bias: bool
) -> tuple[Parameter, ...]:
    shapes = {"weight_ih": (gates * hidden, width), "weight_hh": (gates * hidden, hidden)}
    vectors = {"bias_ih": (gates * hidden,), "bias_hh": (gates * hidden,)}
    return tuple(
        Parameter(name + suffix, shape, fan_in_uniform(hidden))
        for name, shape in {**shapes, **(vectors if bias else {})}.items()
    )


def _layer_widths(op: Lstm | Gru, width: Dim) -> tuple[tuple[int, Dim, str], ...]:
    directions = 2 if op.bidirectional else 1
    return tuple(
        (layer, width if layer == 0 else dim(op.hidden * directions), suffix)
        for layer in range(number(op.layers))
        for suffix in ("", "_reverse")[:directions]
    )


def _stacked(op: Lstm | Gru, x: TensorType, *, gates: int) -> tuple[Parameter, ...]:
    width = dim(fixed_axis(op.name, x, 2, what="features"))
    return tuple(
        parameter
        for layer, size, suffix in _layer_widths(op, width)
        for parameter in _gates(
            gates, number(size), number(op.hidden), f"_l{layer}{suffix}", bias=op.bias
        )
    )


def _stacked_macs(op: Lstm | Gru, x: TensorType, *, gates: int) -> Dim:
    steps = product(x.shape[:2])
    total = ZERO
    for _, size, _ in _layer_widths(op, x.shape[2]):
        total = total + steps * (size + op.hidden) * (gates * op.hidden)
    return total
