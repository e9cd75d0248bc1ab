import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from archspec.ops.base import Check, OpError, Parameter
from archspec.ops.source import (
    Arange,
    Full,
    Linspace,
    TensorLiteral,
    ZerosTensor,
)
from archspec.ops.stored import Buffer, ComputedParam, Param
from archspec.types.dim import Dim
from archspec.types.initialiser import Normal, Zeros
from archspec.types.tensor import DType
from tests.ops.agreement import symbolic
from tests.ops.reference import happens, inferred

H, W = map(Dim.symbol, "HW")
SIZES = st.fixed_dictionaries({"H": st.integers(1, 16), "W": st.integers(1, 16)})
END = st.integers(-9, 9) | st.sampled_from([H, W, H - W, 2 * H])


@given(END, st.none() | END, st.integers(-3, 3), SIZES)
@settings(deadline=None, max_examples=200)
def test_arange_agrees_with_torch(start, stop, step, sizes):
    op = Arange(start=start, stop=stop, step=step)
    assert inferred(op, (), sizes) == happens(op, (), sizes)


@given(st.lists(st.sampled_from([0, 2, H, W - 3, -1]), max_size=3).map(tuple), SIZES)
@settings(deadline=None, max_examples=80)
def test_shapes_may_be_free(shape, sizes):
    for op in (ZerosTensor(shape=shape), Full(shape=shape, value=1)):
        assert inferred(op, (), sizes) == happens(op, (), sizes)


def test_linspace_has_the_given_length():
    assert Linspace(start=-1.0, stop=1.0, count=H).infer(Check()) == symbolic("H")


def test_tensor_type_follows_from_its_numbers():
    assert TensorLiteral(values=((1, 2.5),)).infer(Check()) == symbolic(1, 2)
    assert TensorLiteral(values=()).infer(Check()) == symbolic(0)
    assert TensorLiteral(values=((True, 2),)).infer(Check()) == symbolic(1, 2, dtype=DType.I64)
    with pytest.raises(OpError) as error:
        TensorLiteral(values=(0.5,), dtype="i64").infer(Check())
    assert error.value.attribute == "values"


@pytest.mark.parametrize("values", [((1, 2), (3,)), (1, (2,)), "abc", (1, "a"), (None,), H])
def test_rows_must_have_equal_lengths_and_numbers(values):
    with pytest.raises(ValidationError):
        TensorLiteral(values=values)


def test_a_parameter_is_one_tensor_with_an_empty_name():
    init = Normal(std=0.02)
    assert Param(shape=(2, 3), init=init).parameters() == (Parameter("", (2, 3), init),)
    assert Param(shape=(2,)).parameters() == (Parameter("", (2,), Zeros()),)
    assert Param(shape=(2, 3)).infer(Check()) == symbolic(2, 3)
    with pytest.raises(OpError):
        Param(shape=(-2,)).infer(Check())
    with pytest.raises(ValidationError):
        Param(shape=(H,))


def test_a_buffer_is_not_learnable_and_computed_once():
    buffer = Buffer(shape=(4,), dtype="i64")
    value = symbolic(4, dtype=DType.I64)
    assert buffer.infer_regions(Check(), (), {"value": (value,)}) == value
    assert buffer.region_inputs("value", ()) == ()
    assert buffer.region_runs("value", ()) == 0
    (own,) = buffer.parameters()
    assert (own.learnable, own.persistent, own.dtype) == (False, True, DType.I64)
    (own,) = Buffer(shape=(4,), transient=True).parameters()
    assert not own.persistent


@pytest.mark.parametrize(
    "value",
    [(symbolic(4),), (symbolic(5, dtype=DType.I64),), (symbolic("H", dtype=DType.I64),), ()],
)
def test_buffer_must_have_its_declared_type(value):
    with pytest.raises(OpError, match="buffer"):
        Buffer(shape=(4,), dtype="i64").infer_regions(Check(), (), {"value": value})


@pytest.mark.parametrize("value", [(symbolic(5),), (symbolic("H"),), ()])
def test_value_of_a_parameter_must_have_its_declared_type(value):
    with pytest.raises(OpError, match="parameter"):
        ComputedParam(shape=(4,)).infer_regions(Check(), (), {"value": value})


def test_numbers_of_different_types_make_different_ops():
    kinds = [Full(shape=(2,), value=one) for one in (1, 1.0, True)]
    kinds += [TensorLiteral(values=(one,)) for one in (1, 1.0, True)]
    assert len(set(kinds)) == 6
    assert {op.infer(Check()).dtype for op in kinds} == {DType.I64, DType.F32, DType.BOOL}
