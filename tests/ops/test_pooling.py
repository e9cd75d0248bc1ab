import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from archspec.ops.adaptive_pooling import (
    AdaptiveAvgPool,
    AdaptiveMaxPool,
    GlobalAvgPool,
    GlobalMaxPool,
)
from archspec.ops.base import Check, OpError, Window
from archspec.ops.pooling import AvgPool, MaxPool
from archspec.types.dim import Dim
from tests.ops.agreement import happens, inferred, symbolic

SPATIAL = {1: ("L",), 2: ("H", "W"), 3: ("D", "H", "W")}
MAX = {1: nn.MaxPool1d, 2: nn.MaxPool2d, 3: nn.MaxPool3d}
AVG = {1: nn.AvgPool1d, 2: nn.AvgPool2d, 3: nn.AvgPool3d}


def numbers(axes, low, high):
    one = st.integers(low, high)
    return st.one_of(one, st.tuples(*[one] * axes))


@st.composite
def pools(draw, kind):
    axes = draw(st.integers(1, 3))
    attributes = {
        "kernel": draw(numbers(axes, 1, 7)),
        "stride": draw(st.one_of(st.none(), numbers(axes, 1, 7))),
        "padding": draw(numbers(axes, 0, 3)),
        "ceil": draw(st.booleans()),
    }
    if kind is MaxPool:
        attributes["dilation"] = draw(numbers(axes, 1, 3))
    top = 20 if axes < 3 else 9
    return kind(**attributes), draw(st.tuples(*[st.integers(1, top)] * axes))


def agree(op, sizes, module):
    names = SPATIAL[len(sizes)]
    x = symbolic("B", 1, *names)
    ours = inferred(op, (x,), {"B": 1, **dict(zip(names, sizes, strict=True))})
    assert ours == happens(lambda: module(torch.zeros(1, 1, *sizes)))


@settings(deadline=None, max_examples=400)
@given(pools(MaxPool))
def test_max_pool_runs_where_torch_does(case):
    op, sizes = case
    module = MAX[len(sizes)](op.kernel, op.stride, op.padding, op.dilation, ceil_mode=op.ceil)
    agree(op, sizes, module)


@settings(deadline=None, max_examples=400)
@given(pools(AvgPool))
def test_avg_pool_runs_where_torch_does(case):
    op, sizes = case
    module = AVG[len(sizes)](op.kernel, op.stride, op.padding, op.ceil, op.count_include_pad)
    agree(op, sizes, module)


def test_every_rounded_up_pool_over_one_axis():
    for kernel in range(1, 6):
        for stride in range(1, 8):
            for padding in range(kernel // 2 + 1):
                op = MaxPool(kernel=kernel, stride=stride, padding=padding, ceil=True)
                module = nn.MaxPool1d(kernel, stride, padding, ceil_mode=True)
                for size in range(1, 16):
                    agree(op, (size,), module)


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_adaptive_pools_have_the_requested_size(data):
    axes = data.draw(st.integers(1, 3))
    one = st.one_of(st.none(), st.integers(1, 9))
    target = data.draw(st.tuples(*[one] * axes))
    sizes = data.draw(st.tuples(*[st.integers(1, 9)] * axes))
    average = {1: nn.AdaptiveAvgPool1d, 2: nn.AdaptiveAvgPool2d, 3: nn.AdaptiveAvgPool3d}
    greatest = {1: nn.AdaptiveMaxPool1d, 2: nn.AdaptiveMaxPool2d, 3: nn.AdaptiveMaxPool3d}
    filled = tuple(t or s for t, s in zip(target, sizes, strict=True))
    agree(AdaptiveAvgPool(size=target), sizes, average[axes](filled))
    agree(AdaptiveMaxPool(size=target), sizes, greatest[axes](filled))


def test_adaptive_pool_accepts_free_dims():
    out = AdaptiveAvgPool(size=(Dim.symbol("h"), 1)).infer(Check(), symbolic("B", 3, "H", "W"))
    assert out == symbolic("B", 3, "h", 1)


@pytest.mark.parametrize("kind", [GlobalAvgPool, GlobalMaxPool])
def test_global_pools_keep_batch_and_channels(kind):
    x = symbolic("B", "C", "D", "H", "W")
    assert kind().infer(Check(), x) == symbolic("B", "C")
    assert kind(keepdim=True).infer(Check(), x) == symbolic("B", "C", 1, 1, 1)
    with pytest.raises(OpError, match="spatial axis"):
        kind().infer(Check(), symbolic("B", "C"))


def test_receptive_field_windows():
    x = (symbolic(1, 3, 8, 12),)
    assert MaxPool(kernel=3, dilation=2).receptive_field(x) == (Window(5, 3), Window(5, 3))
    assert AvgPool(kernel=2, stride=1).receptive_field(x) == (Window(2, 1), Window(2, 1))
    assert AdaptiveAvgPool(size=(4, 12)).receptive_field(x) == (Window(2, 2), Window(1))
    assert AdaptiveAvgPool(size=5).receptive_field(x) == "all"
    assert GlobalAvgPool().receptive_field(x) == "all"


@pytest.mark.parametrize("kind", [MaxPool, AvgPool])
def test_padding_beyond_half_the_kernel_is_refused(kind):
    with pytest.raises(OpError, match="half") as error:
        kind(kernel=3, padding=2).infer(Check(), symbolic("B", 3, "L"))
    assert error.value.attribute == "padding"


def test_rounding_up_needs_no_case_distinction_on_sizes():
    """Pooling by 2 in U2-Net rounds up: (H + 1) // 2, for every H."""
    check = Check()
    out = MaxPool(kernel=2, ceil=True).infer(check, symbolic("B", 3, "H", "W"))
    height = Dim.symbol("H")
    assert out.shape[2] == (height + 1) // 2
