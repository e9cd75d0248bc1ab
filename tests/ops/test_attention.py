import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from archspec.ops.attention import MultiheadAttention, ScaledDotProductAttention
from archspec.ops.base import Check, OpError
from archspec.types.tensor import DType
from tests.ops.agreement import happens, inferred, state, symbolic, table

some = st.integers(1, 4)


@settings(deadline=None, max_examples=100)
@given(st.lists(some, min_size=0, max_size=2), some, some, some, some)
def test_attention_costs_two_matrix_products(lead, n, m, e, v):
    shapes = ((*lead, n, e), (*lead, m, e), (*lead, m, v))
    op, inputs = ScaledDotProductAttention(), tuple(symbolic(*shape) for shape in shapes)
    out = op.infer(Check(), *inputs)
    assert out == symbolic(*lead, n, v)
    with FlopCounterMode(display=False) as counter:
        q, k, values = (torch.zeros(shape, device="meta") for shape in shapes)
        weights = torch.softmax(q @ k.transpose(-2, -1), -1)
        assert tuple((weights @ values).shape) == (*lead, n, v)
    assert 2 * op.macs(inputs, (out,)).constant == counter.get_total_flops()


@settings(deadline=None, max_examples=100)
@given(st.lists(st.sampled_from([1, 2, 3, 5, 7]), min_size=2, max_size=5), st.booleans())
def test_masks_broadcast_as_in_torch(mask, floating):
    shapes = ((2, 3, 5, 4), (2, 3, 7, 4), (2, 3, 7, 6))
    kind = torch.float32 if floating else torch.bool
    given_mask = symbolic(*mask, dtype=DType.F32 if floating else DType.BOOL)
    ours = inferred(
        ScaledDotProductAttention(), (*(symbolic(*shape) for shape in shapes), given_mask), {}
    )
    theirs = happens(
        lambda: F.scaled_dot_product_attention(
            *(torch.zeros(shape) for shape in shapes), attn_mask=torch.ones(mask, dtype=kind)
        )
    )
    assert ours == theirs


def test_attention_needs_equal_dims():
    q, k, v = symbolic("B", "N", "E"), symbolic("B", "M", "F"), symbolic("C", "M", "V")
    sizes = {"B": 1, "C": 1, "N": 2, "M": 3, "E": 4, "F": 4, "V": 5}
    assert inferred(ScaledDotProductAttention(), (q, k, v), sizes) == (1, 2, 5)
    assert inferred(ScaledDotProductAttention(), (q, k, v), {**sizes, "F": 5}) is None
    assert inferred(ScaledDotProductAttention(), (q, k, v), {**sizes, "C": 2}) is None


def test_a_mask_and_causal_exclude_each_other():
    x, mask = symbolic(2, 5, 8), symbolic(5, 5)
    with pytest.raises(OpError, match="not both") as error:
        ScaledDotProductAttention(causal=True).infer(Check(), x, x, x, mask)
    assert error.value.attribute == "causal"


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("keys", "values"), [(8, 8), (6, 8), (8, 4), (6, 4)])
def test_multihead_attention_has_the_parameters_of_torch(bias, keys, values):
    op = MultiheadAttention(heads=2, bias=bias)
    inputs = (symbolic("B", "N", 8), symbolic("B", "M", keys), symbolic("B", "M", values))
    module = nn.MultiheadAttention(8, 2, bias=bias, kdim=keys, vdim=values, device="meta")
    assert sorted(table(op, *inputs).items()) == sorted(state(module).items())
    assert op.infer(Check(), *inputs) == inputs[0]


@pytest.mark.parametrize(("keys", "values"), [(8, 8), (6, 4)])
def test_multihead_attention_macs_are_those_of_the_flop_counter(keys, values):
    op = MultiheadAttention(heads=2)
    inputs = (symbolic(2, 5, 8), symbolic(2, 7, keys), symbolic(2, 7, values))
    module = nn.MultiheadAttention(8, 2, kdim=keys, vdim=values, batch_first=True, device="meta")
    with FlopCounterMode(display=False) as counter:
        q, k, v = (
            torch.zeros(*s, device="meta") for s in ((2, 5, 8), (2, 7, keys), (2, 7, values))
        )
        module(q, k, v)  # with weights: two products, which the counter includes
    macs = op.macs(inputs, (op.infer(Check(), *inputs),)).constant
    assert 2 * macs == counter.get_total_flops()


def test_multihead_attention_refuses_invalid_attributes():
    x = symbolic("B", "N", 8)
    with pytest.raises(OpError, match="8 is not divisible by 3") as error:
        MultiheadAttention(heads=3).infer(Check(), x)
    assert error.value.attribute == "heads"
    with pytest.raises(OpError, match="two inputs"):
        MultiheadAttention(heads=2).infer(Check(), x, x)
    with pytest.raises(OpError, match="fixed number"):
        MultiheadAttention(heads=2).infer(Check(), symbolic("B", "N", "E"))


def masked(*mask, dtype=DType.BOOL, x=("B", "T", 8), **attributes):
    """The result of self-attention with 2 heads and a mask."""
    inputs = (symbolic(*x), symbolic(*mask, dtype=dtype))
    return MultiheadAttention(heads=2, **attributes).infer(Check(), *inputs)


def test_a_mask_of_multihead_attention_belongs_to_keys_queries_or_heads():
    for mask in (("B", "T"), ("T", "T"), ("B", "T", "T"), ("B", 2, "T", "T"), (1, "T"), (1, 1, 1)):
        assert masked(*mask) == symbolic("B", "T", 8)
    for mask in ((3, 4), (2, 4, 5), (3, 2, 4, 4), (1, 1, 5)):
        with pytest.raises(OpError, match=r"takes a mask of \[2, 4\], \[4, 4\], \[2, 4, 4\] or"):
            masked(*mask, x=(2, 4, 8))


def test_a_mask_that_may_be_of_keys_or_queries_is_refused():
    with pytest.raises(OpError, match="both are equal") as error:
        masked(4, 4, x=(4, 4, 8))
    assert "unsqueeze(1)" in error.value.fix
    assert masked(4, 1, 4, x=(4, 4, 8)) == symbolic(4, 4, 8)


def test_inputs_of_attention_that_are_no_masks_are_named():
    with pytest.raises(OpError, match="two inputs"):
        masked("B", "T", 8, dtype=DType.F32)
    with pytest.raises(OpError, match="takes f32 or bool") as error:
        masked("B", "T", dtype=DType.I64)
    assert "cast(bool)" in error.value.fix
    with pytest.raises(OpError, match="`causal` with a bool mask") as error:
        masked("T", "T", dtype=DType.F32, causal=True)
    assert error.value.attribute == "causal"
    x, keep = symbolic("B", "T", 8), symbolic("B", "T", dtype=DType.BOOL)
    with pytest.raises(OpError, match="input 2 is `bool") as error:
        MultiheadAttention(heads=2).infer(Check(), x, keep, keep)
    assert "last input" in error.value.fix
