import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archspec.ops.base import Check, OpError
from archspec.ops.indexing import Crop, Flip, Gather, Roll, Scatter, Select, Slice, Take, Tril
from archspec.ops.windows import Fold, Pad, PixelShuffle, PixelUnshuffle, Unfold
from archspec.types.dim import Dim
from archspec.types.tensor import DType
from tests.ops.agreement import symbolic
from tests.ops.reference import happens, inferred

B, H, W = map(Dim.symbol, "BHW")
X = symbolic("B", 6, "H", "W")
SIZES = st.fixed_dictionaries({"B": st.just(2), "H": st.integers(1, 16), "W": st.integers(1, 16)})
AT = st.integers(-18, 18)
MANY = settings(deadline=None, max_examples=150)


@given(AT, st.none() | AT, st.integers(1, 4), SIZES)
@MANY
def test_slice_agrees_with_python_within_the_axis(start, stop, step, sizes):
    size = sizes["H"]
    first = start + size if start < 0 else start
    last = size if stop is None else stop + size if stop < 0 else stop
    for op in (
        Slice(axis=2, start=start, stop=stop, step=step),
        Slice(axis=-2, start=Dim.constant_of(start), stop=stop, step=step),
    ):
        theirs = happens(op, (X,), sizes) if 0 <= first <= last <= size else None
        assert inferred(op, (X,), sizes) == theirs


@given(st.sampled_from([(0, W), (W, None), (H // 2, H), (0, H - 3), (H - W, H)]), SIZES)
@MANY
def test_slice_with_free_bounds_lies_within_the_axis(range_, sizes):
    start, stop = range_
    first = start.evaluate(sizes) if isinstance(start, Dim) else start
    last = sizes["H"] if stop is None else stop.evaluate(sizes)
    fits = 0 <= first <= last <= sizes["H"]
    for op in (Slice(axis=2, start=start, stop=stop), Crop(ranges=((2, start, stop),))):
        assert inferred(op, (X,), sizes) == (happens(op, (X,), sizes) if fits else None)


@given(AT | st.sampled_from([W, H - 1]), SIZES)
@MANY
def test_select_requires_the_position(index, sizes):
    op = Select(axis=2, index=index)
    assert inferred(op, (X,), sizes) == happens(op, (X,), sizes)


@pytest.mark.parametrize(
    ("op", "attribute"),
    [
        (Slice(axis=1, stop=7), "stop"),
        (Slice(axis=1, start=-7), "start"),
        (Slice(axis=1, start=4, stop=2), "start"),
        (Slice(axis=4), "axis"),
        (Select(axis=1, index=6), "index"),
        (Crop(ranges=((1, 0, 7),)), "ranges"),
        (Crop(ranges=((1, 0, 1), (-3, 0, 1))), "ranges"),
        (Pad(amounts=((1, 0, 1), (-3, 0, 1))), "amounts"),
        (Pad(amounts=((1, -3, -4),)), "amounts"),
        (Pad(amounts=((1, 1, 1),), mode="reflect"), "amounts"),
        (Pad(amounts=((2, -1, 1),), mode="reflect"), "amounts"),
        (Roll(shifts=(1, 2), axes=1), "shifts"),
        (Flip(axes=(1, -3)), "axes"),
    ],
)
def test_positions_out_of_range_are_refused_at_once(op, attribute):
    with pytest.raises(OpError) as error:
        op.infer(Check(), X)
    assert error.value.attribute == attribute


AMOUNT = st.integers(-3, 6) | st.sampled_from([W, H % 2, -H % 4])


@given(st.sampled_from(["constant", "reflect", "replicate", "circular"]),
       st.lists(st.tuples(st.just(2), AMOUNT, AMOUNT), min_size=1, max_size=1), SIZES)  # fmt: skip
@settings(deadline=None, max_examples=300)
def test_pad_has_the_requirements_of_torch(mode, amounts, sizes):
    op = Pad(amounts=tuple(amounts), mode=mode)
    before, after = (a.evaluate(sizes) if isinstance(a, Dim) else a for a in amounts[0][1:])
    theirs = happens(op, (X,), sizes)
    if mode != "constant" and min(before, after) < 0:
        theirs = None
    assert inferred(op, (X,), sizes) == theirs


def test_take_replaces_the_axis():
    indices = symbolic("B", "T", dtype=DType.I64)
    assert Take().infer(Check(), symbolic(9, 4), indices) == symbolic("B", "T", 4)
    assert Take(axis=1).infer(Check(), symbolic(4, 9), indices) == symbolic(4, "B", "T")
    with pytest.raises(OpError, match="i64"):
        Take().infer(Check(), symbolic(9, 4), symbolic(3))


@given(st.integers(-3, 2), SIZES)
@MANY
def test_gather_needs_indices_within_the_other_axes(axis, sizes):
    inputs = (symbolic("B", "H", 4), symbolic(2, "W", 3, dtype=DType.I64))
    op = Gather(axis=axis)
    assert inferred(op, inputs, sizes) == happens(op, inputs, sizes)


@given(st.integers(-3, 2), st.sampled_from(["none", "add", "max", "min"]), SIZES)
@MANY
def test_scatter_runs_where_torch_does(axis, reduction, sizes):
    inputs = (
        symbolic("B", "H", 4),
        symbolic(2, "W", 3, dtype=DType.I64),
        symbolic(2, "W", 3),
    )
    op = Scatter(axis=axis, reduction=reduction)
    assert inferred(op, inputs, sizes) == happens(op, inputs, sizes)


@pytest.mark.parametrize(
    ("attributes", "inputs", "message", "at"),
    [
        ({}, (symbolic(4), symbolic(3), symbolic(3)), "i64", 1),
        ({}, (symbolic(4), symbolic(3, 1, dtype=DType.I64), symbolic(3)), "indices of rank 1", 1),
        ({}, (symbolic(4), symbolic(3, dtype=DType.I64), symbolic(3, 1)), "source of rank 1", 2),
        ({}, (symbolic(4), symbolic(5, dtype=DType.I64), symbolic(3)), "equal dims", 2),
        ({}, (symbolic(4), *[symbolic(3, dtype=DType.I64)] * 2), "one element type", 2),
        ({"reduction": "add"}, (symbolic(4, dtype=DType.BOOL), symbolic(3, dtype=DType.I64),
                                symbolic(3, dtype=DType.BOOL)), "takes f32", 0),
    ],
)  # fmt: skip
def test_mismatched_scatter_is_refused(attributes, inputs, message, at):
    with pytest.raises(OpError, match=message) as error:
        Scatter(axis=0, **attributes).infer(Check(), *inputs)
    assert error.value.input == at


KERNEL = st.integers(1, 4) | st.tuples(st.integers(1, 4), st.integers(1, 4))
STEP = st.integers(1, 3)


@given(KERNEL, STEP, st.integers(0, 3), st.integers(1, 2), SIZES)
@MANY
def test_unfold_agrees_with_torch(kernel, stride, padding, dilation, sizes):
    op = Unfold(kernel=kernel, stride=stride, padding=padding, dilation=dilation)
    assert inferred(op, (X,), sizes) == happens(op, (X,), sizes)


@given(KERNEL, STEP, st.integers(0, 2), st.integers(1, 2), st.sampled_from([(H, W), 6, (H, 5)]),
       st.sampled_from([20, "L"]), st.integers(1, 30), SIZES)  # fmt: skip
@MANY
def test_fold_agrees_with_torch(kernel, stride, padding, dilation, size, windows, length, sizes):
    op = Fold(size=size, kernel=kernel, stride=stride, padding=padding, dilation=dilation)
    x, sizes = symbolic(2, 24, windows), sizes | {"L": length}
    assert inferred(op, (x,), sizes) == happens(op, (x,), sizes)


@given(st.integers(2, 3), STEP, st.integers(0, 1), SIZES)
@MANY
def test_fold_inverts_the_shape_of_unfold(kernel, stride, padding, sizes):
    unfold = Unfold(kernel=kernel, stride=stride, padding=padding)
    fold = Fold(size=(H, W), kernel=kernel, stride=stride, padding=padding)
    check = Check()
    columns = unfold.infer(check, X)
    check.needs.clear()
    assert fold.infer(check, columns) == X
    made = happens(unfold, (X,), sizes)
    assert (inferred(fold, (columns,), sizes) is None) == (made is None)


@given(st.integers(1, 4), SIZES)
@MANY
def test_pixel_shuffle_requires_divisible_sizes(factor, sizes):
    x = symbolic(2, "B", "H", "W")
    for op in (PixelShuffle(factor=factor), PixelUnshuffle(factor=factor)):
        assert inferred(op, (x,), sizes) == happens(op, (x,), sizes)


def test_roll_flip_and_tril_keep_the_shape():
    for op in (Roll(shifts=(-3, H // 2), axes=(2, 3)), Flip(axes=-1), Tril(diagonal=-1)):
        assert op.infer(Check(), X) == X
