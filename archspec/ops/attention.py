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
from archspec.types.dim import ONE, Dim, dim, product
from archspec.types.initialiser import XavierUniform, zeros
from archspec.types.tensor import DType, TensorType

_MASKS = frozenset({DType.BOOL, DType.F32})


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

    @classmethod
    def instead_of(cls, attribute: str) -> str | None:
        if attribute == "is_causal":
            return "write `causal=true`"
        if "mask" in attribute:
            return "a mask is the fourth input, `(q, k, v, mask) -> scaled_dot_product_attention`"
        return None

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
        return _added_triangle(self.name, use) if len(use.inputs) == 4 else None

    def broadcast_target(self, *inputs: TensorType) -> tuple[int, tuple[Dim, ...]] | None:
        return (3, _scores(*inputs[:2]).shape) if len(inputs) == 4 else None

    def _require_mask(self, check: Check, mask: TensorType, scores: TensorType) -> None:
        if self.causal:
            raise OpError(f"`{self.name}` takes a mask or `causal`, not both", attribute="causal")
        require_dtype(self.name, mask, _MASKS, input=3)
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


def _added_triangle(name: str, use: Application) -> Doubt | None:
    """The doubt about a triangle of numbers as the mask, which is the last input."""
    last = len(use.inputs) - 1
    if use.inputs[last].dtype is DType.BOOL or not isinstance(use.source(last), Tril | Triu):
        return None
    return Doubt(
        f"a mask of numbers is added to the scores of `{name}`: 0 hides nothing",
        "make the mask boolean, `mask -> cast(bool)`, or write `causal=true` without a mask",
    )


_MASKED = (
    "a mask is the last input: write `(x, mask) -> multihead_attention(8)`, or `(q, k, v, mask)`; "
    "true is for what may be attended to, where PyTorch's masks are true for what is hidden"
)


class MultiheadAttention(Op):
    """Multi-head attention with its projections, as `torch.nn.MultiheadAttention`.

    The input is x, for self-attention, or (q, k, v): q is [B, N, E], k [B, M, K], v [B, M, V]; the
    result is [B, N, E] (Vaswani et al. 2017). E must be a fixed multiple of `heads`. The weights
    have PyTorch's names: `in_proj_weight` (or `q_proj_weight`, `k_proj_weight`, `v_proj_weight`
    if K or V differs from E), `in_proj_bias`, `out_proj.weight`, `out_proj.bias`.

    A mask may follow, as in (x, mask) and (q, k, v, mask): [B, M] for the keys, such as those that
    are not padding, [N, M], [B, N, M] or [B, heads, N, M]; axes of size 1 broadcast. As for
    `scaled_dot_product_attention`, a bool mask is true for the positions that may be attended to,
    the opposite of PyTorch's module, and a floating-point mask is added to the scores. A position
    that attends to nothing has no defined result.

    heads: number of heads, each of width E / heads.
    bias: whether the projections have a bias.
    dropout: probability with which an attention weight is dropped in training.
    causal: whether position i attends only to positions up to i, and to those that a bool mask
        allows.
    """

    name: ClassVar[str] = "multihead_attention"
    arity: ClassVar[tuple[int, int | None]] = (1, 4)
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
        Example({"heads": 2}, ("f32[2, 5, 8]", "bool[2, 5]")),
        Example({"heads": 2}, ("f32[2, 5, 8]", "f32[2, 7, 8]", "f32[2, 7, 8]", "f32[2, 2, 5, 7]")),
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
        if len(inputs) == 2 and mask_of(inputs) is None:
            raise OpError(
                "`multihead_attention` takes x or (q, k, v), and a mask after it, but got two "
                "inputs",
                fix="for attention to a second input write `(x, context, context)`; a mask of "
                "rank 3 that is added to the scores is a fourth input, `(x, x, x, mask)`",
            )
        data = without_mask(inputs)
        for index, each in enumerate(data):
            if each.dtype is DType.BOOL:
                raise OpError(
                    f"`multihead_attention` takes f32, but input {index + 1} is `{each}`",
                    input=index,
                    fix=_MASKED,
                )
            if float_input(self.name, data, index).rank != 3:
                raise OpError(
                    f"`multihead_attention` takes [B, N, E], but input {index + 1} is `{each}`",
                    input=index,
                )
        q, k, v = query_key_value(inputs)
        for index, each in enumerate((q, k, v)):
            place = min(index, len(data) - 1)
            known_axis(self.name, check, each, 2, what="features", input=place)
        divides(self.name, "heads", self.heads, q.shape[2], "a last axis")
        if len(data) == 3:
            require_equal_dims(self.name, check, 0, q, k, 1)
            require_equal_dims(self.name, check, 0, q, v, 2)
            require_equal_dims(self.name, check, 1, k, v, 2)
        if mask_of(inputs) is not None:
            self._require_mask(check, inputs)
        return q

    def _require_mask(self, check: Check, inputs: tuple[TensorType, ...]) -> None:
        place, mask = len(inputs) - 1, inputs[-1]
        kind = require_dtype(self.name, mask, _MASKS, input=place, fix="write `mask -> cast(bool)`")
        if self.causal and kind is not DType.BOOL:
            raise OpError(
                f"`{self.name}` takes `causal` with a bool mask, but it is `{mask}`",
                attribute="causal",
                fix="a mask that is added can hide the later positions itself",
            )
        scores = self.scores(inputs)
        batch, _, queries, keys = scores
        _require_one_meaning(mask, batch, queries, place)
        forms = [(batch, keys), (queries, keys), (batch, queries, keys), scores]
        *others, last = (f"[{', '.join(map(str, form))}]" for form in dict.fromkeys(forms))
        wanted = f"a mask of {', '.join(others)} or {last}"
        message = f"`{self.name}` takes {wanted}, but it is `{mask}`"
        if not 2 <= mask.rank <= 4:
            raise OpError(message, input=place)
        for one, other in zip(self.axes_of_mask(inputs), scores, strict=True):
            if one in (1, other):
                continue
            of_heads = mask.rank == 3 and mask.shape[0] == scores[1]
            fix = "write `mask -> unsqueeze(0)` for a mask of each head" if of_heads else ""
            if one.constant is not None and other.constant is not None:
                raise OpError(message, input=place, fix=fix or None)
            reason = f"`{self.name}` needs {wanted}, not {mask.shape_text}"
            check.require_equal(one, other, reason, hint=fix)

    def scores(self, inputs: tuple[TensorType, ...]) -> tuple[Dim, Dim, Dim, Dim]:
        """The shape of the scores: [B, heads, N, M]."""
        q, k, _ = query_key_value(inputs)
        return q.shape[0], dim(self.heads), q.shape[1], k.shape[1]

    def axes_of_mask(self, inputs: tuple[TensorType, ...]) -> tuple[Dim, ...]:
        """The mask with axes of size 1 inserted, so that it broadcasts to the scores."""
        shape, batch = inputs[-1].shape, inputs[0].shape[0]
        if len(shape) == 2:
            lead = (shape[0], ONE, ONE) if shape[0] == batch != ONE else (ONE, ONE, shape[0])
            return (*lead, shape[1])
        return (shape[0], ONE, *shape[1:]) if len(shape) == 3 else shape

    def doubt(self, use: Application) -> Doubt | None:
        return None if mask_of(use.inputs) is None else _added_triangle(self.name, use)

    def _widths(self, inputs: tuple[TensorType, ...]) -> tuple[int, ...]:
        return tuple(
            fixed_axis(self.name, each, 2, what="features") for each in query_key_value(inputs)
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
        q, k, v = query_key_value(inputs)
        width = q.shape[2]
        projections = (q.elements + k.elements + v.elements + q.elements) * width
        return projections + product(q.shape) * k.shape[1] * 2

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Literal["all"]:
        return "all"


def _require_one_meaning(mask: TensorType, batch: Dim, queries: Dim, place: int) -> None:
    """Raise OpError for a matrix whose rows may belong to the batch or to the queries."""
    if mask.rank == 2 and mask.shape[0] == batch == queries != ONE:
        raise OpError(
            f"the mask `{mask}` may be [batch, keys] or [queries, keys], since both are equal",
            input=place,
            fix="write `mask -> unsqueeze(1)` if it has a row for each sequence of the batch, "
            "`mask -> unsqueeze(0)` if it has a row for each query",
        )


def mask_of(inputs: tuple[TensorType, ...]) -> TensorType | None:
    """The mask among the inputs of `multihead_attention`.

    A second input is no mask if it is a sequence: of rank 3, and not of type bool.
    """
    if len(inputs) == 4:
        return inputs[3]
    is_mask = len(inputs) == 2 and (inputs[1].dtype is DType.BOOL or inputs[1].rank != 3)
    return inputs[1] if is_mask else None


def without_mask(inputs: tuple[TensorType, ...]) -> tuple[TensorType, ...]:
    """X or (q, k, v) among the inputs of `multihead_attention`."""
    return inputs if mask_of(inputs) is None else inputs[:-1]


def query_key_value(inputs: tuple[TensorType, ...]) -> tuple[TensorType, TensorType, TensorType]:
    """Queries, keys and values of `multihead_attention`, which are one tensor in self-attention."""
    data = without_mask(inputs)
    q, k, v = data if len(data) == 3 else data * 3
    return q, k, v
