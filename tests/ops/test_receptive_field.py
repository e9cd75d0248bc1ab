"""The receptive field declared by each op, compared with the effect of changed inputs."""

import numpy as np
import pytest
import torch

from archspec.ops.base import Window
from archspec.ops.registry import all_ops
from tests.ops.formulas.judge import bench
from tests.ops.formulas.table import cases_of, references

ONE = Window(1)
CONDITIONAL = {"max_unpool"}
"""Its receptive field assumes indices of a pool with the same windows, and is tested separately."""


def windows(op, types):
    """The declared receptive field as windows; None if it is unlimited."""
    seen = op.receptive_field(types)
    if seen == "pointwise":
        return (ONE,) * (types[0].rank - 2)
    return seen if isinstance(seen, tuple) else None


def changed(module, inputs, before, index, axis, position):
    """Where the first result changes along an axis if one position of an input changes."""
    found = None
    for by in (1e3, -1e3):
        moved = [one.copy() for one in inputs]
        place = [slice(None)] * moved[index].ndim
        place[axis] = position
        part = moved[index][tuple(place)]
        moved[index][tuple(place)] = ~part if part.dtype.kind == "b" else part + by
        after = module(*map(torch.from_numpy, moved))
        after = after[0] if isinstance(after, tuple) else after
        differs = ~np.isclose(after.numpy(), before, 0, 0, equal_nan=True)
        rows = differs.any(tuple(other for other in range(differs.ndim) if other != axis))
        found = rows if found is None else found | rows
    return found


def spans(module, inputs, before, index, axis, ring):
    """For each position of the result, the first and last position of the input that affects it.

    With circular padding, where the end is next to the beginning, the last may be beyond the end.
    """
    size = inputs[index].shape[axis]
    table = np.stack([changed(module, inputs, before, index, axis, at) for at in range(size)])
    return [span(row.nonzero()[0], size, ring) for row in table.T if row.any()]


def span(seen, size, ring):
    turns = seen if ring else [0]
    ways = [sorted((at - turn) % size + turn for at in seen) for turn in turns]
    return min(((way[0], way[-1]) for way in ways), key=lambda ends: ends[1] - ends[0])


TAPS = {"convolve": 1, "convolve_transpose": 1}
"""Inputs whose axes are the taps of a window, not positions of an image."""

CASES = [
    pytest.param(name, number, id=f"{name}-{number}")
    for name in sorted(set(references()) - CONDITIONAL)
    for number, case in enumerate(cases_of(name))
    if case.inputs and not case.regions and case.types[0].rank > 2
    if windows(all_ops()[name](**case.attributes), case.types) is not None
]


@pytest.mark.parametrize(("name", "number"), CASES)
def test_no_position_depends_on_more_than_is_declared(name, number):
    case = cases_of(name)[number]
    built = bench(name, (case,))
    use, module = built.uses[0], built.module.eval()
    with torch.no_grad():
        before = built.run(module, [one.detach() for one in built.tensors()])[0].numpy()
        for index, array in enumerate(built.arrays):
            if array.ndim != before.ndim or array.dtype.kind not in "fb":
                continue
            if index == TAPS.get(name):
                continue
            claims = enumerate(windows(use.op, use.case.types), start=2)
            for axis, window in claims:
                ring = "circular" in case.attributes.values()
                found = spans(module, built.arrays, before, index, axis, ring)
                widest = max((last - first + 1 for first, last in found), default=0)
                assert widest <= window.kernel, (index, axis)
                if index == 0 and array.shape[axis] > 2 * window.kernel and window != ONE:
                    assert widest == window.kernel, "no position sees so much"
                    whole = (
                        []
                        if ring
                        else [first for first, last in found if last - first + 1 == widest]
                    )
                    check_jump(whole, len(found), array.shape[axis], window)


def check_jump(firsts, count, size, window):
    """Neighbours are as far apart as the stride of the window, except for rounding."""
    jump = window.stride / window.scale
    assert abs((size - window.kernel) - (count - 1) * jump) <= size / 2 + jump
    if window.scale == 1 and len(firsts) > 1:
        assert set(np.diff(firsts)) == {window.stride}


def test_each_op_declares_a_receptive_field():
    silent = [
        name
        for name, op in all_ops().items()
        if not op.pointwise and "receptive_field" not in vars(op)
    ]
    assert silent == []
