import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from archspec.ops.base import Check, OpError, Window
from archspec.ops.resampling import GridSample, Resize, ResizeLike, Upsample
from archspec.types.dim import Dim
from tests.ops.agreement import symbolic
from tests.ops.reference import happens, inferred

H, W = map(Dim.symbol, "HW")
X = symbolic(2, 3, "H", "W")
SIZES = st.fixed_dictionaries({"H": st.integers(1, 16), "W": st.integers(1, 16)})
MODES = ["nearest", "nearest-exact", "linear", "bilinear", "bicubic", "trilinear", "area"]
MANY = settings(deadline=None, max_examples=150)


@given(st.sampled_from(MODES), st.booleans(), st.integers(1, 3), SIZES)
@MANY
def test_modes_depend_on_the_rank_as_in_torch(mode, align_corners, rank, sizes):
    x = symbolic(2, 3, *("H", "W", 4)[:rank])
    op = Resize(size=5, mode=mode, align_corners=align_corners)
    sizes_ok = inferred(op, (x,), sizes)
    if align_corners and mode in ("nearest", "nearest-exact", "area"):
        assert sizes_ok is None
    else:
        assert sizes_ok == happens(op, (x,), sizes)


@given(st.sampled_from([7, (W, H), (H // 2, 2 * W), (H - 3, W), (0, 3), (3,)]),
       st.sampled_from(["nearest", "bilinear", "bicubic", "area"]), SIZES)  # fmt: skip
@MANY
def test_resize_needs_positive_sizes(size, mode, sizes):
    op = Resize(size=size, mode=mode)
    theirs = happens(op, (X,), sizes)
    if theirs is not None and 0 in theirs[0][1]:
        theirs = None
    assert inferred(op, (X,), sizes) == theirs


SCALES = st.sampled_from([1, 2, 3, 4, 0.5, 1.5, 0.25, 2.5, 0.75, 1.2, 0.1, 1 / 3, 2 / 3, 0.3, 0.8])


@given(SCALES, st.sampled_from(["nearest", "bilinear", "nearest-exact"]), SIZES)
@MANY
def test_upsample_rounds_down_as_torch_does(scale, mode, sizes):
    op = Upsample(scale=scale, mode=mode)
    theirs = happens(op, (X,), sizes)
    if theirs is not None and 0 in theirs[0][1]:
        theirs = None
    assert inferred(op, (X,), sizes) == theirs


@given(st.integers(1, 64), st.integers(1, 64), st.integers(1, 300))
@settings(deadline=None, max_examples=300)
def test_fractions_are_exact_or_refused(numerator, denominator, size):
    try:
        op = Upsample(scale=numerator / denominator)
    except ValidationError:
        return
    shape = op.infer(Check(), symbolic(1, 1, "H")).shape
    assert shape[2].evaluate({"H": size}) == int(float(size) * op.scale)


@pytest.mark.parametrize("scale", [0, -1, 0.0, 3.14159, float("inf"), float("nan"), 1e-9, True])
def test_factors_are_positive_fractions(scale):
    with pytest.raises(ValidationError):
        Upsample(scale=scale)


def test_error_suggests_the_mode_for_the_rank():
    with pytest.raises(OpError) as error:
        Resize(size=4, mode="bilinear").infer(Check(), symbolic(2, 3, "L"))
    assert error.value.attribute == "mode"
    assert error.value.fix == 'use "linear"'


def test_resize_like_takes_the_size_of_the_other():
    like = symbolic("B", 9, "P", "Q")
    assert ResizeLike().infer(Check(), X, like) == symbolic(2, 3, "P", "Q")
    with pytest.raises(OpError, match="rank"):
        ResizeLike().infer(Check(), X, symbolic(2, 3, "L"))


def test_grid_sample_needs_coordinates():
    assert GridSample().infer(Check(), X, symbolic(2, 5, "P", 2)) == symbolic(2, 3, 5, "P")
    for grid in (symbolic(2, 5, 5, 3), symbolic(3, 5, 5, 2), symbolic(2, 5, 2)):
        with pytest.raises(OpError):
            GridSample().infer(Check(), X, grid)


def test_windows_of_integer_ratios():
    assert Upsample(scale=2).receptive_field((X,)) == (Window(1, 1, 2),) * 2
    assert Resize(size=(H * 2, W)).receptive_field((X,)) == (Window(1, 1, 2), Window(1))
    assert (
        Resize(size=(2 * H, 2 * W), mode="bilinear").receptive_field((X,)) == (Window(2, 1, 2),) * 2
    )
    assert Resize(size=(7, 7)).receptive_field((X,)) == "all"
    x = symbolic(2, 3, 8, 8)
    assert Resize(size=4, mode="area").receptive_field((x,)) == (Window(2, 2),) * 2
