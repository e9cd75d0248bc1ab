import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archspec.ops.base import Check, OpError
from archspec.ops.ordering import ArgMax, CumSum, Sort, TopK
from archspec.ops.reduction import LogSumExp, Max, Mean, Min, Norm, Sum
from archspec.types.dim import Dim
from tests.ops.agreement import symbolic
from tests.ops.reference import happens, inferred

X = symbolic("B", 3, "H", "W")
SIZES = st.fixed_dictionaries({name: st.integers(1, 4) for name in "BHW"})
AXIS = st.integers(-5, 4)
AXES = st.none() | AXIS | st.lists(AXIS, min_size=1, max_size=3).map(tuple)


@given(st.sampled_from([Sum, Mean, Max, Min, Norm, LogSumExp]), AXES, st.booleans(), SIZES)
@settings(deadline=None, max_examples=150)
def test_reductions_agree_with_torch(kind, axis, keepdim, sizes):
    op = kind(axis=axis, keepdim=keepdim)
    assert inferred(op, (X,), sizes) == happens(op, (X,), sizes)


@given(st.sampled_from([ArgMax, CumSum, Sort]), AXIS, SIZES)
@settings(deadline=None, max_examples=60)
def test_ops_along_an_axis_agree_with_torch(kind, axis, sizes):
    op = kind(axis=axis)
    assert inferred(op, (X,), sizes) == happens(op, (X,), sizes)


@given(st.integers(1, 5) | st.just(Dim.symbol("H")), AXIS, SIZES)
@settings(deadline=None, max_examples=60)
def test_topk_needs_enough_elements(count, axis, sizes):
    op = TopK(count=count, axis=axis)
    assert inferred(op, (X,), sizes) == happens(op, (X,), sizes)


def test_max_and_argmax_require_an_element():
    half = symbolic("B").with_shape(Dim.symbol("H") // 2)
    for op in (Max(), ArgMax(axis=0)):
        assert inferred(op, (half,), {"H": 1}) is None
        assert inferred(op, (half,), {"H": 2}) is not None


@pytest.mark.parametrize("axis", [4, -5, (), (1, 1), (1, -3)])
def test_axes_must_exist_and_be_unique(axis):
    with pytest.raises(OpError) as error:
        Mean(axis=axis).infer(Check(), X)
    assert error.value.attribute == "axis"


def test_reducing_spatial_axes_depends_on_everything():
    assert Mean(axis=(2, 3)).receptive_field((X,)) == "all"
    assert Mean(axis=-1).receptive_field((X,)) == "all"
    assert Mean(axis=1).receptive_field((X,)) == "pointwise"
