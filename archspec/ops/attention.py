"""Attention: the scaled dot product, and PyTorch's multi-head module."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

from archspec.ops.advice import Application, Doubt
from archspec.ops.base import Check, Example, Op, OpError, Parameter
from archspec.ops.broadcasting import require_dtype, require_equal_dims
from archspec.ops.indexing import Tril, Triu
from archspec.ops.random import Probability
from archspec.ops.shape_rules import divides, fixed_axis, float_input, known_axis
from archspec.ops.symbols import Count
from archspec.ops.weights import DEFAULT_WEIGHT
from archspec.types.dim import Dim, product
from archspec.types.initialiser import XavierUniform, zeros
from archspec.types.tensor import DType, TensorType


class ScaledDotProductAttention(Op):
    """`softmax(q @ k.T * scale + mask) @ v`, the attention of Vaswani et al. 2017.

    The inputs are (q, k, v) or (q, k, v, mask): q is [..., N, E], k [..., M, E], v [..., M, V], and
    the mask [..., N, M] or with axes of size 1, which broadcast. A bool mask is true for the
    positions that may be attended to; a floating-point mask is added to the scores. The result is
    [..., N, V]. As `torch.nn.functional.scaled_dot_product_attention`.

    causal: whether position i sees the positions up to i only; not together with a mask.
    scale: factor of the scores; None for 1 / sqrt(E).
    dropout: probability with which an attention weight is dropped in training.
    """

    name: ClassVar[str] = "scaled_dot_product_attention"
    arity: ClassVar[tuple[int, int | None]] = (3, 4)
    category: ClassVar[str] = "attention"
    positions: ClassVar[int | None] = 0
    examples: ClassVar[tuple[Example, ...]] = (
        Example({}, ("f32[2, 3, 5, 8]", "f32[2, 3, 5, 8]", "f32[2, 3, 5, 8]")),
        Example({"causal": True}, ("f32[2, 3, 5, 8]", "f32[2, 3, 5, 8]", "f32[2, 3, 5, 8]")),
        Example({"scale": 0.5}, ("f32[2, 5, 8]", "f32[2, 7, 8]", "f32[2, 7, 6]")),
        Example({"dropout": 0.1}, ("f32[2, 3, 5, 8]", "f32[2, 3, 7, 8]", "f32[2, 3, 7, 8]")),
        Example({}, ("f32[2, 3, 5, 8]", "f32[2, 3, 7, 8]", "f32[2, 3, 7, 8]", "f32[3, 5, 7]")),
        Example({}, ("f32[2, 3, 5, 8]", "f32[2, 3, 7, 8]", "f32[2, 3, 7, 8]", "bool[2, 1, 1, 7]")),
    )

    causal: bool = False
    scale: float | None = None
    dropout: Probability = 0.0

    @property
    def stochastic(self) -> bool:
        return bool(self.dropout)

    def in_inference(self) -> Op:
        return self.derived(dropout=0.0)

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        q, k, v = (float_input(self.name, inputs, index) for index in range(3))
        for index, other in enumerate((q, k, v)):
            if other.rank != q.rank or other.rank < 2:
                raise OpError(
                    f"`{self.name}` takes q, k, v of one rank from 2 on, but they are `{q}`, "
                    f"`{k}`, `{v}`",
                    input=index,
                )
        for axis in range(q.rank - 2):
            require_equal_dims(self.name, check, axis, q, k, 1)
            require_equal_dims(self.name, check, axis, q, v, 2)
        require_equal_dims(self.name, check, q.rank - 1, q, k, 1)
        require_equal_dims(self.name, check, q.rank - 2, k, v, 2)
        if len(inputs) == 4:
            self._require_mask(check, inputs[3], _scores(q, k))
        return q.with_shape(*q.shape[:-1], v.shape[-1])

    def doubt(self, use: Application) -> Doubt | None:
        if len(use.inputs) < 4 or use.inputs[3].dtype is DType.BOOL:
            return None
        if not isinstance(use.source(3), Tril | Triu):
            return None
        return Doubt(
            f"a mask of numbers is added to the scores of `{self.name}`: 0 hides nothing",
            "make the mask boolean, `mask -> cast(bool)`, or write `causal=true` without a mask",
        )

    def broadcast_target(self, *inputs: TensorType) -> tuple[int, tuple[Dim, ...]] | None:
        return (3, _scores(*inputs[:2]).shape) if len(inputs) == 4 else None

    def _require_mask(self, check: Check, mask: TensorType, scores: TensorType) -> None:
        if self.causal:
            raise OpError(f"`{self.name}` takes a mask or `causal`, not both", attribute="causal")
        require_dtype(self.name, mask, frozenset({DType.BOOL, DType.F32}), input=3)
        wanted = f"a mask that broadcasts to {scores.shape_text}"
        refused = OpError(f"`{self.name}` takes {wanted}, but it is `{mask}`", input=3)
        if not 2 <= mask.rank <= scores.rank:
            raise refused
        for one, other in zip(mask.shape, scores.shape[-mask.rank :], strict=True):
            if one in (1, other):
                continue
            if one.constant is not None and other.constant is not None:
                raise refused
            check.require_equal(one, other, f"`{self.name}` needs {wanted}, not {mask.shape_text}")

    def macs(self, inputs: tuple[TensorType, ...], outputs: tuple[TensorType, ...]) -> Dim:
        q, k, v = inputs[:3]
        return product(q.shape[:-1]) * k.shape[-2] * (q.shape[-1] + v.shape[-1])

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Literal["all"]:
        return "all"


def _scores(q: TensorType, k: TensorType) -> TensorType:
    """The scores of all queries and keys."""
    return q.with_shape(*q.shape[:-1], k.shape[-2])


_MASKED = (
    "attention with a mask is `scaled_dot_product_attention` of q, k, v and the mask, with "
    "a `linear` for each before it; with q as [B, heads, N, E], a mask of padding is "
    "`keep -> reshape(B, 1, 1, N)`, true for what is kept"
)


class MultiheadAttention(Op):
    """Multi-head attention with its projections, as `torch.nn.MultiheadAttention`.

    The input is x, for self-attention, or (q, k, v): q is [B, N, E], k [B, M, K], v [B, M, V]; the
    result is [B, N, E] (Vaswani et al. 2017). E must be a fixed multiple of `heads`. The weights
    have PyTorch's names: `in_proj_weight` (or `q_proj_weight`, `k_proj_weight`, `v_proj_weight`
    if K or V differs from E), `in_proj_bias`, `out_proj.weight`, `out_proj.bias`.

    heads: number of heads, each of width E / heads.
    bias: whether the projections have a bias.
    dropout: probability with which an attention weight is dropped in training.
    causal: whether position i attends only to positions up to i.
    """

    name: ClassVar[str] = "multihead_attention"
    arity: ClassVar[tuple[int, int | None]] = (1, 3)
    category: ClassVar[str] = "attention"
    positions: ClassVar[int | None] = 1
    inferred: ClassVar[int | None] = 0
    weight_layers: ClassVar[int] = 2
    inner_layers: ClassVar[Mapping[str, str]] = {"out_proj": "linear"}
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"heads": 2}, ("f32[2, 5, 8]",)),
        Example({"heads": 4, "bias": False}, ("f32[2, 5, 8]", "f32[2, 7, 8]", "f32[2, 7, 8]")),
        Example({"heads": 2, "dropout": 0.1}, ("f32[2, 5, 8]", "f32[2, 7, 6]", "f32[2, 7, 4]")),
        Example({"heads": 2, "causal": True}, ("f32[2, 5, 8]",)),
    )

    heads: Count
    bias: bool = True
    dropout: Probability = 0.0
    causal: bool = False

    @property
    def stochastic(self) -> bool:
        return bool(self.dropout)

    def in_inference(self) -> Op:
        return self.derived(dropout=0.0)

    @classmethod
    def position_of_channels(cls, given: Sequence[object]) -> int | None:
        """The larger number: heads divide the channels, in whatever order they are given."""
        numbers = [one for one in given[:2] if isinstance(one, int)]
        return int(numbers[1] > numbers[0]) if len(numbers) == 2 else None

    @property
    def with_more_inputs(self) -> str | None:
        return _MASKED

    @classmethod
    def instead_of(cls, attribute: str) -> str | None:
        if attribute == "is_causal":
            return "write `causal=true`"
        return _MASKED if "mask" in attribute else None

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        if len(inputs) == 2 and (inputs[1].rank != 3 or inputs[1].dtype is DType.BOOL):
            raise OpError(
                f"`multihead_attention` takes x or (q, k, v), and no mask such as `{inputs[1]}`",
                input=1,
                fix=_MASKED,
            )
        if len(inputs) == 2:
            raise OpError(
                "`multihead_attention` takes x or (q, k, v), but got two inputs",
                fix="for attention to a second input write `(x, context, context)`",
            )
        for index in range(len(inputs)):
            if float_input(self.name, inputs, index).rank != 3:
                raise OpError(
                    f"`multihead_attention` takes [B, N, E], but input {index + 1} is "
                    f"`{inputs[index]}`",
                    input=index,
                )
        q, k, v = _query_key_value(inputs)
        for index, each in enumerate((q, k, v)):
            place = min(index, len(inputs) - 1)
            known_axis(self.name, check, each, 2, what="features", input=place)
        divides(self.name, "heads", self.heads, q.shape[2], "a last axis")
        if len(inputs) == 3:
            require_equal_dims(self.name, check, 0, q, k, 1)
            require_equal_dims(self.name, check, 0, q, v, 2)
            require_equal_dims(self.name, check, 1, k, v, 2)
        return q

    def _widths(self, inputs: tuple[TensorType, ...]) -> tuple[int, ...]:
        return tuple(
            fixed_axis(self.name, each, 2, what="features") for each in _query_key_value(inputs)
        )

    def parameters(self, *inputs: TensorType) -> tuple[Parameter, ...]:
        width, of_keys, of_values = self._widths(inputs)
        first = XavierUniform()
        if width == of_keys == of_values:
            projections = [Parameter("in_proj_weight", (3 * width, width), first)]
        else:
            projections = [
                Parameter("q_proj_weight", (width, width), first),
                Parameter("k_proj_weight", (width, of_keys), first),
                Parameter("v_proj_weight", (width, of_values), first),
            ]
        out = Parameter("out_proj.weight", (width, width), DEFAULT_WEIGHT)
        if not self.bias:
            return (*projections, out)
        in_bias = Parameter("in_proj_bias", (3 * width,), zeros())
        return (*projections, in_bias, out, Parameter("out_proj.bias", (width,), zeros()))

    def macs(self, inputs: tuple[TensorType, ...], outputs: tuple[TensorType, ...]) -> Dim:
        q, k, v = _query_key_value(inputs)
        width = q.shape[2]
        projections = (q.elements + k.elements + v.elements + q.elements) * width
        return projections + product(q.shape) * k.shape[1] * 2

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Literal["all"]:
        return "all"


def _query_key_value(inputs: tuple[TensorType, ...]) -> tuple[TensorType, TensorType, TensorType]:
    q, k, v = inputs if len(inputs) == 3 else inputs * 3
    return q, k, v
