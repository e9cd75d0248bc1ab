"""Sums of products: matrix products, einsum, attention."""

from __future__ import annotations

from collections.abc import Sequence

from archspec.ops.attention import mask_of, query_key_value, without_mask
from archspec.types.dim import ONE
from archspec.types.initialiser import Initialiser, XavierUniform, Zeros
from archspec.types.tensor import DType, TensorType
from archspec_torch.code.pieces import (
    NOTHING,
    Code,
    Hole,
    call,
    code,
    keyword,
    optional_argument,
    positional,
)
from archspec_torch.code.text import literal
from archspec_torch.lowering.base import Lowered, Scope, Site, constant, function, lowers
from archspec_torch.lowering.convolution import DEFAULT_WEIGHT

lowers("matmul")(lambda site: Lowered(apply=function("torch.matmul")))
lowers("outer")(lambda site: Lowered(apply=function("torch.outer")))


@lowers("einsum")
def einsum(site: Site) -> Lowered:
    """`torch.einsum`, with a letter for each name."""

    def apply(inputs: Sequence[str], scope: Scope) -> Code:
        return call("torch.einsum", literal(site.op.equation), *inputs)

    return Lowered(apply=apply)


@lowers("scaled_dot_product_attention")
def scaled_dot_product_attention(site: Site) -> Lowered:
    """`F.scaled_dot_product_attention`."""
    op = site.op

    def apply(inputs: Sequence[str], scope: Scope) -> Code:
        dropout: list[Code] = []
        if op.dropout:
            rate = code(Hole(op.dropout, "dropout"), f" if {scope.training()} else 0.0")
            dropout = [code("dropout_p=", rate)]
        mask = code(inputs[3]) if len(inputs) > 3 else NOTHING
        return call(
            "F.scaled_dot_product_attention",
            *inputs[:3],
            optional_argument("attn_mask", mask),
            *dropout,
            keyword("is_causal", op.causal, False),
            keyword("scale", Hole(op.scale, "scale"), None),
        )

    return Lowered(apply=apply)


MULTIHEAD_GIVEN: dict[str, Initialiser] = {
    "in_proj_weight": XavierUniform(),
    "q_proj_weight": XavierUniform(),
    "k_proj_weight": XavierUniform(),
    "v_proj_weight": XavierUniform(),
    "in_proj_bias": Zeros(),
    "out_proj.weight": DEFAULT_WEIGHT,
    "out_proj.bias": Zeros(),
}


@lowers("multihead_attention")
def multihead_attention(site: Site) -> Lowered:
    """`nn.MultiheadAttention`, which also returns weights if requested."""
    op = site.op
    q, k, v = query_key_value(site.inputs)
    width, of_keys, of_values = (constant(each.shape[2]) for each in (q, k, v))
    same = width == of_keys == of_values
    module = call(
        "nn.MultiheadAttention" if op.bias else "UnbiasedAttention",
        positional(width, "embed_dim"),
        positional(op.heads, "num_heads"),
        keyword("dropout", op.dropout, 0.0),
        keyword("bias", op.bias, True),
        keyword("kdim", Hole(None if same else of_keys, "kdim"), None),
        keyword("vdim", Hole(None if same else of_values, "vdim"), None),
        keyword("batch_first", "True"),
    )

    def apply(inputs: Sequence[str], scope: Scope) -> Code:
        data = inputs[: len(without_mask(site.inputs))]
        given = list(data) if len(data) == 3 else [data[0]] * 3
        weights = keyword("need_weights", "False")
        masks = _masks(site, inputs, scope)
        return code(call(scope.module(), *given, weights, *masks), "[0]")

    helpers = () if op.bias else ("UnbiasedAttention",)
    return Lowered(module, apply, given=MULTIHEAD_GIVEN, module_helpers=helpers)


def _masks(site: Site, inputs: Sequence[str], scope: Scope) -> list[Code]:
    """The masks of a call of `nn.MultiheadAttention`, which are true for what is hidden."""
    op, kind = site.op, mask_of(site.inputs)
    batch, _, queries, keys = sizes = op.scores(site.inputs)
    axes = None if kind is None else op.axes_of_mask(site.inputs)
    if kind is None or axes is None or axes == (batch, ONE, ONE, keys):
        masks = []
        if kind is not None:
            kept = code(inputs[-1], ".flatten(1)" if kind.rank > 2 else "")
            masks = [code("key_padding_mask=", kept, _hidden(kind))]
        if op.causal:
            where = [keyword("dtype", "torch.bool"), keyword("device", f"{inputs[0]}.device")]
            shape = code("[", scope.size(queries), ", ", scope.size(keys), "]")
            masks.append(code("attn_mask=", call("torch.ones", shape, *where), ".triu(1)"))
            masks += [] if masks[1:] else [code("is_causal=True")]
        return masks
    kept = code(inputs[-1])
    if axes[:2] == (ONE, ONE):  # one for the whole batch: [N, M]
        kept = code(kept, f".squeeze({(0, 1)[: kind.rank - 2]})") if kind.rank > 2 else kept
        if axes[2:] != (queries, keys):
            kept = _expanded(kept, [scope.size(queries), scope.size(keys)])
        return [code("attn_mask=", kept, ".tril()" if op.causal else "", _hidden(kind))]
    if kind.rank == 3:
        kept = code(kept, ".unsqueeze(1)")
    heads = code(scope.module(), ".num_heads")
    if axes != sizes:
        kept = _expanded(kept, [scope.size(batch), heads, scope.size(queries), scope.size(keys)])
    kept = code(kept, ".tril()" if op.causal else "", _hidden(kind))
    return [code("attn_mask=", kept, ".flatten(0, 1)")]


def _hidden(mask: TensorType) -> str:
    """A bool mask is inverted."""
    return ".logical_not()" if mask.dtype is DType.BOOL else ""


def _expanded(mask: Code, shape: Sequence[Code]) -> Code:
    """A mask whose axes of size 1 are repeated."""
    sizes = [code(", " if at else "", size) for at, size in enumerate(shape)]
    return code(mask, ".expand(", *sizes, ")")
