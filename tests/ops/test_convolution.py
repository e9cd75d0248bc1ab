import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from archspec.ops.base import Check, OpError, Window
from archspec.ops.convolution import Conv, Convolve
from archspec.ops.transposed_convolution import ConvTranspose
from archspec.types.dim import Dim, dim
from archspec.types.initialiser import FanInUniform, NormOf
from archspec.types.tensor import DType, TensorType
from tests.ops.agreement import happens, inferred, state, symbolic, table

CONV = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
TRANSPOSED = {1: nn.ConvTranspose1d, 2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}
SPATIAL = {1: ("L",), 2: ("H", "W"), 3: ("D", "H", "W")}


def numbers(axes, low, high):
    one = st.integers(low, high)
    return st.one_of(one, st.tuples(*[one] * axes))


@st.composite
def convolutions(draw):
    axes = draw(st.integers(1, 3))
    padding = draw(
        st.one_of(numbers(axes, 0, 6), st.sampled_from(["half", "same", "valid"]), st.just("half"))
    )
    op = Conv(
        width=4,
        kernel=draw(numbers(axes, 1, 6)),
        stride=draw(numbers(axes, 1, 4)),
        padding=padding,
        dilation=draw(numbers(axes, 1, 3)),
        groups=draw(st.sampled_from([1, 2, 3])),
        bias=draw(st.booleans()),
        padding_mode=draw(st.sampled_from(["zeros", "zeros", "reflect", "replicate", "circular"])),
    )
    top = 20 if axes < 3 else 9
    return op, draw(st.tuples(*[st.integers(1, top)] * axes))


def tupled(value, axes):
    return value if isinstance(value, tuple) else (value,) * axes


def torch_padding(op, axes):
    if op.padding != "half":
        return op.padding
    spans = zip(tupled(op.kernel, axes), tupled(op.dilation, axes), strict=True)
    return tuple(d * (k - 1) // 2 for k, d in spans)


def torch_conv(op, axes, device="cpu"):
    return CONV[axes](
        4, op.width, op.kernel, op.stride, torch_padding(op, axes), op.dilation, op.groups,
        op.bias, op.padding_mode, device=device,
    )  # fmt: skip


@settings(deadline=None, max_examples=300)
@given(convolutions())
def test_conv_runs_where_torch_does(case):
    op, sizes = case
    axes = len(sizes)
    names = SPATIAL[axes]
    x = symbolic("B", 4, *names)
    ours = inferred(op, (x,), {"B": 1, **dict(zip(names, sizes, strict=True))})
    theirs = happens(lambda: torch_conv(op, axes)(torch.zeros(1, 4, *sizes)))
    assert ours == theirs


@settings(deadline=None, max_examples=60)
@given(convolutions())
def test_conv_macs_are_those_of_the_flop_counter(case):
    op, sizes = case
    x = symbolic(2, 4, *sizes)
    if inferred(op, (x,), {}) is None:
        return
    module = torch_conv(op, len(sizes), "meta")
    with FlopCounterMode(display=False) as counter:
        module(torch.zeros(2, 4, *sizes, device="meta"))
    assert 2 * op.macs((x,), (op.infer(Check(), x),)).constant == counter.get_total_flops()


@settings(deadline=None, max_examples=60)
@given(convolutions())
def test_conv_weights_are_those_of_torch(case):
    op, sizes = case
    x = symbolic("B", 4, *SPATIAL[len(sizes)])
    if inferred(op, (x,), dict.fromkeys("BLDHW", 99)) is not None:
        assert table(op, x) == state(torch_conv(op, len(sizes), "meta"))


def test_channels_and_groups_from_the_input():
    x = symbolic("B", 6, "H", "W")
    depthwise = Conv(width="same", kernel=3, groups="each")
    plain = Conv(width=6, kernel=3, groups=6)
    assert table(depthwise, x) == table(plain, x)
    assert depthwise.infer(Check(), x) == plain.infer(Check(), x)
    assert depthwise.macs((x,), (x,)) == plain.macs((x,), (x,))
    assert Conv(width=12, kernel=1, groups="each").counts(x) == (12, 6)
    with pytest.raises(OpError, match="divisible by `groups`"):
        Conv(width=8, kernel=1, groups="each").infer(Check(), x)
    with pytest.raises(OpError, match="channels"):
        depthwise.infer(Check(), symbolic("B", "C", "H", "W"))


@st.composite
def transposed_convolutions(draw):
    axes = draw(st.integers(1, 3))
    op = ConvTranspose(
        width=draw(st.sampled_from([4, 6])),
        kernel=draw(numbers(axes, 1, 5)),
        stride=draw(numbers(axes, 1, 4)),
        padding=draw(numbers(axes, 0, 5)),
        output_padding=draw(numbers(axes, 0, 3)),
        dilation=draw(numbers(axes, 1, 3)),
        groups=draw(st.sampled_from([1, 2, 3])),
        bias=draw(st.booleans()),
    )
    return op, draw(st.tuples(*[st.integers(1, 20 if axes == 1 else 6)] * axes))


def torch_transposed(op, axes, device="cpu"):
    return TRANSPOSED[axes](
        4, op.width, op.kernel, op.stride, op.padding, op.output_padding, op.groups, op.bias,
        op.dilation, device=device,
    )  # fmt: skip


@settings(deadline=None, max_examples=300)
@given(transposed_convolutions())
def test_conv_transpose_runs_where_torch_does(case):
    op, sizes = case
    names = SPATIAL[len(sizes)]
    x = symbolic("B", 4, *names)
    ours = inferred(op, (x,), {"B": 1, **dict(zip(names, sizes, strict=True))})
    theirs = happens(lambda: torch_transposed(op, len(sizes))(torch.zeros(1, 4, *sizes)))
    assert ours == theirs


@settings(deadline=None, max_examples=60)
@given(transposed_convolutions())
def test_conv_transpose_has_the_macs_and_parameters_of_torch(case):
    op, sizes = case
    x = symbolic(2, 4, *sizes)
    if inferred(op, (x,), {}) is None:
        return
    module = torch_transposed(op, len(sizes), "meta")
    with FlopCounterMode(display=False) as counter:
        module(torch.zeros(2, 4, *sizes, device="meta"))
    assert 2 * op.macs((x,), (op.infer(Check(), x),)).constant == counter.get_total_flops()
    assert table(op, x) == state(module)


@pytest.mark.parametrize("op", [Conv(width=4, kernel=3), ConvTranspose(width=4, kernel=3)])
def test_weight_norm_uses_the_names_of_torch(op):
    x = symbolic("B", 8, "H", "W")
    op = op.model_copy(update={"parametrization": "weight_norm"})
    plain = nn.Conv2d(8, 4, 3) if isinstance(op, Conv) else nn.ConvTranspose2d(8, 4, 3)
    with pytest.warns(FutureWarning):
        module = nn.utils.weight_norm(plain)
    ours = table(op, x)
    assert sorted(ours.items()) == sorted(state(module).items())
    assert op.parameters(x)[0].initialiser == NormOf(of="weight_v")


def test_initial_values_have_the_bounds_of_torch():
    x = symbolic("B", 8, "L")
    *_, bias = Conv(width=6, kernel=5, groups=2).parameters(x)
    assert bias.initialiser == FanInUniform(fan=20)
    *_, bias = ConvTranspose(width=6, kernel=5, groups=2).parameters(x)
    assert bias.initialiser == FanInUniform(fan=15)


@settings(deadline=None, max_examples=200)
@given(
    st.integers(1, 4), st.integers(1, 4), st.integers(1, 3), st.integers(0, 2), st.integers(3, 9)
)
def test_the_window_of_a_transposed_convolution_is_the_widest(k, stride, dilation, padding, size):
    op = ConvTranspose(width=1, kernel=k, stride=stride, dilation=dilation, padding=padding)
    if inferred(op, (symbolic(1, 1, size),), {}) is None:
        return
    (window,) = op.receptive_field((symbolic(1, 1, 50),))
    x = torch.zeros(1, 1, 50, requires_grad=True)
    weight = torch.ones(1, 1, k)
    y = nn.functional.conv_transpose1d(x, weight, None, stride, padding, dilation=dilation)
    spans = []
    for position in range(40, min(40 + stride * dilation * 2, y.shape[2])):
        (gradient,) = torch.autograd.grad(y[0, 0, position], x, retain_graph=True)
        seen = gradient[0, 0].nonzero().flatten().tolist()
        spans.append(max(seen) - min(seen) + 1 if seen else 0)
    assert window == Window(max(spans), 1, stride)


def test_channels_must_be_fixed_and_divisible():
    with pytest.raises(OpError, match="fixed number of channels") as error:
        Conv(width=4, kernel=3).infer(Check(), symbolic("B", "C", "H", "W"))
    assert error.value.code == "E0403"
    assert "`C`" in (error.value.fix or "")
    with pytest.raises(OpError, match="10 is not divisible by 4") as error:
        Conv(width=4, kernel=3, groups=4).infer(Check(), symbolic("B", 10, "H", "W"))
    assert error.value.attribute == "groups"


@pytest.mark.parametrize(
    ("op", "attribute"),
    [
        (Conv(width=4, kernel=(3, 3, 3)), "kernel"),
        (Conv(width=4, kernel=3, stride=2, padding="same"), "padding"),
        (ConvTranspose(width=4, kernel=3, output_padding=1), "output_padding"),
    ],
)
def test_errors_name_the_wrong_attribute(op, attribute):
    with pytest.raises(OpError) as error:
        op.infer(Check(), symbolic("B", 8, "H", "W"))
    assert error.value.attribute == attribute


def test_inputs_must_be_images_of_floats():
    with pytest.raises(OpError, match="did you mean") as error:
        raise_with_fix(Conv(width=4, kernel=3), symbolic("B", 8))
    assert error.value.input == 0
    with pytest.raises(OpError, match="embedding"):
        raise_with_fix(Conv(width=4, kernel=3), symbolic("B", "T", dtype=DType.I64))


def raise_with_fix(op, *inputs):
    try:
        op.infer(Check(), *inputs)
    except OpError as error:
        raise OpError(f"{error.message}: {error.fix}", input=error.input) from error


def test_convolve_equals_conv_with_the_same_weight():
    conv = Conv(width=6, kernel=(3, 2), stride=2, dilation=2, groups=2)
    given = Convolve(stride=2, dilation=2, groups=2)
    x, weight = symbolic("B", 4, "H", "W"), symbolic(6, 2, 3, 2)
    ours, theirs = Check(), Check()
    out = given.infer(ours, x, weight, symbolic(6))
    assert out == conv.infer(theirs, x)
    assert ours.needs[-2:][0].condition == theirs.needs[0].condition
    assert given.macs((x, weight), (out,)) == conv.macs((x,), (out,))
    assert given.receptive_field((x, weight)) == conv.receptive_field((x,))


def test_convolve_needs_a_weight_that_fits():
    x = symbolic(1, 4, 9, 9)
    assert inferred(Convolve(), (x, symbolic(6, 3, 3, 3)), {}) is None
    assert inferred(Convolve(), (x, symbolic(6, 4, 3)), {}) is None
    assert inferred(Convolve(), (x, symbolic(6, 4, 3, "K")), {"K": 3}) is None
    assert inferred(Convolve(), (x, symbolic(6, 4, 3, 3), symbolic(5)), {}) is None


def test_convolve_accepts_free_groups():
    """A depth-wise convolution of each sample with its own filters, two for each channel."""
    batch, height, width = (Dim.symbol(name) for name in ("B", "H", "W"))
    given = Convolve(groups=4 * batch)
    x = TensorType(DType.F32, (dim(1), 4 * batch, height, width))
    weight = TensorType(DType.F32, (8 * batch, dim(1), dim(3), dim(3)))
    out = given.infer(Check(), x, weight)
    assert out == x.with_shape(dim(1), 8 * batch, height, width)
    assert given.macs((x, weight), (out,)) == 72 * batch * height * width
    with pytest.raises(OpError, match="cannot divide"):
        given.infer(Check(), x, weight.with_shape(8 * batch + 1, dim(1), dim(3), dim(3)))
    with pytest.raises(OpError, match="needs a multiple of 4"):
        Convolve(groups=4).infer(Check(), symbolic(1, 8, 9, 9), symbolic(6, 2, 3, 3))
