import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from archspec.ops.base import Check, OpError
from archspec.ops.contraction import Einsum, MatMul
from tests.ops.agreement import symbolic
from tests.ops.reference import REFERENCE, happens, inferred, sized

INDEX = st.sampled_from("abcd")
OPERAND = st.lists(INDEX, max_size=4).map(tuple)
SIZES = st.fixed_dictionaries({name: st.integers(2, 5) for name in "ABCD"})
MANY = settings(deadline=None, max_examples=150)


@st.composite
def contractions(draw):
    operands = draw(st.lists(OPERAND, min_size=1, max_size=3))
    known = sorted({name for operand in operands for name in operand})
    result = draw(st.lists(st.sampled_from(known), unique=True)) if known else []
    return operands, result


def counted(op, inputs, sizes):
    tensors = [torch.empty(sized(one.shape, sizes), device="meta") for one in inputs]
    with FlopCounterMode(display=False) as counter:
        REFERENCE[op.name](op, *tensors)
    return counter.get_total_flops() // 2


@given(contractions(), SIZES)
@MANY
def test_einsum_has_the_shape_and_the_macs_of_torch(contraction, sizes):
    operands, result = contraction
    pattern = ", ".join(" ".join(one) for one in operands) + " -> " + " ".join(result)
    inputs = tuple(symbolic(*(name.upper() for name in one)) for one in operands)
    op = Einsum(pattern=pattern)
    assert inferred(op, inputs, sizes) == happens(op, inputs, sizes)
    outputs = (op.infer(Check(), *inputs),)
    assert op.macs(inputs, outputs).evaluate(sizes) == counted(op, inputs, sizes)


def test_an_index_has_one_size():
    op = Einsum(pattern="b n, n m -> b m")
    assert inferred(op, (symbolic("B", "N"), symbolic(8, "M")), {"B": 2, "N": 7, "M": 3}) is None
    assert op.infer(Check(), symbolic("B", "N"), symbolic(8, "M")) == symbolic("B", "M")
    with pytest.raises(OpError, match="7 in"):
        op.infer(Check(), symbolic(2, 7), symbolic(8, 3))


def test_names_may_be_long_and_ellipses_broadcast():
    op = Einsum(pattern="... query dim, ... key dim -> ... query key")
    inputs = (symbolic("B", 1, 4, 5), symbolic(3, 6, 5))
    assert op.equation == "...qd,...kd->...qk"
    assert op.infer(Check(), *inputs) == symbolic("B", 3, 4, 6)
    outputs = (op.infer(Check(), *inputs),)
    assert op.macs(inputs, outputs).evaluate({"B": 2}) == counted(op, inputs, {"B": 2})
    assert inferred(op, inputs, {"B": 2}) == happens(op, inputs, {"B": 2})


@pytest.mark.parametrize(
    "pattern",
    ["", "a b", "a b -> c", "a b -> a a", "(a b) -> a", "a 1 -> a", "a b, a -> b", "a -> a",
     "a b c -> a", "... ... -> ...", "... -> ", "a b -> ...", "a -> b -> c", "a b -> a,",
     "a; b -> a"],
)  # fmt: skip
def test_mismatched_patterns_are_refused(pattern):
    with pytest.raises(OpError) as error:
        Einsum(pattern=pattern).infer(Check(), symbolic(2, 3))
    assert error.value.attribute == "pattern"


DIMS = st.sampled_from([1, 2, 3, "A", "B"])


@given(st.lists(DIMS, max_size=2), st.lists(DIMS, max_size=2), DIMS, DIMS, DIMS, DIMS, SIZES)
@MANY
def test_matmul_broadcasts_batches_only(left, right, rows, inner, also_inner, columns, sizes):
    inputs = (symbolic(*left, rows, inner), symbolic(*right, also_inner, columns))
    op = MatMul()
    theirs = happens(op, inputs, sizes)
    assert inferred(op, inputs, sizes) == theirs
    assume(theirs is not None)
    outputs = (op.infer(Check(), *inputs),)
    assert op.macs(inputs, outputs).evaluate(sizes) == counted(op, inputs, sizes)


def test_vectors_are_not_matrices():
    with pytest.raises(OpError) as error:
        MatMul().infer(Check(), symbolic(2, 3), symbolic(3))
    assert error.value.input == 1
    assert "unsqueeze" in error.value.fix
