"""Pooling layers that return the positions of their values, and unpooling to these positions."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from archspec.ops.base import Check, OpError, Window
from archspec.ops.pooling import MaxPool, MaxUnpool
from archspec.types.condition import evaluate
from archspec.types.dim import Dim
from archspec.types.tensor import DType
from tests.ops.agreement import happens, inferred, symbolic
from tests.ops.test_pooling import MAX, SPATIAL, numbers

UNPOOL = {1: nn.MaxUnpool1d, 2: nn.MaxUnpool2d, 3: nn.MaxUnpool3d}


@st.composite
def unpools(draw):
    axes = draw(st.integers(1, 3))
    op = MaxUnpool(
        kernel=draw(numbers(axes, 1, 5)),
        stride=draw(st.one_of(st.none(), numbers(axes, 1, 5))),
        padding=draw(numbers(axes, 0, 2)),
        size=draw(st.one_of(st.none(), st.tuples(*[st.integers(1, 20)] * axes))),
    )
    return op, draw(st.tuples(*[st.integers(1, 6)] * axes))


@settings(deadline=None, max_examples=400)
@given(unpools())
def test_max_unpool_runs_where_torch_does(case):
    op, sizes = case
    names = SPATIAL[len(sizes)]
    x = symbolic("B", 1, *names)
    ours = inferred(
        op, (x, x.with_dtype(DType.I64)), {"B": 1, **dict(zip(names, sizes, strict=True))}
    )
    half = all(
        pad <= kernel // 2
        for kernel, pad in zip(
            op.kernel if isinstance(op.kernel, tuple) else (op.kernel,) * len(sizes),
            op.padding if isinstance(op.padding, tuple) else (op.padding,) * len(sizes),
            strict=True,
        )
    )
    if not half:  # invalid padding for any pooling layer
        assert ours is None
        return
    module = UNPOOL[len(sizes)](op.kernel, op.stride, op.padding)
    zeros = torch.zeros(1, 1, *sizes)
    assert ours == happens(lambda: module(zeros, zeros.long(), op.size and list(op.size)))


@settings(deadline=None, max_examples=50)
@given(st.data())
def test_indices_do_not_change_the_sizes(data):
    axes = data.draw(st.integers(1, 3))
    plain = MaxPool(
        kernel=data.draw(numbers(axes, 2, 4)),
        stride=data.draw(st.one_of(st.none(), numbers(axes, 1, 4))),
        padding=data.draw(numbers(axes, 0, 1)),
        ceil=data.draw(st.booleans()),
    )
    pool = plain.model_copy(update={"indices": True})
    x = symbolic("B", 2, *SPATIAL[axes])
    both, alone = Check(), Check()
    y, where = pool.infer(both, x)
    assert y == plain.infer(alone, x)
    assert where == y.with_dtype(DType.I64)
    assert both.needs == alone.needs
    sizes = data.draw(st.tuples(*[st.integers(6, 9)] * axes))
    module = MAX[axes](
        pool.kernel, pool.stride, pool.padding, ceil_mode=pool.ceil, return_indices=True
    )
    theirs = module(torch.zeros(1, 2, *sizes))
    found = dict(zip(("B", *SPATIAL[axes]), (1, *sizes), strict=True))
    assert tuple(theirs[1].shape) == tuple(size.evaluate(found) for size in where.shape)


def test_a_size_may_be_free():
    check, height = Check(), Dim.symbol("H")
    x = symbolic("B", 4, "h")
    out = MaxUnpool(kernel=2, size=(height,)).infer(check, x, x.with_dtype(DType.I64))
    assert out == symbolic("B", 4, "H")
    fits = [evaluate(need.condition, {"B": 1, "H": 7, "h": 3}) for need in check.needs]
    assert all(fits)
    assert not all(evaluate(need.condition, {"B": 1, "H": 7, "h": 5}) for need in check.needs)


def test_mismatched_inputs_are_refused():
    x = symbolic("B", 4, 5, 5)
    places = x.with_dtype(DType.I64)
    for op, inputs, match in (
        (MaxUnpool(kernel=2), (x, x), "takes i64"),
        (MaxUnpool(kernel=2), (x, symbolic("B", 4, 5, dtype=DType.I64)), "an index for each"),
        (MaxUnpool(kernel=2), (x, symbolic("B", 4, 5, 6, dtype=DType.I64)), "equal dims"),
        (MaxUnpool(kernel=2, size=(12, 10)), (x, places), "differ from 10 by less than 2"),
        (MaxUnpool(kernel=2, size=(10, 10, 10)), (x, places), "one size for each of 2"),
        (MaxUnpool(kernel=2, padding=2), (x, places), "half"),
    ):
        with pytest.raises(OpError, match=match):
            op.infer(Check(), *inputs)


def test_receptive_field_windows():
    x = symbolic(1, 3, 4, 4)
    places = x.with_dtype(DType.I64)
    assert MaxUnpool(kernel=2).receptive_field((x, places)) == (Window(1, 1, 2),) * 2
    assert MaxUnpool(kernel=3, stride=2).receptive_field((x, places)) == (Window(2, 1, 2),) * 2
