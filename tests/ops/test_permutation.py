"""Ops declared to only reorder axes in inference do so."""

import pytest

from archspec.ops.base import Check
from archspec.ops.registry import all_ops
from archspec.types.tensor import TensorType
from tests.backends.graphs import tensor

CASES = [
    pytest.param(op, example, id=f"{name}-{index}")
    for name, op in sorted(all_ops().items())
    for index, example in enumerate(op.examples)
    if len(example.inputs) == 1 and not op.regions
]


def made(op, example):
    return op(**example.attributes)


@pytest.mark.parametrize(("op", "example"), CASES)
def test_shapes_are_reordered_as_declared(op, example):
    one, kind = made(op, example), tensor(example.inputs[0])
    order = one.permutation(kind.rank)
    if order is None:
        return
    assert sorted(order) == [*range(kind.rank)]
    found = one.infer(Check(), kind)
    assert isinstance(found, TensorType)
    assert found.shape == tuple(kind.shape[axis] for axis in order)


def test_permutations_of_some_ops():
    ops = all_ops()
    assert ops["transpose"]().permutation(4) == (0, 1, 3, 2)
    assert ops["permute"](axes=(0, -1, 1, 2)).permutation(4) == (0, 3, 1, 2)
    assert ops["rearrange"](pattern="b c h w -> w b h c").permutation(4) == (3, 0, 2, 1)
    assert ops["dropout"]().permutation(2) == (0, 1)


@pytest.mark.parametrize(
    "pattern", ["b c h w -> b c (h w)", "b c ... -> b ... c", "b c 1 w -> b c w", "b c -> b c 1"]
)
def test_other_rearrangements_are_not_permutations(pattern):
    assert all_ops()["rearrange"](pattern=pattern).permutation(4) is None
