import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archspec.ops.arithmetic import Add, Div, FloorDiv, Mul, Pow, Sub
from archspec.ops.base import Check, OpError
from archspec.ops.choice import Clamp, MaskedFill, Where
from archspec.ops.comparison import Eq, LogicalAnd, Lt
from archspec.ops.elementwise import Abs, Cast, Exp
from archspec.ops.reduction import Mean, Sum
from archspec.types.dim import Dim
from archspec.types.tensor import DType
from tests.ops.agreement import symbolic
from tests.ops.reference import happens, inferred

H = Dim.symbol("H")
DIMS = st.sampled_from([1, 1, 2, 3, "H", "W"])
SHAPES = st.lists(DIMS, max_size=4).map(tuple)
SIZES = st.fixed_dictionaries({"H": st.integers(1, 4), "W": st.integers(1, 4)})


@given(st.lists(SHAPES, min_size=1, max_size=3), SIZES)
@settings(deadline=None, max_examples=200)
def test_dims_must_be_equal_and_only_a_literal_one_broadcasts(shapes, sizes):
    rank = max(map(len, shapes))
    columns = [
        {sizes.get(s, s) for shape in shapes for s in shape[::-1][axis : axis + 1] if s != 1}
        for axis in range(rank)
    ]
    inputs = tuple(symbolic(*shape) for shape in shapes)
    found = inferred(Add(), inputs, sizes)
    if all(len(column) <= 1 for column in columns):
        assert found == happens(Add(), inputs, sizes)
    else:
        assert found is None


def test_constant_dims_are_preferred():
    out = Mul().infer(Check(), symbolic("B", "C", "H"), symbolic(8, "W"))
    assert out == symbolic("B", 8, "H")


def test_mismatch_message_has_the_axis_and_both_shapes():
    with pytest.raises(OpError) as error:
        Add().infer(Check(), symbolic("B", 64, "H"), symbolic("B", 64, "H"), symbolic("B", 32, "H"))
    assert error.value.input == 2
    for part in ("`add`", "axis 1", "64 in [B, 64, H]", "32 in [B, 32, H]"):
        assert part in error.value.message


def test_requirement_message_has_the_axis_and_both_shapes():
    check = Check()
    Add().infer(check, symbolic("B", 64, "H"), symbolic("B", 64, "W"))
    (need,) = check.needs
    assert need.reason == "`add` needs [B, 64, H] and [B, 64, W] to agree on axis 2"


@pytest.mark.parametrize(
    ("op", "inputs", "part"),
    [
        (Add(), (symbolic(4), symbolic(4, dtype=DType.I64)), "cast(f32)"),
        (Add(scalar=0.5), (symbolic(4, dtype=DType.I64),), "cast(f32)"),
        (Div(scalar=2), (symbolic(4, dtype=DType.I64),), "`//`"),
        (Div(), (symbolic(4, dtype=DType.I64),) * 2, "`//`"),
        (Add(), (symbolic(4, dtype=DType.BOOL),) * 2, "cast(f32)"),
        (LogicalAnd(), (symbolic(4),), "compare"),
        (Where(), (symbolic(4), symbolic(4), symbolic(4)), "compare"),
        (Pow(scalar=-1), (symbolic(4, dtype=DType.I64),), "cast(f32)"),
        (Exp(), (symbolic(4, dtype=DType.I64),), "cast(f32)"),
        (Mean(), (symbolic(4, dtype=DType.I64),), "cast(f32)"),
        (Sum(), (symbolic(4, dtype=DType.BOOL),), "cast(i64)"),
        (Sub(), (symbolic(4),), "(a, b) -> sub"),
        (Cast(dtype="f32"), (symbolic(4, dtype=DType.C64),), "as_real"),
        (MaskedFill(value=0.5), (symbolic(4, dtype=DType.I64), symbolic(dtype=DType.BOOL)), "ca"),
    ],
)  # fmt: skip
def test_element_types_are_not_converted_implicitly(op, inputs, part):
    with pytest.raises(OpError) as error:
        op.infer(Check(), *inputs)
    assert part in (error.value.fix or "")


@pytest.mark.parametrize(
    ("op", "inputs"),
    [
        (Sub(scalar=1), (symbolic(4), symbolic(4))),
        (Where(value=1), (symbolic(4, dtype=DType.BOOL), symbolic(4), symbolic(4))),
        (Where(), (symbolic(4, dtype=DType.BOOL),)),
        (Where(otherwise=1), (symbolic(4, dtype=DType.BOOL),) * 2),
        (Clamp(), (symbolic(4),)),
        (Clamp(low=0.5), (symbolic(4, dtype=DType.I64),)),
    ],
)
def test_number_of_operands_is_checked(op, inputs):
    with pytest.raises(OpError):
        op.infer(Check(), *inputs)


def test_literals_take_the_type_of_the_tensor():
    ints = symbolic(4, dtype=DType.I64)
    assert Add(scalar=H).infer(Check(), ints) == ints
    assert FloorDiv(scalar=2).infer(Check(), ints) == ints
    assert Add(scalar=2).infer(Check(), symbolic(4)) == symbolic(4)
    assert Lt(scalar=2).infer(Check(), ints) == symbolic(4, dtype=DType.BOOL)
    assert Eq(scalar=1).infer(Check(), symbolic(4, dtype=DType.C64)).dtype is DType.BOOL
    assert Abs().infer(Check(), symbolic(4, dtype=DType.C64)) == symbolic(4)


def test_bool_is_not_a_scalar_number():
    with pytest.raises(ValueError, match="scalar"):
        Add(scalar=True)


def test_a_sum_of_one_branch_is_that_branch():
    x = symbolic("B", 3)
    assert Add().infer(Check(), x) == x
