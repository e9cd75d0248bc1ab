import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from archspec.ops.base import Check, OpError
from archspec.ops.layer_normalisation import L2Normalize, LayerNorm, LocalResponseNorm, RMSNorm
from archspec.ops.normalisation import BatchNorm, FrozenBatchNorm, GroupNorm, InstanceNorm
from archspec.types.tensor import DType
from tests.ops.agreement import happens, inferred, state, symbolic, table

BATCH = {2: nn.BatchNorm1d, 3: nn.BatchNorm1d, 4: nn.BatchNorm2d, 5: nn.BatchNorm3d}
INSTANCE = {3: nn.InstanceNorm1d, 4: nn.InstanceNorm2d, 5: nn.InstanceNorm3d}
AXES = ("B", "C", "D", "H", "W")
small = st.integers(1, 3)


def sized(sizes, channels=4):
    """A type with free dims except for the channels, and the sizes of these dims."""
    names = [channels if axis == 1 else AXES[axis] for axis in range(len(sizes))]
    known = {AXES[axis]: size for axis, size in enumerate(sizes) if axis != 1}
    return symbolic(*names), known


@settings(deadline=None, max_examples=150)
@given(st.lists(small, min_size=2, max_size=5), st.booleans(), st.booleans(), st.booleans())
def test_batch_norm_agrees_with_torch(sizes, affine, track, training):
    sizes[1] = 4
    x, known = sized(sizes)
    op = BatchNorm(affine=affine, track=track)
    module = BATCH[len(sizes)](4, affine=affine, track_running_stats=track).train(training)
    assert inferred(op, (x,), known, training=training) == happens(
        lambda: module(torch.zeros(sizes))
    )
    assert table(op, x) == state(module)
    assert list(table(op, x, learnable=True)) == [name for name, _ in module.named_parameters()]


@settings(deadline=None, max_examples=150)
@given(st.lists(small, min_size=3, max_size=5), st.booleans(), st.booleans(), st.booleans())
def test_instance_norm_agrees_with_torch(sizes, affine, track, training):
    sizes[1] = 4
    x, known = sized(sizes)
    op = InstanceNorm(affine=affine, track=track)
    module = INSTANCE[len(sizes)](4, affine=affine, track_running_stats=track).train(training)
    assert inferred(op, (x,), known, training=training) == happens(
        lambda: module(torch.zeros(sizes))
    )
    assert table(op, x) == state(module)


@settings(deadline=None, max_examples=150)
@given(st.lists(small, min_size=2, max_size=5), st.integers(1, 6), st.booleans())
def test_group_norm_agrees_with_torch(sizes, groups, affine):
    sizes[1] = 4
    x, known = sized(sizes)
    op = GroupNorm(groups=groups, affine=affine)

    def run():
        return nn.GroupNorm(groups, 4, affine=affine)(torch.zeros(sizes))

    assert inferred(op, (x,), known) == happens(run)
    if 4 % groups == 0:
        assert table(op, x) == state(nn.GroupNorm(groups, 4, affine=affine))


def test_group_norm_without_weights_accepts_free_channels():
    x = symbolic("B", "C", "L")
    op = GroupNorm(groups=3, affine=False)
    assert inferred(op, (x,), {"B": 1, "C": 6, "L": 5}) == (1, 6, 5)
    assert inferred(op, (x,), {"B": 1, "C": 7, "L": 5}) is None


def test_num_batches_tracked_is_an_integer_parameter():
    *_, last = BatchNorm().parameters(symbolic("B", 4))
    assert (last.name, last.shape, last.dtype) == ("num_batches_tracked", (), DType.I64)


def test_batch_norm_over_another_axis():
    x = symbolic("B", "N", 6)
    op = BatchNorm(axis=-1)
    assert table(op, x)["weight"] == (6,)
    assert inferred(op, (x,), {"B": 1, "N": 1}, training=True) is None
    assert inferred(op, (x,), {"B": 1, "N": 1}) == (1, 1, 6)
    with pytest.raises(OpError, match="batch"):
        BatchNorm(axis=0).infer(Check(), x)


def test_frozen_batch_norm_has_buffers_only():
    op, x = FrozenBatchNorm(), symbolic("B", 4, "H", "W")
    assert list(table(op, x)) == ["weight", "bias", "running_mean", "running_var"]
    assert not table(op, x, learnable=True)


@pytest.mark.parametrize(
    ("axis", "shape"), [(-1, (5,)), ((2, 3), (4, 5)), ((-1, 1), (3, 5)), (1, (3,)), ((1,), (3,))]
)
@pytest.mark.parametrize("kind", [LayerNorm, RMSNorm])
def test_weights_of_norms_within_a_sample_have_the_normalised_shape(kind, axis, shape):
    op, x = kind(axis=axis), symbolic("B", 3, 4, 5)
    assert table(op, x)["weight"] == shape
    assert op.infer(Check(), x) == x


def test_layer_norm_has_the_parameters_of_torch():
    x = symbolic("B", 3, 4, 5)
    for affine in (True, False):
        for bias in (True, False):
            op = LayerNorm(axis=(2, 3), affine=affine, bias=bias)
            module = nn.LayerNorm((4, 5), elementwise_affine=affine, bias=bias)
            assert table(op, x) == state(module)
        assert table(RMSNorm(axis=3, affine=affine), x) == state(
            nn.RMSNorm(5, elementwise_affine=affine)
        )


@pytest.mark.parametrize("axis", [(), (1, 1), (1, -3), 4, -5])
def test_empty_duplicate_or_missing_axes_are_refused(axis):
    with pytest.raises(OpError) as error:
        LayerNorm(axis=axis).infer(Check(), symbolic("B", 3, 4, 5))
    assert error.value.attribute == "axis"


@pytest.mark.parametrize(
    "op", [LayerNorm(), RMSNorm(), BatchNorm(axis=2), InstanceNorm(track=True)]
)
def test_weights_need_fixed_sizes(op):
    with pytest.raises(OpError, match="fixed number") as error:
        op.infer(Check(), symbolic("B", "C", "D"))
    assert error.value.code == "E0403"
    free = LayerNorm(affine=False)
    assert free.infer(Check(), symbolic("B", "C", "D")) == symbolic("B", "C", "D")


def test_norms_without_weights():
    x = symbolic(2, 3, 4)
    module = nn.LocalResponseNorm(2)
    assert inferred(LocalResponseNorm(size=2), (x,), {}) == happens(
        lambda: module(torch.zeros(2, 3, 4))
    )
    assert inferred(LocalResponseNorm(size=2), (symbolic(2, 3),), {}) == happens(
        lambda: module(torch.zeros(2, 3))
    )
    assert L2Normalize(axis=-1).infer(Check(), x) == x
    with pytest.raises(OpError, match="axis 3"):
        L2Normalize(axis=3).infer(Check(), x)
