import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archspec.ops.base import Check, OpError
from archspec.ops.identity import Identity
from archspec.ops.merge import MOST_OUTPUTS, Concat, Split, Stack, Unbind
from archspec.ops.shape import (
    Expand,
    Flatten,
    Permute,
    Reshape,
    Squeeze,
    Transpose,
    Unflatten,
    Unsqueeze,
)
from archspec.types.dim import Dim
from tests.ops.agreement import symbolic
from tests.ops.reference import happens, inferred

B, H, W = map(Dim.symbol, "BHW")
X = symbolic("B", 6, "H", "W")
SIZES = st.fixed_dictionaries({name: st.integers(1, 16) for name in "BHW"})
AXIS = st.integers(-5, 4)
FEW = settings(deadline=None, max_examples=80)


@given(st.one_of(
    st.builds(Flatten, start=AXIS, stop=AXIS),
    st.builds(Transpose, axis_a=AXIS, axis_b=AXIS),
    st.builds(Permute, axes=st.permutations([0, 1, 2, -1]).map(tuple)),
    st.builds(Permute, axes=st.lists(AXIS, max_size=4).map(tuple)),
    st.builds(Unsqueeze, axis=AXIS),
), SIZES)  # fmt: skip
@FEW
def test_axes_move_as_in_torch(op, sizes):
    assert inferred(op, (X,), sizes) == happens(op, (X,), sizes)


SHAPES = st.sampled_from([
    (B, -1), (B, 2, -1), (-1,), (B * H, -1, W), (-1, 4), (8, -1), (B, 6, H * W), (B, 3, 2, H, W),
    (H, W, -1), (B, 6, W, H), (H, 6, B, W), (W, 6, 3, B), (B, 4, -1), (4 * H, -1),
    (-1, 5, 7), (2 * B, 3, H, W), (B, 6, H),
])  # fmt: skip


@given(SHAPES, SIZES)
@FEW
def test_reshape_keeps_the_number_of_elements(shape, sizes):
    op = Reshape(shape=shape)
    assert inferred(op, (X,), sizes) == happens(op, (X,), sizes)


@given(st.sampled_from([(-1, 2), (2, -1), (3, 2), (4, -1), (H // 2, 2), (-1, 5), (2, 2)]),
       st.integers(1, 3), SIZES)  # fmt: skip
@FEW
def test_unflatten_divides_exactly(parts, axis, sizes):
    op = Unflatten(axis=axis, sizes=parts)
    assert inferred(op, (X,), sizes) == happens(op, (X,), sizes)


@pytest.mark.parametrize("shape", [(-1, -1), (5, -1), (-2, 3), (4, 4), (0, -1)])
def test_reshape_that_no_size_satisfies_is_refused(shape):
    with pytest.raises(OpError) as error:
        Reshape(shape=shape).infer(Check(), symbolic(2, 6))
    assert error.value.attribute == "shape"


def test_undecidable_division_is_refused():
    with pytest.raises(OpError, match="for all sizes") as error:
        Reshape(shape=(W, -1)).infer(Check(), symbolic(2, "H"))
    assert error.value.code == "E0411"


@given(st.sampled_from([(2,), (0,), (-1, 1), (2, 3), (3,)]), SIZES)
@FEW
def test_squeeze_removes_ones_only(axis, sizes):
    x = symbolic("B", 1, "H", 1)
    found = inferred(Squeeze(axis=axis), (x,), sizes)
    shape = (sizes["B"], 1, sizes["H"], 1)
    ones = all(shape[one] == 1 for one in axis) and len({one % 4 for one in axis}) == len(axis)
    assert found == (happens(Squeeze(axis=axis), (x,), sizes) if ones else None)


ASKED = st.sampled_from([1, 3, 6, -1, B, H])


@given(st.lists(ASKED, max_size=5).map(tuple), SIZES)
@settings(deadline=None, max_examples=200)
def test_expand_repeats_ones(asked, sizes):
    x = symbolic(1, 6, "H")
    op = Expand(sizes=asked)
    found = inferred(op, (x,), sizes)
    theirs = happens(op, (x,), sizes)
    aligned = asked if len(asked) <= 3 else asked[len(asked) - 3 :]
    silent = len(aligned) > 2 and sizes["H"] == 1 and aligned[2] not in (1, -1, H)
    silent = silent and (aligned[2].evaluate(sizes) if isinstance(aligned[2], Dim) else 2) != 1
    assert found == (None if silent else theirs)


def test_expand_takes_leading_axes_or_makes_new_ones():
    assert Expand(sizes=(B,)).infer(Check(), symbolic(1, 1, 8)) == symbolic("B", 1, 8)
    assert Expand(sizes=(B, 1, H, W)).infer(Check(), symbolic()) == symbolic("B", 1, "H", "W")


@given(st.lists(st.sampled_from(["B", 2, 3, "H"]), min_size=2, max_size=3), AXIS, SIZES)
@FEW
def test_concat_sums_one_axis_and_requires_the_others_equal(firsts, axis, sizes):
    inputs = tuple(symbolic(first, 3, "W") for first in firsts)
    op = Concat(axis=axis)
    assert inferred(op, inputs, sizes) == happens(op, inputs, sizes)


@given(st.lists(st.sampled_from(["B", 3]), min_size=1, max_size=3), AXIS, SIZES)
@FEW
def test_stack_requires_equal_shapes(firsts, axis, sizes):
    inputs = tuple(symbolic(first, 3, "W") for first in firsts)
    op = Stack(axis=axis)
    assert inferred(op, inputs, sizes) == happens(op, inputs, sizes)


def test_joins_require_an_input():
    for op in (Concat(), Stack()):
        with pytest.raises(OpError, match="at least one"):
            op.infer(Check())
    with pytest.raises(OpError, match="rank"):
        Concat().infer(Check(), symbolic(2, 3), symbolic(2, 3, 4))


@given(st.integers(1, 5), SIZES)
@FEW
def test_split_into_equal_parts_divides_exactly(parts, sizes):
    op = Split(parts=parts, axis=2)
    theirs = happens(op, (X,), sizes) if sizes["H"] % parts == 0 else None
    assert inferred(op, (X,), sizes) == theirs


@given(st.sampled_from([(2, H - 2), (H, 1), (3, 4), (H // 2, H - H // 2), (5, -1)]), SIZES)
@FEW
def test_split_sizes_add_up(parts, sizes):
    op = Split(parts=parts, axis=2)
    assert inferred(op, (X,), sizes) == happens(op, (X,), sizes)


def test_large_sizes_in_a_spec_take_little_memory():
    for op in (Split(parts=10**9), Unbind(axis=1)):
        with pytest.raises(OpError, match=str(MOST_OUTPUTS)):
            op.infer(Check(), symbolic(2, 10**9))


def test_unbind_requires_a_fixed_size():
    with pytest.raises(OpError) as error:
        Unbind().infer(Check(), X)
    assert error.value.code == "E0403"
    assert len(Unbind(axis=1).infer(Check(), X)) == 6


def test_identity_accepts_tuples():
    assert Identity().infer(Check(), X) == X
    assert Identity().infer(Check(), X, X) == (X, X)
    assert Identity().infer(Check()) == ()
