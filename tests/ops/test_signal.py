import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archspec.ops.base import Check, OpError
from archspec.ops.signal import IRFFT, IRFFT2, RFFT, RFFT2, AsComplex, AsReal
from archspec.types.dim import Dim
from archspec.types.tensor import DType
from tests.ops.agreement import symbolic
from tests.ops.reference import happens, inferred

H, W = map(Dim.symbol, "HW")
SIZES = st.fixed_dictionaries({"H": st.integers(1, 16), "W": st.integers(1, 16)})
POINTS = st.none() | st.integers(0, 9) | st.sampled_from([W, 2 * H - 2])


@given(POINTS, st.integers(-3, 2), SIZES)
@settings(deadline=None, max_examples=150)
def test_transforms_agree_with_torch(points, axis, sizes):
    for op, kind in ((RFFT, DType.F32), (IRFFT, DType.C64)):
        one, x = op(axis=axis, size=points), symbolic(2, "H", dtype=kind)
        assert inferred(one, (x,), sizes) == happens(one, (x,), sizes)


@given(st.none() | st.sampled_from([(H, W), (3, 2 * W - 2), (H - 1, 5)]), SIZES)
@settings(deadline=None, max_examples=100)
def test_transforms_of_images_agree_with_torch(size, sizes):
    for op, kind in ((RFFT2(), DType.F32), (IRFFT2(size=size), DType.C64)):
        x = symbolic(2, "H", "W", dtype=kind)
        assert inferred(op, (x,), sizes) == happens(op, (x,), sizes)


def test_inverse_transforms_restore_the_type():
    x = symbolic("B", "H", "W")
    assert IRFFT2(size=(H, W)).infer(Check(), RFFT2().infer(Check(), x)) == x
    c = symbolic("B", "H", dtype=DType.C64)
    assert AsComplex().infer(Check(), AsReal().infer(Check(), c)) == c


def test_complex_numbers_are_pairs():
    check = Check()
    AsComplex().infer(check, symbolic("B", "H"))
    assert len(check.needs) == 1
    for x in (symbolic("B", 3), symbolic()):
        with pytest.raises(OpError):
            AsComplex().infer(Check(), x)
    with pytest.raises(OpError, match="c64"):
        AsReal().infer(Check(), symbolic("B", 3))
