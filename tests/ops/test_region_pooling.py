"""RoI align compared with torchvision's, and its valid arguments."""

import numpy as np
import pytest
import torch

from archspec.ops.base import Check, OpError
from archspec.ops.region_pooling import RoiAlign
from tests.ops.agreement import symbolic
from tests.ops.formulas.region_pooling import boxes
from tests.ops.values import module_of
from tests.unchecked import unchecked

X, BOXES = symbolic("B", 4, "H", "W"), symbolic("K", 5)


@pytest.mark.parametrize("aligned", [False, True])
@pytest.mark.parametrize("samples", [0, 1, 2, 3])
@pytest.mark.parametrize(("size", "scale"), [(7, 0.25), ((2, 5), 1.0), (1, 2.0)])
def test_values_and_gradients_of_torchvision(size, scale, samples, aligned):
    ops = pytest.importorskip("torchvision.ops")
    rng = np.random.default_rng(0)
    op = RoiAlign(size=size, scale=scale, samples=samples, aligned=aligned)
    inputs = [rng.normal(size=(2, 3, 12, 9)), boxes(rng, symbolic(60, 5), 1, op)]
    module = module_of("roi_align", inputs, dict(op))
    found = []
    for run in (
        module,
        lambda x, b: ops.roi_align(x, b, size, scale, samples or -1, aligned),
        torch.jit.script(module),
    ):
        x, regions = map(torch.from_numpy, inputs)
        result = run(x.requires_grad_(), regions)
        (gradient,) = torch.autograd.grad(result.sin().sum(), x)
        found.append((result, gradient))
    for one in (found[0], found[2]):
        torch.testing.assert_close(one, found[1], rtol=0, atol=1e-10)


def test_empty_list_of_boxes():
    module = module_of("roi_align", [np.zeros((1, 2, 5, 5)), np.zeros((3, 5))], {"size": 7})
    unchecked(module)
    empty = module(torch.zeros(1, 2, 5, 5).double(), torch.zeros(0, 5).double())
    assert empty.shape == (0, 2, 7, 7)


def test_sizes():
    assert RoiAlign(size=7).infer(Check(), X, BOXES) == symbolic("K", 4, 7, 7)
    assert RoiAlign(size=(2, 3)).infer(Check(), X, BOXES) == symbolic("K", 4, 2, 3)
    assert RoiAlign(size=7).receptive_field((X, BOXES)) == "all"


@pytest.mark.parametrize(
    ("attributes", "inputs", "message"),
    [
        ({}, (symbolic("B", 4, "H"), BOXES), "takes \\[B, C, H, W\\]"),
        ({}, (X, symbolic("K", 4)), "five numbers for each box"),
        ({}, (X, symbolic("K", 3, 5)), "takes boxes"),
        ({"size": (7, 7, 7)}, (X, BOXES), "one number or 2"),
    ],
)
def test_mismatched_inputs_are_refused(attributes, inputs, message):
    with pytest.raises(OpError, match=message):
        RoiAlign(**{"size": 7, **attributes}).infer(Check(), *inputs)
