"""Sums of products: matrix products, einsum, attention."""

from __future__ import annotations

from collections.abc import Sequence

from archspec.types.initialiser import Initialiser, XavierUniform, Zeros
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
    q, k, v = site.inputs if len(site.inputs) == 3 else site.inputs * 3
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
        given = list(inputs) if len(inputs) == 3 else [inputs[0]] * 3
        mask: list[Code] = []
        if op.causal:
            rows, columns = scope.size(q.shape[1]), scope.size(k.shape[1])
            where = [keyword("dtype", "torch.bool"), keyword("device", f"{inputs[0]}.device")]
            ones = call("torch.ones", code("[", rows, ", ", columns, "]"), *where)
            mask = [code("attn_mask=", ones, ".triu(1)"), code("is_causal=True")]
        weights = keyword("need_weights", "False")
        return code(call(scope.module(), *given, weights, *mask), "[0]")

    helpers = () if op.bias else ("UnbiasedAttention",)
    return Lowered(module, apply, given=MULTIHEAD_GIVEN, module_helpers=helpers)
